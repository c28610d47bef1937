"""The host's side of a serial line, against the simulated board that the bitstream is made of."""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from mnv2.sim.driver.program_files import driver_files, program_files, vector_files
from mnv2.sim.system.loader import MEMORY, make_loader
from mnv2.sim.system.loader_run import build_board
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of, write_program
from tests.sim.driver.test_packing import load_driver
from tests.sim.system.machines import needs_litex

NAME = "tiny"
CONFIG = CONFIGS[NAME]
PICTURES = 2
#: The program's bytes take 80 cycles each, and are half a million with the pictures.
CYCLES = 60_000_000
SECONDS = 300

pytestmark = needs_litex


@cache
def board():
    return build_board(CONFIG, 1 << 20)


def pictures():
    return [picture for (picture,) in pictures_of(NAME, PICTURES)]


def write_folder(folder):
    """The program, its driver, the board's description, and pictures with their logits."""
    tensors = [made_program(NAME)[0].integer.run(picture) for picture in pictures()]
    vector = vector_files(pictures()[:1], tensors[:1], CONFIG)
    vector["pixels.bin"] = np.stack(pictures()).tobytes()
    vector["logits.bin"] = np.stack([one["classifier"].reshape(-1) for one in tensors]).tobytes()
    files = program_files(*made_program(NAME), CONFIG) | driver_files() | vector
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "system.json").write_text(json.dumps(board().system))


def run_loader(folder, line, *options):
    """(exit status, what it said) of the loader as a user calls it."""
    command = [sys.executable, folder / "mnv2_serial.py", line, "--system", folder / "system.json"]
    command += ["--time-out", SECONDS]
    done = subprocess.run(
        [str(word) for word in (*command, *options)],
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_classes_come_over_the_line(tmp_path):
    """Bits of a serial line, LiteX's bridge, LiteDRAM, the accelerator: all logits golden's."""
    write_folder(tmp_path)
    with board().power(cycles=CYCLES) as line:
        status, said = run_loader(tmp_path, line)
    assert status == 0, said
    assert f"0 of {PICTURES * 27} logits differ" in said
    logits = np.frombuffer((tmp_path / "logits.bin").read_bytes(), np.int8).reshape(PICTURES, -1)
    firsts = [one.split(" ")[1] for one in said.splitlines() if one.startswith("class ")]
    assert firsts == [str(index) for index in logits.argmax(axis=1)]


def test_logits_that_differ(tmp_path):
    """The comparison can fail; another picture than the vector's is compared with nothing."""
    write_folder(tmp_path)
    logits = bytearray((tmp_path / "logits.bin").read_bytes())
    logits[3] ^= 1
    (tmp_path / "logits.bin").write_bytes(logits)
    with board().power(cycles=CYCLES) as line:
        status, said = run_loader(tmp_path, line)
    assert status == 1
    assert f"1 of {PICTURES * 27} logits differ" in said


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("configuration", "made for an accelerator of another configuration"),
        ("pixels", "The picture has other rows or columns"),
        ("registers", "There is no accelerator at this address"),
        ("memory", "The memory is too small"),
    ],
)
def test_errors_are_sentences(damage, sentence, tmp_path):
    write_folder(tmp_path)
    layout = json.loads((tmp_path / "layout.json").read_text())
    system = json.loads((tmp_path / "system.json").read_text())
    if damage == "configuration":
        layout["configuration_hash"] = "0x00000001"
    elif damage == "pixels":
        (tmp_path / "pixels.bin").write_bytes(bytes(100))
    elif damage == "registers":
        system["registers"] = system["memory"]
    else:
        system["memory_bytes"] = 4096
    (tmp_path / "layout.json").write_text(json.dumps(layout))
    (tmp_path / "system.json").write_text(json.dumps(system))
    with board().power(cycles=CYCLES) as line:
        status, said = run_loader(tmp_path, line)
    assert status == 2
    assert sentence in said


class Silent:
    """A line at whose other end is nobody."""

    def reset_input_buffer(self):
        pass

    def write(self, data):
        pass

    def read(self, count):
        return b""


def test_nobody_answers(tmp_path):
    write_program(NAME, tmp_path)
    driver = load_driver(tmp_path, "mnv2_serial")
    with pytest.raises(driver.DriverError, match="The registers do not answer"):
        driver.Board(Silent(), board().system)


def test_a_line_that_is_not_there(tmp_path):
    write_folder(tmp_path)
    status, said = run_loader(tmp_path, tmp_path / "ttyNONE")
    assert status == 2
    assert "ttyNONE" in said


def test_the_line_carries_words_highest_byte_first(tmp_path):
    """As LiteX's bridge has them, in bursts of at most 255 words."""
    write_program(NAME, tmp_path)
    driver = load_driver(tmp_path, "mnv2_serial")
    sent = bytearray()

    class Recorder(Silent):
        def write(self, data):
            sent.extend(data)

    data = bytes(range(256)) * 4  # 256 words
    driver.Bridge(Recorder()).write(0x40000000, data)
    assert sent[:10] == bytes((1, 255, 0x10, 0, 0, 0, 3, 2, 1, 0))
    assert sent[6 + 255 * 4 :] == bytes((1, 1, 0x10, 0, 0, 255, 255, 254, 253, 252))


def test_the_board_of_the_bitstream():
    """Pins, the PLL's clock, the whole memory, and what wakes it."""
    made = make_loader(CONFIG, 70e6, 1_000_000)
    assert made.system["memory_bytes"] == 32 << 20  # MT48LC16M16, as `MEMORY`
    assert MEMORY == "sdr-133x16"
    located = [line for line in made.constraints.splitlines() if line.startswith("LOCATE")]
    sites = [line.split('"')[3] for line in located]
    assert len(set(sites)) == len(sites) == 43
    assert 'FREQUENCY PORT "clk25" 25.0 MHZ;' in made.constraints
    # 25 MHz times 28, over 10.
    assert ".CLKFB_DIV     (5'd28)" in made.verilog
    assert ".CLKOP_DIV     (4'd10)" in made.verilog
    rows = made.system["initialization"]
    control = rows[0][0]
    # The host has the memory first, then its controller; its clock is enabled, then it is told.
    assert [value for address, value, _ in rows if address == control] == [14, 14, 1]
    assert rows[-1][0] == control
    # The simulated board is told the same.
    assert [row[1:] for row in rows] == [row[1:] for row in board().system["initialization"]]
