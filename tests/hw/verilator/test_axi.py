"""AXI4 masters and gearboxes in Verilator, on the memory model and on cocotbext-axi's memory."""

import json
import random
from pathlib import Path

import pytest

from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.verilog import convert
from tests.hw.verilator.copier import Copier

ROOT = Path(__file__).parents[3]
TEST_MODULE = "tests.hw.verilator.cocotb_copier"
DATA_BITS, WORD_BITS = 128, 224
SIZE = 1 << 20
COPY, SUM, WRITE = 0x1000, 0x8FD0, 0x20030  # the last two are close to the end of a page


@pytest.fixture(scope="module", params=[0, 1], ids=["model", "axi_ram"])
def every_build(request):
    return build(request.param)


@pytest.fixture(scope="module")
def model():
    return build(0)


def build(external):
    texts = {
        "copier.v": convert(Copier(data_bits=DATA_BITS, word_bits=WORD_BITS)),
        "axi_memory.sv": (ROOT / "sim/rtl/axi_memory.sv").read_text(),
        "copier_testbench.sv": (ROOT / "tests/hw/verilator/copier_testbench.sv").read_text(),
    }
    return build_simulation(
        texts, "copier_testbench", verilator_arguments=[f"-GEXTERNAL={external}"]
    )


class Run:
    """One run of the copier: what it was to do and what it did.

    Attributes
    ----------
    result : dict
        What `cocotb_copier.write_result` wrote.
    memory : bytes
        Contents afterwards.
    """

    def __init__(
        self, build, folder, *, copy_beats=140, sum_beats=155, stall=0, external=False, **plusargs
    ):
        rng = random.Random(5)
        self.image = rng.randbytes(SIZE)
        self.copy_beats, self.sum_beats = copy_beats, sum_beats
        self.words = -(-copy_beats * DATA_BITS // WORD_BITS)
        folder.mkdir(exist_ok=True)
        image, dump, result = folder / "image.bin", folder / "dump.bin", folder / "result.json"
        image.write_bytes(self.image)
        options = {
            "copy_address": COPY,
            "copy_beats": copy_beats,
            "sum_address": SUM,
            "sum_beats": sum_beats,
            "write_address": WRITE,
            "write_bytes": self.words * WORD_BITS // 8,
            "memory_image": image,
            "memory_dump": dump,
            "dump_end": SIZE,
            "stall_percent": stall,
        } | plusargs
        run_cocotb(
            build,
            test_module=TEST_MODULE,
            work_directory=folder,
            testcase="runs_on_axi_ram" if external else "runs_on_model",
            plusargs=[f"+{name}={value}" for name, value in options.items()],
            extra_env={
                "RESULT": str(result),
                "IMAGE": str(image),
                "DUMP": str(dump),
                "SEED": "1",
                "STALL": str(stall / 100),
            },
        )
        self.result = json.loads(result.read_text())
        self.memory = dump.read_bytes()

    def expected_memory(self):
        size = self.words * WORD_BITS // 8
        copied = self.image[COPY : COPY + self.copy_beats * DATA_BITS // 8].ljust(size, b"\0")
        return self.image[:WRITE] + copied + self.image[WRITE + size :]

    def expected_checksum(self):
        checksum, step = 0, DATA_BITS // 8
        for start in range(SUM, SUM + self.sum_beats * step, step):
            checksum = (checksum << 1 | checksum >> DATA_BITS - 1) & (1 << DATA_BITS) - 1
            checksum ^= int.from_bytes(self.image[start : start + step], "little")
        return checksum

    def check(self):
        """Contents, checksum and all counters, here and in the model."""
        written = self.words * WORD_BITS // 8
        result = self.result
        assert self.memory == self.expected_memory()
        assert result["checksum"] == self.expected_checksum()
        assert result["error"] == 0
        assert result["read_beats"] == self.copy_beats + self.sum_beats
        assert result["written_bytes"] == written
        assert result["written_beats"] == -(-written * 8 // DATA_BITS)
        if "memory" in result:
            memory = result["memory"]
            assert memory["read_beats"] == result["read_beats"]
            assert memory["read_bytes"] == result["read_beats"] * DATA_BITS // 8
            assert memory["write_beats"] == result["written_beats"]
            assert memory["write_bytes"] == result["written_bytes"]


@pytest.mark.parametrize("stall", [0, 30])
def test_copies(every_build, tmp_path, request, stall):
    external = "axi_ram" in request.node.name
    run = Run(every_build, tmp_path, stall=stall, external=external)
    run.check()


@pytest.mark.parametrize(
    "options",
    [
        {"latency": 100, "stall": 50, "stall_seed": 7},
        {"latency": 37, "bytes_per_cycle": 5},
        {"latency": 3, "bytes_per_cycle": 24, "stall": 20},
    ],
)
def test_model_copies(model, tmp_path, options):
    Run(model, tmp_path, **options).check()


def test_model_latency(model, tmp_path):
    for latency in (2, 3, 100):
        result = Run(model, tmp_path / str(latency), latency=latency).result
        assert result["beat_cycle"] - result["request_cycle"] == latency


def test_model_overlaps_latencies(model, tmp_path):
    """Bursts outstanding together: one beat a cycle, once the first has come."""
    run = Run(model, tmp_path, latency=100, copy_beats=0, sum_beats=640, write_bytes=0)
    result = run.result
    assert result["last_beat_cycle"] - result["beat_cycle"] == 639
    assert result["checksum"] == run.expected_checksum()


@pytest.mark.parametrize("bytes_per_cycle", [4, 8, 16, 20])
def test_model_bandwidth(model, tmp_path, bytes_per_cycle):
    """Reads and writes share it, and it is used up to what filling and draining cost."""
    run = Run(model, tmp_path, bytes_per_cycle=bytes_per_cycle, copy_beats=640, sum_beats=320)
    run.check()
    moved = (run.result["read_beats"] + run.result["written_beats"]) * DATA_BITS // 8
    ideal = moved / bytes_per_cycle
    assert ideal - 8 <= run.result["cycles"] <= 1.06 * ideal + 60


def test_model_repeats_a_seed(model, tmp_path):
    cycles = [
        Run(model, tmp_path / str(index), stall=40, stall_seed=seed).result["cycles"]
        for index, seed in enumerate((3, 3, 4))
    ]
    assert cycles[0] == cycles[1] != cycles[2]


def test_model_answers_errors(model, tmp_path):
    assert Run(model, tmp_path / "read", error_address=f"{SUM + 100:x}").result["error"] == 0b01
    run = Run(model, tmp_path / "write", error_address=f"{WRITE + 100:x}")
    assert run.result["error"] == 0b10
    start = (WRITE + 100) // 16 * 16
    assert run.memory[start : start + 16] == run.image[start : start + 16]
    run = Run(model, tmp_path / "count", error_address=f"{SUM + 100:x}", error_count=0)
    assert run.result["error"] == 0
    assert Run(model, tmp_path / "outside", sum_address=SIZE).result["error"] == 0b01


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("page", "read burst at .* of 256 beats crosses 4 KiB"),
        ("offset", "read burst at .* is not aligned to a beat"),
        ("size", "read burst at .* must have size 4, not 3"),
        ("fixed", "read burst at .* must be INCR, not 0"),
        ("wander", "write address changed before it was taken"),
        ("blink", "write data changed before they were taken"),
        ("early", "wlast is 1 on beat"),
        ("endless", "wlast is 0 on beat"),
    ],
)
def test_model_stops_at_fault(model, tmp_path, fault, message):
    with pytest.raises(SimulationError, match=f"axi_memory: {message}"):
        Run(model, tmp_path, fault=fault, stall=30)
