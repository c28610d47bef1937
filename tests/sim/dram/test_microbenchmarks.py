"""LiteDRAM's RTL next to the part's own model, burst by burst.

The figures of its controllers in `sim/memory/parts.toml` were counted so; no frame went into them.
"""

from pathlib import Path

import pytest

from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import START_CYCLE
from mnv2.sim.dram.chips import judge_clock_hz
from mnv2.sim.dram.core import make_core, memory_sources
from mnv2.sim.memory.parts import find_part
from mnv2.sim.memory.timing import timing_of
from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from tests.sim.dram.machines import needs_litedram

pytestmark = needs_litedram

ROOT = Path(__file__).parents[3]
BENCH = ROOT / "tests/sim/rtl/part_testbench.sv"
BEAT_BYTES = 16
BURST = 16 * BEAT_BYTES
#: By part: cycles to the first beat of an open row, and of a closed one at most; cycles a beat.
FIGURES = {"ddr3-800x16": (14, 20, 1), "sdr-133x16": (19, 24, 9)}
#: Rows that are read in one stream.
ROWS = 16


def draw_traffic(part, interval):
    """Reads by their start: alone in a closed and in an open row, then rows one after another."""
    stream = [(index * BURST, 16) for index in range(ROWS * part.row_bytes // BURST)]
    bench, start = [], 60
    for addresses in ([(0, 1)], [(64, 1)], stream):
        # Alone: well before the next refresh.
        if len(addresses) == 1 and start % interval > 0.8 * interval:
            start += interval // 2
        bench.append((start, addresses))
        start += 100 + sum(beats for _, beats in addresses) * 12
    return bench


@pytest.fixture(scope="module", params=list(FIGURES))
def figures(request, tmp_path_factory):
    """The part, and for each piece of the traffic the cycles of its beats, in RTL and expected."""
    part = find_part(request.param)
    timing = timing_of(part.name, judge_clock_hz(part.name, None))
    interval = timing.refresh_interval >> 16
    bench = draw_traffic(part, interval)
    folder = tmp_path_factory.mktemp("litedram")
    traffic = [(start, *burst) for start, addresses in bench for burst in addresses]
    (folder / "traffic").write_text("".join(f"0 {c} {a} {n}\n" for c, a, n in traffic))
    sources = memory_sources(make_core(part.name, 8 * BEAT_BYTES, 1 << 20))
    build = build_simulation(
        {**sources, BENCH.name: BENCH.read_text()},
        BENCH.stem,
        verilator_arguments=[f"-GDATA_BITS={8 * BEAT_BYTES}"],
    )
    run_cocotb(
        build,
        test_module="tests.sim.rtl.cocotb_part",
        work_directory=folder / "cocotb",
        plusargs=[f"+traffic={folder / 'traffic'}", f"+events={folder / 'events'}"],
    )
    beats = [
        int(cycle)
        for kind, cycle in map(str.split, (folder / "events").read_text().splitlines())
        if kind == "2"
    ]
    schedule, found = PartSchedule(timing, BEAT_BYTES), []
    for start, addresses in bench:
        expected = []
        for number, (address, length) in enumerate(addresses):
            # The accelerator asks for a burst a cycle; LiteDRAM takes some of them later.
            arrival = start + number - START_CYCLE
            expected += [
                cycle + START_CYCLE - start for cycle in schedule.read(arrival, address, length)
            ]
        here, beats = beats[: len(expected)], beats[len(expected) :]
        found.append(([cycle - start for cycle in here], expected))
    assert not beats
    return part, found


def test_the_first_beat(figures):
    part, ((closed, closed_model), (opened, opened_model), _) = figures
    first_open, first_closed, _ = FIGURES[part.name]
    assert opened == opened_model == [first_open]
    assert first_closed - 1 <= closed[0] <= first_closed
    assert abs(closed[0] - closed_model[0]) <= 1


def test_a_stream_of_rows(figures):
    part, (_, _, (cycles, model)) = figures
    _, _, rate = FIGURES[part.name]
    assert len(cycles) == ROWS * part.row_bytes // BEAT_BYTES
    gaps = [b - a for a, b in zip(cycles, cycles[1:], strict=False)]
    # Between rows and refreshes beats come at this rate.
    assert sorted(gaps)[len(gaps) // 2] == rate
    assert model[-1] == pytest.approx(cycles[-1], rel=0.005)


def test_a_refresh(figures):
    part, (_, _, (cycles, model)) = figures
    longest = [max(b - a for a, b in zip(one, one[1:], strict=False)) for one in (cycles, model)]
    assert abs(longest[0] - longest[1]) <= 3
