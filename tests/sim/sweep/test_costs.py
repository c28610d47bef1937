"""Costs of formats against the report's own limits and by hand."""

from math import prod

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.golden.quantize import (
    QuantizationOptions,
    expanded_maps,
    first_and_last,
    weights_by_size,
)
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


def test_window_is_of_the_maps_inside_blocks(network):
    """Three rows of the widest: 112 columns of block 2's 96 channels, at their own bits."""
    assert format_cost(network, QuantizationOptions(8, 8)).window_bytes == 3 * 112 * 96
    narrow = format_cost(network, QuantizationOptions(8, 8, expanded_maps(network, 6)))
    assert narrow.window_bytes == 3 * 112 * 96 * 6 // 8
    assert narrow.map_bytes == format_cost(network, QuantizationOptions(8, 8)).map_bytes
    assert narrow.product_bits == 64


def test_memory_that_is_shared_out_is_that_of_as_many_bits(network):
    shared = format_cost(network, QuantizationOptions(4, 8, weights_by_size(network, 4)))
    even = format_cost(network, QuantizationOptions(4, 8))
    assert 0 <= even.weight_bytes - shared.weight_bytes < 0.001 * even.weight_bytes
    assert shared.product_bits == 64
