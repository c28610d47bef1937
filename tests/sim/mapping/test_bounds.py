"""Networks at the limit of narrow accumulators, and one above it, are told apart."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.fixed_point import signed_range
from mnv2.golden.quantize import add_record
from mnv2.golden.quantized_layer import with_arithmetic
from mnv2.golden.synthetic import random_model
from mnv2.hw.config import PRESETS
from mnv2.sim.mapping.block_program import build_block_program
from mnv2.sim.mapping.bounds import (
    bits_needed,
    check_add,
    check_layer,
    check_network,
    sum_bounds,
)
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.mapping.packing import pack_parameters
from mnv2.sim.mapping.tiling import DoesNotFit, NotSupported
from tests.sim.rtl.machines import network_of

WIDE = replace(PRESETS["tiny"], accumulator_bits=32)
NARROW = replace(PRESETS["tiny"], accumulator_bits=20)
SINGLE = replace(WIDE, requantize="single")


@pytest.fixture(scope="module")
def model():
    network = network_of([(1, 8, 1, 1), (6, 12, 2, 2)], 17)
    return random_model(np.random.default_rng(3), network)[0]


def at_limit(layer, bits, side, beyond=0):
    """The layer with a bias with which the sums of channel 3 just fill a number of bits.

    `beyond` is added in the direction of the limit. The other channels have sums near zero.
    """
    least, largest = sum_bounds(replace(layer, bias=np.zeros_like(layer.bias)), 8)
    low, high = signed_range(bits)
    bias = -((least + largest) // 2)
    bias[3] = high - largest[3] + beyond if side == "largest" else low - least[3] - beyond
    return replace(layer, bias=bias.astype(np.int32))


@pytest.mark.parametrize("kind", ["expand", "depthwise", "project"])
def test_bounds_are_reached(model, kind):
    """Inputs that make a channel's sum least, or largest, and what golden makes of them."""
    layer = getattr(model.blocks[1], kind)
    least, largest = sum_bounds(layer, 8)
    for channel in (0, 3, 7):
        weights = layer.weights[..., channel]
        for bound, when_positive, otherwise in ((least, -128, 127), (largest, 127, -128)):
            chosen = np.where(weights > 0, when_positive, otherwise).astype(np.int8)
            if kind == "depthwise":
                image = np.zeros((3, 3, layer.input_channels), np.int8)
                image[..., channel] = chosen
                inner = replace(layer, stride=1, padding=((0, 0), (0, 0)))
                found = inner.accumulate(image)
            else:
                found = layer.accumulate(chosen[None, None])
            assert found[0, 0, channel] == bound[channel]


@pytest.mark.parametrize(
    ("least", "largest", "bits"),
    [
        (0, 0, 1),
        (-1, 0, 1),
        (-2, 1, 2),
        (-2, 2, 3),
        (-(2**19), 2**19 - 1, 20),
        (-(2**19) - 1, 0, 21),
    ],
)
def test_bits_needed(least, largest, bits):
    assert bits_needed(least, largest) == bits


@pytest.mark.parametrize("side", ["least", "largest"])
@pytest.mark.parametrize("bits", [20, 24, 28])
def test_limit(model, bits, side):
    layer = model.blocks[1].expand
    config = replace(WIDE, accumulator_bits=bits)
    check_layer(at_limit(layer, bits, side), config)
    with pytest.raises(
        DoesNotFit,
        match=rf"^block2.expand channel 3 needs {bits + 1} accumulator_bits, but the accelerator "
        rf"has {bits}$",
    ) as caught:
        check_layer(at_limit(layer, bits, side, beyond=1), config)
    assert "change it with --set" in caught.value.advice
    check_layer(at_limit(layer, bits, side, beyond=1), WIDE)


@pytest.mark.parametrize("side", ["least", "largest"])
def test_folded_bias_fits_where_sums_do(model, side):
    """It is the sum of one of the inputs: all activations at their least value."""
    layer = at_limit(model.blocks[1].expand, 20, side)
    words = pack_parameters(layer, NARROW).view("<u8")
    bias = (words & (1 << 28) - 1).astype(np.int64)
    bias -= (bias >> 27) << 28
    low, high = signed_range(20)
    assert ((low <= bias) & (bias <= high)).all()
    assert abs(bias).max() > 2**17


def test_left_shifts(model):
    layer = model.head
    shift = layer.shift.copy()
    shift[5] = -1
    left = replace(layer, shift=shift)
    check_layer(left, WIDE)
    for config in (replace(WIDE, accumulator_bits=28), SINGLE):
        with pytest.raises(
            DoesNotFit,
            match="^head channel 5 is scaled by a left shift, for which accumulator_bits must be "
            "32 and requantize double$",
        ):
            check_layer(left, config)


@pytest.mark.parametrize(
    ("count", "zero_point", "bits"), [(128, 127, 16), (129, 127, 17), (129, 0, 16), (256, 0, 16)]
)
def test_pool(model, count, zero_point, bits):
    # Of layers without weights or biases nothing is left to refuse.
    layers = {}
    for name in ("stem", "head", "classifier"):
        layer = getattr(model, name)
        layers[name] = replace(layer, weights=0 * layer.weights, bias=0 * layer.bias)
    pool = replace(model.pool, count=count, input_zero_point=zero_point)
    small = replace(model, blocks=(), pool=pool, **layers)
    config = replace(WIDE, accumulator_bits=16)
    if bits == 16:
        check_network(small, config)
    else:
        with pytest.raises(DoesNotFit, match="^pool needs 17 accumulator_bits, .* has 16$"):
            check_network(small, config)


def test_average_pool(model):
    """Its sums are lifted above zero."""
    pool = QuantizedAveragePool("pool", 49, 0.1, 0)
    check_network(replace(model, pool=pool), replace(WIDE, accumulator_bits=28))
    assert pool.sum_bias > 0


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.03), (0.03, 0.1), (0.1, 0.1), (1.0, 2.0**-9)])
@pytest.mark.parametrize("arithmetic", [Arithmetic(), Arithmetic(17, "single")])
def test_additions_of_litert_have_the_factor_one_half(a, b, arithmetic):
    record = add_record("add", a, 3, b, -2, 0.11, 0, -128, 127)
    check_add(with_arithmetic(record, arithmetic))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a_multiplier": 2**30 + 1}, "^add has no input with the factor 1/2, which LiteRT gives"),
        ({"a_shift": 1}, "^add has no input with the factor 1/2, which LiteRT gives"),
        ({"shift": -1}, "^add has a left shift, which the residual adder does not have$"),
    ],
)
def test_other_additions(changes, message):
    record = replace(add_record("add", 0.1, 3, 0.03, -2, 0.11, 0, -128, 127), **changes)
    with pytest.raises(NotSupported, match=message):
        check_add(record)


def test_programs_refuse(model):
    """Whole networks and single blocks are checked before anything is laid out."""
    config = replace(WIDE, accumulator_bits=16)
    with pytest.raises(DoesNotFit, match=r"channel \d+ needs \d\d accumulator_bits"):
        build_network_program(model, config)
    block = model.network.blocks[1]
    activation = np.zeros(block.input_shape, np.int8)
    with pytest.raises(DoesNotFit, match=r"^block2\.\w+ channel \d+ needs \d\d accumulator_bits"):
        build_block_program(block, model.blocks[1], activation, config)
    bad = replace(model.blocks[2], add=replace(model.blocks[2].add, a_shift=1, b_shift=1))
    block = model.network.blocks[2]
    with pytest.raises(NotSupported, match="^block3.add has no input with the factor 1/2"):
        build_block_program(block, bad, np.zeros(block.input_shape, np.int8), WIDE)
    changed = replace(model, blocks=(*model.blocks[:2], bad))
    with pytest.raises(NotSupported, match="^block3.add has no input with the factor 1/2"):
        build_network_program(changed, WIDE)
