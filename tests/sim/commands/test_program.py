"""`mnv2 program` writes a program, says what lies where, and gives a vector that holds."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS
from mnv2.hw.identity import configuration_hash
from mnv2.sim import cli
from mnv2.sim.driver.bench import STRICT
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.networks.inputs import load_input
from mnv2.sim.networks.open import open_model
from mnv2.sim.pictures.images import load_image
from mnv2.sim.pictures.pixel_table import look_up
from mnv2.sim.rtl.toolchain import find_tool
from tests.golden.family_files import random_quantized_network, small_network, write_family

CONFIG = PRESETS["tiny"]
ONE_CHANNEL = Path(__file__).parents[2] / "golden" / "graph" / "cases" / "one_channel.tflite"
FILES = {
    *("memory.bin", "memory.hex", "layout.json", "mnv2_program.h", "mnv2_names.h"),
    *("picture.bin", "pixels.bin", "logits.bin", "accumulators.bin"),
    *("mnv2.c", "mnv2.h", "mnv2_format.c", "mnv2_format.h", "mnv2_registers.h"),
    *("mnv2_bare.c", "mnv2_bare.h", "mnv2_linux.c", "mnv2_linux.h", "mnv2_selftest.c"),
    *("mnv2_pynq.py", "mnv2_serial.py", "mnv2_format.py", "mnv2_registers.json"),
}


def invoke(*arguments):
    """Result of the command, run in this process."""
    words = ["program", *map(str, arguments)]
    return CliRunner().invoke(cli.app, words, env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(files of a small network for `tiny`, its model and its picture)."""
    folder = tmp_path_factory.mktemp("program")
    content = write_family(
        random_quantized_network(np.random.default_rng(1), small_network((32, 24)))
    )
    (folder / "x.tflite").write_bytes(content)
    pixels = np.random.default_rng(2).integers(0, 256, (50, 60, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "cat.png")
    result = invoke(
        folder / "cat.png", "--model", folder / "x.tflite", "--config", "tiny",
        "--output", folder / "board",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return folder / "board", open_model(folder / "x.tflite"), folder / "cat.png"


def test_writes_its_files_and_nothing_else(made):
    folder, _, _ = made
    assert {file.name for file in folder.iterdir()} == FILES
    assert {file.name for file in folder.parent.iterdir()} == {"board", "x.tflite", "cat.png"}


def test_image(made):
    """The program for the network, in both forms, with its hash in the first bytes."""
    folder, model, _ = made
    image = (folder / "memory.bin").read_bytes()
    program = build_network_program(model.integer, CONFIG)
    assert image == program.image[: len(image)].tobytes()
    assert not program.image[len(image) :].any()
    assert int.from_bytes(image[:4], "little") == configuration_hash(CONFIG)
    beats = (folder / "memory.hex").read_text().split()
    assert all(len(beat) == CONFIG.data_bits // 4 for beat in beats)
    read = b"".join(int(beat, 16).to_bytes(CONFIG.data_bytes, "little") for beat in beats)
    assert read[: len(image)] == image
    assert not any(read[len(image) :])


def test_regions(made):
    """They lie apart, in order, aligned, and nothing of the image is outside of them."""
    folder, _, _ = made
    layout = json.loads((folder / "layout.json").read_text())
    image = np.fromfile(folder / "memory.bin", np.uint8)
    regions = layout["regions"]
    assert [region["name"] for region in regions][:4] == [
        "records",
        "weights",
        "taps",
        "parameters",
    ]
    outside, end = image.copy(), 0
    for region in regions:
        begin = region["offset"]
        assert begin >= end
        assert begin % region["alignment"] == 0
        end = begin + region["bytes"]
        if not region["written"]:
            assert image[begin:end].any()
            outside[begin:end] = 0
    assert not outside.any()
    assert end <= layout["memory_bytes"]
    assert layout["image_bytes"] == len(image)


def test_vector(made):
    """The picture, packed and not, and what golden makes of it."""
    folder, model, picture = made
    integer = load_input(model, picture).integer
    assert (folder / "pixels.bin").read_bytes() == integer.tobytes()
    assert (folder / "picture.bin").read_bytes() == pack_image(integer, CONFIG).tobytes()
    tensors = model.integer.run(integer)
    assert (folder / "logits.bin").read_bytes() == tensors["classifier"].tobytes()
    accumulators = np.fromfile(folder / "accumulators.bin", "<i4")
    np.testing.assert_array_equal(accumulators, tensors["logits_accumulator"].reshape(-1))


def test_values_of_pixels(made):
    """The table makes the network's input of a picture, in JSON and in C."""
    folder, model, picture = made
    layout = json.loads((folder / "layout.json").read_text())
    table = np.array(layout["picture"]["pixel_values"], np.int8)
    pixels = model.resizing.apply(load_image(picture), *layout["picture"]["shape"][:2])
    assert (folder / "pixels.bin").read_bytes() == look_up(pixels, table).tobytes()
    text = (folder / "mnv2_names.h").read_text()
    found = re.search(r"mnv2_pixel_values\[256\]\[3\] = \{(.*?)\n\};", text, re.DOTALL)[1]
    assert [int(word) for word in re.findall(r"-?\d+", found)] == table.reshape(-1).tolist()


def test_names_and_numbers(made):
    """Those of the layout are those of the headers, as a compiler reads them."""
    folder, model, _ = made
    layout = json.loads((folder / "layout.json").read_text())
    source = folder.parent / "names.c"
    source.write_text(
        '#include <stdio.h>\n#include "mnv2.h"\n'
        '#include "mnv2_program.h"\n#include "mnv2_names.h"\n'
        "static const struct mnv2_program program = MNV2_PROGRAM;\n"
        "int main(void) {\n"
        "    unsigned k;\n"
        '    printf("%x %u %u %u %u %u %u %u\\n", program.configuration, program.records,\n'
        "           program.memory_bytes, program.picture_bytes, program.logits_bytes,\n"
        "           program.rows, program.columns, program.classes);\n"
        "    for (k = 0; k < program.classes; ++k) puts(mnv2_class_names[k]);\n"
        "    for (k = 0; k < MNV2_PROGRAM_DESCRIPTORS; ++k) puts(mnv2_descriptor_names[k]);\n"
        "    return mnv2_pixel_values[0][0] == mnv2_pixel_values[255][0];\n"
        "}\n"
    )
    executable = source.with_suffix("")
    command = [find_tool("cc").path, *STRICT, f"-I{folder}", source, "-o", executable]
    subprocess.run([str(word) for word in command], check=True)
    first, *names = subprocess.run(
        [executable], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    picture, logits = layout["picture"], layout["logits"]
    assert first.split() == [
        layout["configuration_hash"].removeprefix("0x").lstrip("0"),
        *(str(layout[name]) for name in ("records", "memory_bytes")),
        str(picture["bytes"]),
        str(logits["bytes"]),
        *map(str, picture["shape"][:2]),
        str(logits["classes"]),
    ]
    assert names == [*layout["class_names"], *layout["descriptors"]]
    assert layout["descriptors"][0] == "block1"
    assert layout["descriptors"][-2:] == ["head", "classifier"]
    assert logits["scale"] == model.integer.classifier.output_scale
    assert picture["zero_point"] == model.integer.input_zero_point
    for path in (source, executable):
        path.unlink()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Missing option '--output'"),
        (("--output", "x", "no.png"), "no.png"),
        (("--output", "x", "--set", "map_words=9"), "map_words"),
        (("--output", "x", "--set", "map_words=many"), "map_words"),
        (("--output", "x", "--set", "weight_bits=5"), "weight_bits"),
        (("--output", "x", "chelsea", "coffee"), "frames abreast"),
        (("--output", "x.tflite"), "is a file, not a folder"),
    ],
)
def test_refusals(made, options, words, tmp_path, monkeypatch):
    folder, _, _ = made
    (tmp_path / "x.tflite").write_bytes((folder.parent / "x.tflite").read_bytes())
    monkeypatch.chdir(tmp_path)
    result = invoke(*options, "--model", "x.tflite", "--config", "tiny")
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.rglob("*")] == ["x.tflite"]


def test_one_channel(tmp_path):
    """The driver packs 3 channels: the others of a network of one are zeros, as its stem's are."""
    result = invoke("--model", ONE_CHANNEL, "--config", "tiny", "--output", tmp_path)
    assert result.exit_code == 0, result.output
    layout = json.loads((tmp_path / "layout.json").read_text())
    rows, columns, channels = layout["picture"]["shape"]
    assert channels == 3
    assert "pixel_values" not in layout["picture"]
    pixels = np.fromfile(tmp_path / "pixels.bin", np.int8).reshape(rows, columns, 3)
    assert pixels[:, :, 0].any()
    assert not pixels[:, :, 1:].any()
    assert (tmp_path / "picture.bin").read_bytes() == pack_image(pixels, CONFIG).tobytes()
    model = open_model(ONE_CHANNEL)
    assert model.network.input_shape == (rows, columns, 1)
    tensors = model.integer.run(pixels[:, :, :1])
    assert (tmp_path / "logits.bin").read_bytes() == tensors["classifier"].tobytes()
    names = dict(enumerate(layout["class_names"]))
    assert names == {k: model.class_names.name(k) for k in range(model.network.classes)}


def test_names_that_the_user_gives(made, tmp_path):
    folder, model, picture = made
    names = [f"kind {k}" for k in range(model.network.classes)]
    (tmp_path / "labels.txt").write_text("\n".join(names))
    result = invoke(
        picture, "--model", folder.parent / "x.tflite", "--config", "tiny",
        "--labels", tmp_path / "labels.txt", "--resize", "stretch", "--output", tmp_path / "board",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    layout = json.loads((tmp_path / "board" / "layout.json").read_text())
    assert layout["class_names"] == names
    table = np.array(layout["picture"]["pixel_values"], np.int8)
    stretched = Image.open(picture).convert("RGB").resize((24, 32), Image.Resampling.BILINEAR)
    expected = look_up(np.asarray(stretched), table).tobytes()
    assert (tmp_path / "board" / "pixels.bin").read_bytes() == expected
