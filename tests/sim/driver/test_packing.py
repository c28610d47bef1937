"""Pictures and logits as they lie in memory: in C, in Python for a board, and in sim/mapping."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

from mnv2.sim.driver.bench import STRICT
from mnv2.sim.driver.program_files import DRIVER, driver_files
from mnv2.sim.mapping.network_program import unpack_logits
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.rtl.abreast import to_pack
from mnv2.sim.rtl.toolchain import find_tool
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of, write_program

NAMES = sorted(CONFIGS)


def load_driver(folder, name="mnv2_pynq"):
    """A module of the driver in Python, as it lies on a board: next to the others."""
    for file, content in driver_files().items():
        (folder / file).write_bytes(content)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        # Each folder has its own.
        for loaded in [one for one in sys.modules if one.startswith("mnv2_")]:
            del sys.modules[loaded]


def in_c(name, folder, picture, words):
    """The slot, and (logits, accumulators) of each frame, by a program compiled for it."""
    config, (_, program) = CONFIGS[name], made_program(name)
    source = __file__.replace("test_packing.py", "c_packing.c")
    command = [find_tool("cc").path, *STRICT, "-Wconversion"]
    command += ["-fsanitize=address,undefined", "-fno-sanitize-recover", f"-I{folder}"]
    command += [f"-I{DRIVER}", source, DRIVER / "mnv2_format.c", "-o", folder / "packing"]
    subprocess.run([str(word) for word in command], check=True)
    data = np.stack(picture).tobytes() + words.tobytes()
    made = subprocess.run([folder / "packing"], input=data, capture_output=True, check=True).stdout
    record = np.dtype([("logits", "i1", program.classes), ("accumulators", "<i4", program.classes)])
    frames = np.frombuffer(made[program.picture_bytes :], record)
    assert len(frames) == config.frames
    return made[: program.picture_bytes], frames


@pytest.mark.parametrize("name", NAMES)
def test_all_pack_alike(name, tmp_path):
    config, (_, program) = CONFIGS[name], made_program(name)
    write_program(name, tmp_path)
    (picture,) = pictures_of(name, 1)
    slot = pack_image(to_pack(picture, config), config).tobytes()
    assert len(slot) == program.picture_bytes
    # Bits between the words are for nobody: they are random here.
    words = np.random.default_rng(8).integers(0, 256, program.logits_bytes, np.uint8)
    in_c_slot, in_c_frames = in_c(name, tmp_path, picture, words)
    assert in_c_slot == slot
    board = load_driver(tmp_path, "mnv2_format")
    layout = json.loads((tmp_path / "layout.json").read_text())
    assert board.pack_picture(layout, picture) == slot
    for frame in range(config.frames):
        accumulators, logits = unpack_logits(words, program, config, frame)
        assert len(np.unique(logits)) > 5
        np.testing.assert_array_equal(in_c_frames["logits"][frame], logits)
        np.testing.assert_array_equal(in_c_frames["accumulators"][frame], accumulators)
        assert board.unpack_logits(layout, words.tobytes(), frame) == (
            logits.tolist(),
            accumulators.tolist(),
        )


def test_layouts_of_all_kinds_are_tried():
    """Dense and padded, elements that cross bytes and beats, one and two frames."""
    layouts = [CONFIGS[name].streams["image"] for name in NAMES]
    assert any(one.beat_bits < one.data_bits and one.taken_bits > one.word_bits for one in layouts)
    assert any(one.beat_bits == one.data_bits and one.word_bits % 8 for one in layouts)
    assert any(one.beat_bits % 8 for one in layouts)
    assert {CONFIGS[name].frames for name in NAMES} == {1, 2}


@pytest.mark.parametrize("shape", [(33, 32, 3), (32, 33, 3), (33 * 33, 3), (34, 33, 3)])
def test_pictures_of_another_size(shape, tmp_path):
    """The driver in Python refuses them; that the one in C does is a step of the bench."""
    write_program("tiny", tmp_path)
    board = load_driver(tmp_path, "mnv2_format")
    layout = json.loads((tmp_path / "layout.json").read_text())
    picture = np.zeros(shape, np.int8)
    if picture.size == 33 * 33 * 3 and picture.ndim == 2:
        assert board.pack_picture(layout, [picture])  # flat: nothing contradicts
        return
    with pytest.raises(ValueError, match="Pictures must be 1 of 33 x 33 pixels"):
        board.pack_picture(layout, [picture])
    with pytest.raises(ValueError, match="Pictures must be 1 of 33 x 33 pixels"):
        board.pack_picture(layout, 2 * [np.zeros((33, 33, 3), np.int8)])
