"""The memory model in RTL serves bursts when `mnv2.sim.cycles.port.part` says, to the cycle.

Faults are planted in its text, one simulation holds them all, and each is seen.
"""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import START_CYCLE
from mnv2.sim.errors import SimulationError
from mnv2.sim.memory.parts import load_parts
from mnv2.sim.memory.timing import timing_of
from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb

ROOT = Path(__file__).parents[3]
BENCH = ROOT / "tests/sim/rtl/part_testbench.sv"

#: Clocks of the accelerator: a beat takes less, or much more, than an access of the part.
CLOCKS_HZ = (31.7e6, 200e6, 1.1e9)

#: Text of the memory model, and what takes its place; FAULT is true where the fault is on.
FAULTS = {
    "refresh a cycle late": (
        "refresh_due = refresh_due + part_refresh_interval;",
        "refresh_due = refresh_due + part_refresh_interval + (FAULT ? TICKS : 0);",
    ),
    "refresh a cycle short": (
        "bus_end     = bus_end + part_refresh;",
        "bus_end     = bus_end + part_refresh - (FAULT ? TICKS : 0);",
    ),
    "refresh closes no row": (
        "row_open[b] = 0;\n                            bank",
        "if (!FAULT) row_open[b] = 0;\nbank",
    ),
    "row miss not counted": (
        "ask = ask + part_activate;",
        "if (!FAULT) ask = ask + part_activate;",
    ),
    "closing not counted": ("if (row_open[bank]) ask", "if (!FAULT && row_open[bank]) ask"),
    "turn to writing dropped": (
        "if (writes && !bus_writes)",
        "if (!FAULT && writes && !bus_writes)",
    ),
    "turn to reading dropped": (
        "if (!writes && bus_writes)",
        "if (!FAULT && !writes && bus_writes)",
    ),
    "recovery dropped": ("(writes ? part_recovery : 0)", "(writes && !FAULT ? part_recovery : 0)"),
    "banks busy as long as the bus": (
        "if (bank_end[bank] > ask) ask = bank_end[bank];",
        "if ((FAULT ? bus_end : bank_end[bank]) > ask) ask = FAULT ? bus_end : bank_end[bank];",
    ),
    "lookahead where there is none": (
        "bank != bus_bank && bus_end",
        "!FAULT && bank != bus_bank && bus_end",
    ),
    "bursts cut at no row": (
        "if (address / part_row_bytes != row) begin",
        "if (FAULT ? row < 0 : address / part_row_bytes != row) begin",
    ),
    "the port never rests": ("* part_beat_rest;", "* (FAULT ? 0 : part_beat_rest);"),
    "the port not ahead": ("start - part_ahead > port", "start - (FAULT ? 0 : part_ahead) > port"),
    "a cycle early": (">>> TICK_BITS) - 1;", ">>> TICK_BITS) - 1 - longint'(FAULT);"),
}


def planted(text):
    """The memory model with every fault, each turned on by its number, +part_fault."""
    for number, (right, wrong) in enumerate(FAULTS.values(), start=1):
        assert text.count(right) == 1, right
        text = text.replace(right, wrong.replace("FAULT", f"(fault == {number})"))
    switch = '    int fault = 0;\n    initial void\'($value$plusargs("part_fault=%d", fault));\n'
    place = text.index("    string           image_name")
    return text[:place] + switch + text[place:]


@pytest.fixture(scope="module")
def bench():
    """The build of a width, and the bytes of its beats."""
    text = (ROOT / "sim/rtl/axi_memory.sv").read_text()

    def bench(data_bits):
        build = build_simulation(
            {"axi_memory.sv": planted(text), BENCH.name: BENCH.read_text()},
            "part_testbench",
            verilator_arguments=[f"-GDATA_BITS={data_bits}"],
        )
        return build, data_bits // 8

    return bench


def draw_traffic(seed, beat_bytes, count=220):
    """Bursts of both kinds, in streams and at random places, dense and sparse."""
    rng = random.Random(seed)
    traffic = []
    for kind in (0, 1):
        cycle, place = rng.randrange(40), rng.randrange(256)
        for _ in range(count if kind == 0 else count // 3):
            beats = rng.choice([1, 2, 3, 8, 16, 16, 16])
            beats = min(beats, 4096 // beat_bytes)
            if rng.random() < 0.4:
                place = rng.randrange(256)
            # Anywhere in a page, so that rows are crossed.
            offset = rng.choice([0, 0, rng.randrange(4096 // beat_bytes - beats + 1)])
            traffic.append((kind, cycle, place * 4096 + offset * beat_bytes, beats))
            cycle += rng.choice([0, 0, 0, 5, 40, 900])
    return traffic


def expected_events(traffic, events, timing, beat_bytes):
    """Cycles of beats and answers, by the schedule, from the arrivals that the RTL saw."""
    schedule = PartSchedule(timing, beat_bytes)
    bursts = [[burst for burst in traffic if burst[0] == kind] for kind in (0, 1)]
    # A read comes first where both arrive in a cycle.
    arrivals = sorted((cycle, kind) for kind, cycle in events if kind < 2)
    beats, answers = [], []
    for cycle, kind in arrivals:
        _, _, address, length = bursts[kind].pop(0)
        if kind == 0:
            beats += schedule.read(cycle - START_CYCLE, address, length)
        else:
            answers.append(schedule.write(cycle - START_CYCLE, address, length))
    return [cycle + START_CYCLE for cycle in beats], [cycle + START_CYCLE for cycle in answers]


def run(bench, folder, timing, seed, fault=0):
    """Whether the RTL did what the schedule says, and what it did."""
    build, beat_bytes = bench
    traffic = draw_traffic(seed, beat_bytes)
    (folder / "traffic").write_text("".join(f"{k} {c} {a} {n}\n" for k, c, a, n in traffic))
    run_cocotb(
        build,
        test_module="tests.sim.rtl.cocotb_part",
        work_directory=folder / "cocotb",
        plusargs=[
            f"+traffic={folder / 'traffic'}",
            f"+events={folder / 'events'}",
            f"+part_fault={fault}",
            *timing.plusargs(),
        ],
    )
    events = [
        tuple(map(int, line.split())) for line in (folder / "events").read_text().splitlines()
    ]
    beats, answers = expected_events(traffic, events, timing, beat_bytes)
    assert len(beats) > 1000 or beat_bytes > 8
    return [cycle for kind, cycle in events if kind == 2] == beats and [
        cycle for kind, cycle in events if kind == 3
    ] == answers


@pytest.mark.parametrize("data_bits", [64, 512])
def test_every_part_equals_the_schedule(bench, tmp_path, data_bits):
    for number, name in enumerate(load_parts()):
        clock_hz = CLOCKS_HZ[(number + data_bits) % len(CLOCKS_HZ)]
        folder = tmp_path / name
        folder.mkdir()
        assert run(bench(data_bits), folder, timing_of(name, clock_hz), number), name


def with_rests(timing):
    """The same part, taken apart by a port that rests for half a beat after each beat."""
    return replace(timing, beat_rest=timing.access // 4, ahead=3 * timing.access)


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_planted_fault_is_seen(bench, tmp_path, name):
    # Where rows are opened while data are moved, but for the fault in waiting for them.
    timing = replace(timing_of("ddr3-1600x16", 400e6), lookahead=int("lookahead" not in name))
    if "port" in name:
        timing = with_rests(timing)
    assert not run(bench(64), tmp_path, timing, 1, 1 + list(FAULTS).index(name))


@pytest.mark.parametrize("lookahead", [0, 1])
@pytest.mark.parametrize("rests", [False, True])
def test_no_fault_is_on_by_itself(bench, tmp_path, lookahead, rests):
    timing = replace(timing_of("ddr3-1600x16", 400e6), lookahead=lookahead)
    assert run(bench(64), tmp_path, with_rests(timing) if rests else timing, 1)


def test_a_part_with_too_many_banks_is_refused(bench, tmp_path):
    timing = replace(timing_of("ddr3-1600x16", 400e6), banks=65)
    with pytest.raises(SimulationError, match="part_banks must be 1 to 64, not 65"):
        run(bench(64), tmp_path, timing, 1)
