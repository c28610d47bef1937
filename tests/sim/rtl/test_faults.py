"""Faults end with a status code, and the next start works: in one simulation after the other."""

import json

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.hw.config import COUNTERS, RECORD_BYTES
from mnv2.hw.program import Descriptor, Header
from mnv2.hw.register_map import ADDRESSES, COUNTER_OFFSET, Status
from mnv2.sim.mapping.block_program import build_block_program
from mnv2.sim.mapping.packing import unpack_map
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.simulate import build_accelerator
from tests.sim.rtl.machines import MACHINES, block_task, patched

CONFIG = MACHINES["tiny"]
PAGE = 4096
OUTSIDE = 0x4000_0000  # no memory is there

#: What must be a multiple of a page, but for the base.
ADDRESSES_AND_STRIDES = ("PICTURE_LOW", "PICTURE_STRIDE", "LOGITS_LOW", "LOGITS_STRIDE")

#: Fields of the descriptor, or of the header, and the status that they lead to.
BAD_PROGRAMS = {
    "work": (Descriptor, {"work": 3}, Status.DESCRIPTOR),
    "no rows": (Descriptor, {"input_rows": 0}, Status.DESCRIPTOR),
    "no strips": (Descriptor, {"strip_rows": 0}, Status.DESCRIPTOR),
    "ring upside down": (Descriptor, {"input_base": 9, "input_end": 9}, Status.DESCRIPTOR),
    "ring too long": (Descriptor, {"output_end": CONFIG.map_words + 1}, Status.DESCRIPTOR),
    "too many kernels": (Descriptor, {"hidden_words": CONFIG.tap_words + 1}, Status.DESCRIPTOR),
    "input outside": (Descriptor, {"load_offset": OUTSIDE}, Status.BUS),
    "output outside": (Descriptor, {"store_offset": OUTSIDE}, Status.BUS),
    "weights outside": (Header, {"weights_offset": OUTSIDE}, Status.BUS),
    "another accelerator": (Header, {"configuration": 1}, Status.CONFIGURATION),
    "few weights": (Header, {"weights_beats": 3}, Status.STUCK),
    "no kernels": (Header, {"taps_beats": 0}, Status.STUCK),
    "few parameters": (Header, {"parameters_beats": 4}, Status.STUCK),
    "short input": (Descriptor, {"load_beats": 2}, Status.STUCK),
    "short output": (Descriptor, {"store_words": 1}, Status.STUCK),
    "no input": (Descriptor, {"load_beats": 0}, Status.STUCK),
    "few bytes": (Descriptor, {"store_bytes": 16}, Status.BUS),
}


def value_of(record, kind, name):
    """A field of a record."""
    field = data.Layout.cast(kind)[name]
    return int.from_bytes(record.tobytes(), "little") >> field.offset & (1 << field.width) - 1


class Bench:
    """A small block whose program has bad twins, and the steps that run them."""

    def __init__(self, folder):
        self.task = block_task(CONFIG, 3, (9, 10, 8), 3, 8, 1)
        self.program = build_block_program(
            self.task.block, self.task.quantized, self.task.activation, CONFIG
        )
        self.folder = folder
        self.table = self.program.image[: self.program.records * RECORD_BYTES].reshape(
            -1, RECORD_BYTES
        )
        self.end = -(-self.program.memory_bytes // PAGE) * PAGE
        self.tables = []

    def good(self, start_again=0, **settings):
        """Step that runs the program itself, with other settings."""
        return self.step(0, start_again=start_again, **settings)

    def step(self, address, records=None, start_again=0, abort=0, reset=0, **settings):
        """Step that runs the program at an address.

        Some cycles after the start it is started again, or aborted, or the accelerator and the
        memory are reset, if they are given.
        """
        values = {
            "BASE_LOW": address,
            "PROGRAM_RECORDS": records or self.program.records,
            "FRAMES": 1,
            **dict.fromkeys(ADDRESSES_AND_STRIDES, 0),
        }
        return {
            "settings": values | settings,
            "start_again": start_again,
            "abort": abort,
            "reset": reset,
            "output": address + self.program.output_offset,
        }

    def bad(self, kind=Header, fields=(), records=None):
        """Step that runs another image of the program, at another place, with other fields."""
        table = self.table.copy()
        number = 0 if kind is Header else 1
        table[number] = patched(table[number], kind, dict(fields))
        self.tables.append(table)
        return self.step(self.end * len(self.tables), records)

    def run(self, steps, *, memory=None, plusargs=()):
        """Results of all steps, each with the output that lay in memory after it."""
        image = np.zeros((1 + len(self.tables), self.end), np.uint8)
        image[:, : len(self.program.image)] = self.program.image
        for number, table in enumerate(self.tables):
            image[1 + number, : table.size] = table.reshape(-1)
        folder = self.folder
        image.tofile(folder / "memory.bin")
        size = self.program.output_bytes
        (folder / "steps.json").write_text(
            json.dumps(
                {
                    "registers": ADDRESSES,
                    "counter_offset": COUNTER_OFFSET,
                    "counters": len(COUNTERS),
                    "steps": steps,
                    "output_bytes": size,
                    "result": str(folder / "results.json"),
                }
            )
        )
        run_cocotb(
            build_accelerator(CONFIG, asserts=True),
            test_module="tests.sim.rtl.cocotb_faults",
            work_directory=folder / "cocotb",
            extra_env={"MNV2_STEPS": str(folder / "steps.json")},
            plusargs=[
                f"+memory_image={folder / 'memory.bin'}",
                f"+memory_dump={folder / 'dump.bin'}",
                "+deadline=400000",
                *(memory or MemoryModel(latency=20)).plusargs(),
                *plusargs,
            ],
        )
        results = json.loads((folder / "results.json").read_text())
        outputs = np.fromfile(folder / "dump.bin", np.uint8).reshape(len(steps), size)
        return [
            result | {"output": output} for result, output in zip(results, outputs, strict=True)
        ]

    def check_good(self, result):
        """The result of the program itself."""
        assert Status(result["status"]) == Status.DONE
        assert result["finished"] == 1
        output = unpack_map(result["output"].tobytes(), self.program.output_shape, CONFIG)
        np.testing.assert_array_equal(output, self.task.expected)


def check_common(result):
    """Rules that hold for every step."""
    assert Status(result["running"]) == Status.RUNNING
    check_interrupt(result)
    assert result["cleared"] == 0


def check_interrupt(result):
    """The program has ended; and with it a frame, if all went well."""
    assert result["interrupt"] == (3 if Status(result["status"]) == Status.DONE else 1)


@pytest.mark.parametrize(
    "memory",
    [MemoryModel(latency=20), MemoryModel(latency=90, stall_percent=30, seed=4)],
    ids=["quick", "stalls"],
)
def test_bad_programs(tmp_path, memory):
    """Each has its status, and the good program that follows gives the right output."""
    bench = Bench(tmp_path)
    steps = [bench.good()]
    for kind, fields, _ in BAD_PROGRAMS.values():
        steps += [bench.bad(kind, fields), bench.good()]
    first, *rest = bench.run(steps, memory=memory)
    bench.check_good(first)
    for (name, (_, _, status)), bad, good in zip(
        BAD_PROGRAMS.items(), rest[::2], rest[1::2], strict=True
    ):
        assert Status(bad["status"]) == status, name
        check_common(bad)
        assert bad["finished"] == 0, name
        check_common(good)
        bench.check_good(good)


def test_wrong_number_of_records(tmp_path):
    bench = Bench(tmp_path)
    results = bench.run([bench.bad(records=1), bench.good(), bench.bad(records=3), bench.good()])
    assert Status(results[0]["status"]) == Status.STUCK
    # After the table memory is empty: not a descriptor.
    assert Status(results[2]["status"]) == Status.DESCRIPTOR
    assert results[2]["finished"] == 1
    bench.check_good(results[1])
    bench.check_good(results[3])


def test_streams_too_long_do_not_reach_the_next_program(tmp_path):
    """Whether they end in a ring, in a queue, or would never have been read."""
    bench = Bench(tmp_path)
    steps = []
    for kind, name in (
        (Header, "weights_beats"),
        (Header, "taps_beats"),
        (Header, "parameters_beats"),
        (Descriptor, "load_beats"),
    ):
        beats = value_of(bench.table[0 if kind is Header else 1], kind, name)
        for more in (1, 20, 20_000):
            steps += [bench.bad(kind, {name: beats + more}), bench.good()]
    for result in bench.run(steps):
        check_common(result)
        bench.check_good(result)


@pytest.mark.parametrize("name", ["BASE_LOW", *ADDRESSES_AND_STRIDES])
def test_misaligned_addresses_are_refused(tmp_path, name):
    """Before anything is read: the memory has no such place."""
    bench = Bench(tmp_path)
    bad, good = bench.run([bench.good(**{name: OUTSIDE + 64}), bench.good()])
    assert Status(bad["status"]) == Status.ALIGNMENT
    check_interrupt(bad)
    assert bad["finished"] == 0
    bench.check_good(good)


def test_start_while_running_is_noted(tmp_path):
    bench = Bench(tmp_path)
    result = bench.run([bench.good(start_again=150)])[0]
    assert result["errors"] == 1
    bench.check_good(result)


@pytest.mark.parametrize(
    "memory",
    [MemoryModel(latency=20), MemoryModel(latency=90, stall_percent=40, seed=7)],
    ids=["quick", "stalls"],
)
def test_abort_at_any_time(tmp_path, memory):
    """The memory model ends the simulation where AXI4 is violated; the next program is right."""
    bench = Bench(tmp_path)
    times = [*range(1, 40, 3), *range(40, 2000, 97)]
    steps = [step for time in times for step in (bench.good(abort=time), bench.good())]
    results = bench.run(steps, memory=memory)
    aborted = [Status(one["status"]) for one in results[::2]]
    assert set(aborted) <= {Status.ABORTED, Status.DONE}
    assert aborted.count(Status.ABORTED) > len(times) // 2
    for one in results[::2]:
        check_interrupt(one)
        assert one["errors"] == 0
    for good in results[1::2]:
        bench.check_good(good)


@pytest.mark.parametrize(
    "memory",
    [MemoryModel(latency=20), MemoryModel(latency=90, stall_percent=20, seed=2)],
    ids=["quick", "stalls"],
)
def test_reset_at_any_time(tmp_path, memory):
    """Nothing of the program is left, and the next one is right; it takes as long as the first."""
    bench = Bench(tmp_path)
    times = [*range(1, 40, 7), *range(40, 1200, 167)]
    steps = [step for time in times for step in (bench.good(reset=time), bench.good())]
    first, *rest = bench.run([bench.good(), *steps], memory=memory)
    bench.check_good(first)
    for time, stopped, good in zip(times, rest[::2], rest[1::2], strict=True):
        assert time < first["cycles"]
        assert Status(stopped["status"]) == Status.NONE
        assert stopped["finished"] == 0
        check_common(good)
        bench.check_good(good)
        if not memory.stall_percent:
            assert good["counters"] == first["counters"]


def test_each_program_has_its_own_counters(tmp_path):
    """From the first row on, though the one before took another time."""
    bench = Bench(tmp_path)
    memory = MemoryModel(latency=20, stall_percent=30, seed=9)
    results = bench.run([bench.good() for _ in range(4)], memory=memory)
    assert len({one["cycles"] for one in results}) > 1
    position = list(COUNTERS).index("cycles")
    # What is not the descriptor's is the same: a cycle or two at the end.
    others = {one["cycles"] - one["counters"][position] for one in results}
    assert len(others) == 1, others
