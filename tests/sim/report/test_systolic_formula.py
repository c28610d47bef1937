"""SCALE-Sim's closed form gives what SCALE-Sim gave."""

from dataclasses import replace

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.report.systolic_formula import estimate_layers, scale_sim_cycles, systolic_array


def test_mobilenet_on_512_multipliers():
    """SCALE-Sim 3.0.0, 16x32: 2.56 million cycles, of which 1.54 are for depthwise layers."""
    layers = mobilenet_v2().layers
    cycles = [scale_sim_cycles(layer, 16, 32) for layer in layers]
    depthwise = [
        one for one, layer in zip(cycles, layers, strict=True) if layer.kind == "depthwise"
    ]
    assert sum(cycles) == 2_556_073
    assert sum(depthwise) == 1_543_627
    assert cycles[[layer.kind for layer in layers].index("pool")] == 0


def test_an_array_of_as_many_multipliers():
    for config in PRESETS.values():
        rows, columns = systolic_array(config)
        assert rows * columns == config.multipliers


def test_rows_of_a_report_are_sums_of_layers():
    network = mobilenet_v2()
    parts = network.rows
    estimate = estimate_layers(parts, PRESETS["base"])
    assert estimate.array == (28, 16)
    assert list(estimate.cycles) == [part.name for part in parts]
    # Two folds of 12,544 pixels, 2 * 28 rows and 16 columns.
    assert estimate.cycles["stem"] == 2 * (112 * 112 + 56 + 16 - 2) - 1
    assert estimate.cycles["block1"] == sum(
        scale_sim_cycles(layer, 28, 16) for layer in network.blocks[0].layers
    )
    assert estimate.total_cycles == sum(scale_sim_cycles(layer, 28, 16) for layer in network.layers)


def test_frames_abreast_are_taken_one_after_another():
    """By an array with as many multipliers as products a cycle: twice as many rows."""
    network = mobilenet_v2()
    config = replace(PRESETS["base"], frames=2)
    estimate = estimate_layers(network.rows, config)
    assert estimate.array == (56, 16)
    assert 56 * 16 == config.multipliers
    assert estimate.total_cycles == 2 * sum(
        scale_sim_cycles(layer, 56, 16) for layer in network.layers
    )
