"""Effective bandwidth: between what rows, turns and refresh leave, and the peak."""

from dataclasses import replace

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.memory.effective import effective_bandwidth
from mnv2.sim.memory.parts import find_part, load_parts

BASE = PRESETS["base"]
WEIGHTS = {"weights": 1}


def test_never_above_the_peak_or_the_port():
    for part in load_parts().values():
        for config in PRESETS.values():
            for written in (0, 1):
                given = effective_bandwidth(part, 200e6, config, WEIGHTS, written)
                assert 0 < given < part.data_rate(200e6)
                assert given <= (1 + written) * config.data_bytes * 200e6


def test_a_stream_alone_gets_the_peak_less_rows_and_refresh():
    part = replace(find_part("ddr3-800x16"), lookahead=True)
    refresh = (part.refresh_ns + part.resting_ns) / part.refresh_interval_ns
    given = effective_bandwidth(part, 200e6, BASE, WEIGHTS)
    # Rows of other banks are opened meanwhile; the way there and back is seen once.
    assert given == pytest.approx(part.peak * (1 - refresh), rel=0.01)
    # LiteDRAM's RTL, counted: 8,192 beats of 16 bytes take 9,163 cycles of 10 ns. Its refresh took
    # 32 of them, the 128 clocks of its chip MT41K128M16 at the grade that it takes by default.
    part = replace(find_part("ddr3-800x16"), refresh_ns=320)
    given = effective_bandwidth(part, 100e6, BASE, WEIGHTS)
    assert given == pytest.approx(8192 * 16 / 9163e-8, rel=0.005)


def test_what_lowers_it():
    part = find_part("ddr3-1600x16")
    alone = effective_bandwidth(part, 200e6, BASE, WEIGHTS)
    mixed = effective_bandwidth(part, 200e6, BASE, {"weights": 1, "activations": 1})
    turning = effective_bandwidth(part, 200e6, BASE, WEIGHTS, 1)
    assert turning < mixed < alone
    short = effective_bandwidth(
        part, 200e6, replace(BASE, burst_beats=4), {"weights": 1, "activations": 1}
    )
    assert short < mixed
    # Too few bursts under way to cover the latency.
    few = replace(BASE, burst_beats=4, outstanding=2)
    assert effective_bandwidth(part, 200e6, few, WEIGHTS) < 0.6 * alone


def test_a_rare_stream_is_not_forgotten():
    part = find_part("ddr3-1600x16")
    alone = effective_bandwidth(part, 200e6, BASE, {"weights": 10**9})
    rare = effective_bandwidth(part, 200e6, BASE, {"weights": 10**9, "taps": 1})
    assert 0.95 * alone < rare < alone


def test_no_traffic_counts_as_reading():
    part = find_part("ddr3-1600x16")
    assert effective_bandwidth(part, 200e6, BASE, {}) == effective_bandwidth(
        part, 200e6, BASE, WEIGHTS
    )
