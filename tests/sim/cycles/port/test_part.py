"""A part's schedule, rule by rule, with times that are easy to add."""

from dataclasses import replace

import pytest

from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import START_CYCLE
from mnv2.sim.memory.timing import TICKS, PartTiming

#: In cycles: a beat of 16 bytes is an access, and takes one.
CYCLES = PartTiming(
    request=3,
    response=5,
    access=1,
    access_bytes=16,
    column=4,
    activate=6,
    precharge=7,
    recovery=9,
    read_to_write=2,
    write_to_read=10,
    refresh_interval=100_000,
    refresh=50,
    row_bytes=1024,
    banks=4,
    lookahead=1,
)
OPEN = 3 + 4 + 1 + 5  # an access of an open row: there, column, moved, back
ROW, BANKS = CYCLES.row_bytes, CYCLES.banks


def schedule(**changes):
    sizes = ("access_bytes", "row_bytes", "banks", "lookahead")
    timing = replace(CYCLES, **changes)
    ticks = {
        name: value if name in sizes else int(value * TICKS) for name, value in vars(timing).items()
    }
    return PartSchedule(PartTiming(**ticks), 16)


def test_closed_row_then_open_row_then_another_row():
    part = schedule()
    assert part.read(100, 0, 1) == [100 + OPEN + 6]
    assert part.read(200, 512, 1) == [200 + OPEN]
    # Another row of the same bank; a row of another bank.
    assert part.read(300, BANKS * ROW, 1) == [300 + OPEN + 7 + 6]
    assert part.read(400, ROW, 1) == [400 + OPEN + 6]
    assert part.read(500, BANKS * ROW + 16, 1) == [500 + OPEN]


def test_beats_follow_one_another():
    first = 100 + OPEN + 6
    assert schedule().read(100, 0, 16) == list(range(first, first + 16))
    slow = schedule(access=2.5).read(100, 0, 4)
    assert [beat - slow[0] for beat in slow] == [0, 2, 5, 7]
    # Faster than the port, which takes one a cycle.
    assert schedule(access=0.25).read(100, 0, 3) == [100 + 19, 100 + 20, 100 + 21]


def test_whole_accesses_are_moved():
    part = schedule(access_bytes=64, access=4)
    # The third beat of an access comes after the two before it.
    assert part.read(100, 32, 1) == [100 + OPEN + 6 + 2]
    # And the bus moves its rest before another burst.
    assert part.read(100, 64, 1) == [100 + OPEN + 6 + 4]


def test_banks_are_opened_while_data_are_moved():
    part = schedule()
    end = part.read(100, 0, 16)[-1]
    assert part.read(100, ROW, 1) == [end + 1]
    # But not the same bank, and not without lookahead.
    assert part.read(100, (BANKS + 1) * ROW, 1) == [end + 1 + 7 + 6 + 4 + 1]
    part = schedule(lookahead=0)
    end = part.read(100, 0, 16)[-1]
    assert part.read(100, ROW, 1) == [end + 6 + 4 + 1]
    # The open row of a bank before: asked for once the bus is done.
    assert part.read(100, 32, 1) == [end + 6 + 4 + 1 + 4 + 1]


def test_a_burst_is_cut_where_it_crosses_a_row():
    beats = schedule(lookahead=0).read(100, ROW - 32, 4)
    assert [beat - beats[0] for beat in beats] == [0, 1, 1 + 6 + 4 + 1, 1 + 6 + 4 + 2]


def test_the_bus_rests_where_its_direction_changes():
    part = schedule()
    moved = part.read(100, 0, 1)[0] - 5
    # Written at once after it: 2 cycles of rest, then an access, then back.
    assert part.write(100, 16, 1) == moved + 2 + 1 + 5
    assert part.read(100, 32, 1) == [moved + 2 + 1 + 10 + 1 + 5]
    # Long after, only the way counts.
    assert part.write(300, 16, 1) == 300 + OPEN


def test_a_row_that_was_written_recovers_before_it_is_closed():
    part = schedule(write_to_read=0)
    moved = part.write(100, 0, 1) - 5
    assert part.read(100, BANKS * ROW, 1) == [moved + 9 + 7 + 6 + 4 + 1 + 5]


def test_refresh_waits_for_a_piece_and_closes_rows():
    due = 1000 - START_CYCLE
    part = schedule(refresh_interval=1000)
    part.read(due - 200, 0, 1)
    # Begins in time: 16 beats are moved, then the refresh begins.
    early = part.read(due - 8, 0, 16)
    assert early[0] == due - 8 + OPEN
    # Waits, and finds its row closed.
    refreshed = early[-1] - 5 + 50
    assert part.read(due - 8, 256, 1) == [refreshed + 6 + 4 + 1 + 5]
    # While the part rests, refreshes are done when they are due.
    assert part.read(due + 2100, 256, 1) == [due + 2100 + OPEN + 6]


def test_a_piece_begins_before_a_refresh_or_after_it():
    due = 1000 - START_CYCLE
    for early in range(20):
        part = schedule(refresh_interval=1000)
        begin = part.read(due - early, 0, 1)[0] - 5 - 1
        assert begin == due - early + 3 + 6 + 4 if early > 13 else begin == due + 50 + 6 + 4


@pytest.mark.parametrize("cycle", [5, 6])
def test_no_beat_and_no_answer_comes_before_the_second_cycle(cycle):
    fast = schedule(request=0, response=0, column=0, activate=0, access=0.01, read_to_write=0)
    assert fast.read(cycle, 0, 2) == [cycle + 2, cycle + 3]
    assert fast.write(cycle, 0, 1) == cycle + 2
    assert fast.write(cycle, 0, 1) == cycle + 3  # one a cycle
