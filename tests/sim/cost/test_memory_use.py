"""Use of a memory's effective bandwidth, by bottleneck."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.devices import load_devices
from mnv2.sim.cost.memory_use import memory_use
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.memory.parts import find_part


def test_rows_and_frame():
    config, part = PRESETS["small"], find_part("ddr3-800x16")
    network = mobilenet_v2(0.35, 96)
    layers = predict_network(network, config, part=part.name, part_clock_hz=150e6)
    use = memory_use(layers, config, part, 150e6)
    assert [row.name for row in use.rows] == [layer.name for layer in layers]
    for row, layer in zip(use.rows, layers, strict=True):
        assert row.needed == pytest.approx(layer.dram_bytes / layer.cycles * 150e6)
        assert row.effective < part.peak
    moved = sum(layer.dram_bytes for layer in layers)
    seconds = sum(layer.cycles for layer in layers) / 150e6
    assert use.frame.needed == pytest.approx(moved / seconds)
    assert use.frame.share == use.frame.needed / use.frame.effective
    # The array is quicker: the frame takes all that the part gives, which the cycle model knows.
    assert use.frame.share == pytest.approx(1, abs=0.02)


def test_the_parts_of_devices_are_as_fast_as_their_boards():
    for device in load_devices().values():
        if device.part:
            peak = find_part(device.part).peak
            # Of one interface, or of one of several.
            assert device.bandwidth / peak == pytest.approx(
                round(device.bandwidth / peak), rel=0.01
            )
