"""The driver in Python on the same RTL: what PYNQ gives is made of the bench's library.

Registers are those of the Verilated accelerator, memory is its own; buffers have a cache of which
only `flush` and `invalidate` carry bytes, as those of PYNQ do.
"""

import ctypes
import json

import numpy as np
import pytest

from mnv2.hw.config import COUNTERS
from mnv2.sim.driver.bench import build_bench
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of, write_program
from tests.sim.driver.test_packing import load_driver

NAME = "far"
PAGE = 4096
TIME_OUT = 2e6  # in cycles, as the clock


class Library:
    """The bench, powered up."""

    def __init__(self):
        build = build_bench(CONFIGS[NAME], asserts=True)
        library = self.library = ctypes.CDLL(str(build.directory / build.top))
        for name, kind in (
            ("bench_memory", ctypes.c_void_p),
            ("bench_memory_bytes", ctypes.c_uint64),
            ("bench_memory_address", ctypes.c_uint64),
            ("bench_cycles", ctypes.c_uint64),
        ):
            getattr(library, name).restype = kind
        words = [b"+latency=20"]
        library.bench_open(len(words), (ctypes.c_char_p * len(words))(*words))
        size = library.bench_memory_bytes()
        whole = (ctypes.c_uint8 * size).from_address(library.bench_memory())
        self.memory = np.frombuffer(whole, np.uint8)
        self.address = library.bench_memory_address()
        self.used = 3 * PAGE

    def read(self, offset):
        """As pynq.MMIO.read."""
        value = ctypes.c_uint32()
        assert self.library.bench_read(offset, ctypes.byref(value)) == 0
        return value.value

    def write(self, offset, value):
        """As pynq.MMIO.write."""
        assert self.library.bench_write(offset, ctypes.c_uint32(value)) == 0

    def clock(self):
        return float(self.library.bench_cycles())

    def rest(self, cycles):
        self.library.bench_rest(ctypes.c_uint64(int(cycles)))

    def allocate(self, size):
        """As pynq.allocate of bytes."""
        begin, self.used = self.used, self.used + -(-size // PAGE) * PAGE
        buffer = np.full(size, 0xA5, np.uint8).view(Buffer)
        buffer.memory = self.memory[begin : begin + size]
        buffer.device_address = self.address + begin
        return buffer


class Buffer(np.ndarray):
    """As pynq.buffer.PynqBuffer."""

    def flush(self):
        self.memory[:] = self

    def invalidate(self):
        self[:] = self.memory


@pytest.fixture
def board(tmp_path):
    """(driver, bench, program, pictures) of a board that was just powered up."""
    write_program(NAME, tmp_path)
    driver, library = load_driver(tmp_path), Library()
    yield driver, library, driver.Program(tmp_path), pictures_of(NAME, 5)
    library.library.bench_close()


def prepare(board, *, slots=1, rest=True):
    """A device with its program loaded."""
    driver, library, program, _ = board
    device = driver.Accelerator(library, rest=library.rest if rest else None, clock=library.clock)
    device.load(program, library.allocate(program.memory_bytes))
    device.set_rings(
        library.allocate(slots * program.picture_slot),
        library.allocate(slots * program.logits_slot),
    )
    return device


def check(result, picture):
    logits, accumulators = result
    tensors = made_program(NAME)[0].integer.run(picture)
    assert logits == tensors["classifier"].reshape(-1).tolist()
    assert accumulators == tensors["logits_accumulator"].reshape(-1).tolist()


@pytest.mark.parametrize("rest", [True, False], ids=["interrupt", "polling"])
def test_pictures(board, rest):
    device, pictures = prepare(board, rest=rest), board[3]
    for (picture,) in pictures[:3]:
        device.put_picture(0, picture)
        device.run(TIME_OUT)
        check(device.get_logits(0), picture)
    counters = device.counters(0)
    assert list(counters) == list(COUNTERS)
    assert device.counters(0, stem=True)["pointwise"] > 0


def test_stream(board):
    driver, _, _, pictures = board
    device = prepare(board, slots=2)
    for turn in range(2):
        device.put_picture(turn, *pictures[turn])
    device.start(0)
    for turn in range(5):
        device.wait_turn(turn, TIME_OUT)
        if turn + 2 < 5:
            device.put_picture(turn + 2, *pictures[turn + 2])
        check(device.get_logits(turn), *pictures[turn])
    device.stop()
    device.wait(TIME_OUT)
    with pytest.raises(driver.DriverError, match="read too late"):
        device.get_logits(0)
    with pytest.raises(driver.DriverError, match="has not come so far"):
        device.wait_turn(99, TIME_OUT)


def error_of(driver, call, *arguments):
    """Name of the error that a call raises."""
    with pytest.raises(driver.DriverError) as caught:
        call(*arguments)
    return caught.value.name


def test_faults(board):
    driver, library, program, pictures = board
    device = prepare(board)
    memory = library.allocate(program.memory_bytes)

    def good():
        device.put_picture(0, *pictures[0])
        device.run(TIME_OUT)
        check(device.get_logits(0), *pictures[0])

    device.start()
    assert error_of(driver, device.start) == "BUSY"
    assert error_of(driver, device.load, program, memory) == "BUSY"
    assert error_of(driver, device.wait, 100) == "TIME_OUT"
    device.abort(TIME_OUT)
    assert error_of(driver, device.poll) == "ABORTED"
    good()
    library.library.bench_fail(1)
    assert error_of(driver, device.run, TIME_OUT) == "BUS"
    library.library.bench_fail(0)
    good()
    device._base.memory[128:256] = 255
    assert error_of(driver, device.run, TIME_OUT) == "DESCRIPTOR"
    device._base.flush()
    good()
    assert error_of(driver, device.put_picture, 0, pictures[0][0][1:]) == "PICTURE_SIZE"
    small = library.allocate(program.memory_bytes - 1)
    assert error_of(driver, device.load, program, small) == "MEMORY_TOO_SMALL"
    memory.device_address += 64
    assert error_of(driver, device.load, program, memory) == "NOT_ALIGNED"
    memory.device_address = 1 << CONFIGS[NAME].address_bits
    assert error_of(driver, device.load, program, memory) == "OUT_OF_REACH"
    program.layout["configuration_hash"] = "0x00000001"
    assert error_of(driver, device.load, program, memory) == "OTHER_CONFIGURATION"
    good()


def test_nobody_there(board):
    driver = board[0]

    class Empty:
        def read(self, offset):
            return 0xFFFFFFFF

    assert error_of(driver, driver.Accelerator, Empty()) == "NOT_FOUND"


def test_sentences(board, tmp_path):
    """Each error has the sentence of the driver in C."""
    driver = board[0]
    errors = json.loads((tmp_path / "mnv2_registers.json").read_text())["errors"]
    header = (tmp_path / "mnv2.h").read_text()
    assert len(errors) > 20
    for name, sentence in errors.items():
        assert f'X({name}, "{sentence}")' in header
        assert str(driver.DriverError(name)) == sentence
