"""Costs of formats against the report's own limits and by hand."""

from math import prod

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.golden.quantize import QuantizationOptions, first_and_last
from mnv2.sim.report.limits import frame_limits, parameter_bytes
from mnv2.sim.sweep.costs import format_cost


@pytest.fixture(scope="module")
def network():
    return mobilenet_v2()


def test_eight_bits_cost_what_the_report_says(network):
    cost = format_cost(network, QuantizationOptions())
    assert cost.weight_bytes == network.weight_bytes() == 3_469_760
    assert cost.dram_bytes == frame_limits(network).floor_bytes
    assert cost.product_bits == 64
    assert cost.map_bytes == max(prod(b.input_shape) + prod(b.output_shape) for b in network.blocks)


def test_fewer_bits(network):
    cost = format_cost(network, QuantizationOptions(4, 6))
    assert cost.weight_bytes == 3_469_760 // 2
    assert cost.product_bits == 24
    assert (
        cost.dram_bytes
        == cost.weight_bytes + parameter_bytes(network) + (224 * 224 * 3 + 1000) * 6 // 8
    )


def test_first_and_last_layer_keep_their_bits(network):
    cost = format_cost(network, QuantizationOptions(4, 6, overrides=first_and_last(8)))
    more = (network.stem.weight_count + network.classifier.weight_count) // 2
    assert cost.weight_bytes == 3_469_760 // 2 + more
    assert cost.product_bits == 64


def test_multiplier_takes_what_comes_in(network):
    """The widest is that of the layer after the one with wide outputs."""
    options = QuantizationOptions(
        4,
        6,
        overrides={
            "block5.expand": (None, 16),
            "block5.depthwise": (5, None),
            "block6.depthwise": (8, None),
        },
    )
    assert format_cost(network, options).product_bits == 5 * 16
