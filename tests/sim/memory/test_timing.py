"""Times of a part in an accelerator's cycles."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.memory.parts import find_part, load_parts
from mnv2.sim.memory.timing import TICKS, part_timing, shared_bytes_per_cycle, timing_of


def test_times_are_those_of_the_table_in_cycles():
    timing = timing_of("ddr3-1600x16", 200e6)
    assert timing.access == TICKS  # 16 bytes at 3.2 GB/s: 5 ns
    assert timing.column == 2.75 * TICKS
    assert timing.refresh_interval == 1562.5 * TICKS
    assert timing.write_to_read == round((7.5 + 13.75) / 5 * TICKS)
    assert timing.read_to_write == TICKS / 2


@pytest.mark.parametrize("clock_hz", [20e6, 123.456e6, 1e9])
def test_times_are_proportional_to_the_clock(clock_hz):
    for name in load_parts():
        one, two = timing_of(name, clock_hz), timing_of(name, 2 * clock_hz)
        for field in ("column", "activate", "precharge", "refresh", "refresh_interval", "request"):
            assert abs(2 * getattr(one, field) - getattr(two, field)) <= 1
        assert one.row_bytes == two.row_bytes


def test_a_clock_at_which_it_would_refresh_all_the_time_is_refused():
    with pytest.raises(UserError, match="must be 4.1 MHz or more for the memory lpddr4-2133x32"):
        timing_of("lpddr4-2133x32", 4e6)
    assert timing_of("lpddr4-2133x32", 4.2e6).access > 0


def test_every_time_is_an_argument_of_the_rtl():
    timing = timing_of("sdr-133x16", 100e6)
    plusargs = dict(one[1:].split("=") for one in timing.plusargs())
    assert plusargs["part_banks"] == "4"
    assert plusargs["part_access"] == str(timing.access)
    assert all(value.isdigit() for value in plusargs.values())


def test_bytes_a_cycle():
    assert shared_bytes_per_cycle(5, "", 0) == 5
    assert shared_bytes_per_cycle(0, "ddr3-800x16", 200e6) == 8
    assert shared_bytes_per_cycle(0, "ddr3-800x16", 150e6) == 11  # 10.67


def test_unloaded_latency_is_the_sum_of_its_parts():
    part = find_part("ddr3-800x16")
    timing = part_timing(part, 100e6)
    nanoseconds = part.request_ns + part.activate_ns + part.opening_ns + part.column_ns
    nanoseconds += part.response_ns
    assert timing.unloaded_cycles == -(-nanoseconds // 10)
