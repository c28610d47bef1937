"""Bounds of a network's sums and factors: what proves that the accelerator computes it exactly.

Accumulators count modulo ``2**accumulator_bits``, so a sum is exact if it fits at its end, with its
bias; how it came about does not matter.
"""

import numpy as np

from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantized_layer import QuantizedAdd, QuantizedLayer
from mnv2.hw.config import ACCUMULATOR_BITS, AcceleratorConfig
from mnv2.sim.mapping.pool_input_integers import quantized_pool_feed
from mnv2.sim.mapping.tiling import DoesNotFit, NotSupported

__all__ = ["bits_needed", "check_add", "check_layer", "check_network", "sum_bounds"]

#: Multiplier and shift of the factor 1/2, with which the residual adder multiplies nothing.
_HALF = (2**30, 0)


def sum_bounds(layer: QuantizedLayer, activation_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest sum of each output channel, whatever the input is.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    activation_bits : int
        Width of the layer's inputs; padding is within their range.

    Returns
    -------
    (int64 [Cout], int64 [Cout])
        Of ``sum((x - z) * w) + bias``: each weight meets the end of the range that makes its
        product smallest, or largest.
    """
    weights = layer.weights.astype(np.int64)
    axes = tuple(range(weights.ndim - 1))
    positive = np.maximum(weights, 0).sum(axis=axes)
    negative = np.minimum(weights, 0).sum(axis=axes)
    least = -(2 ** (activation_bits - 1)) - layer.input_zero_point
    largest = 2 ** (activation_bits - 1) - 1 - layer.input_zero_point
    bias = layer.bias.astype(np.int64)
    return (
        bias + positive * least + negative * largest,
        bias + positive * largest + negative * least,
    )


def bits_needed(least: int, largest: int) -> int:
    """Bits of a signed integer that holds both."""
    return 1 + max(int(value ^ (value >> 63)).bit_length() for value in (least, largest))


def check_layer(layer: QuantizedLayer, config: AcceleratorConfig) -> None:
    """Refuse a layer whose sums may not fit the accelerator's accumulators, or that shifts left.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    DoesNotFit
        Naming the layer, the channel, the bits that it needs and those that there are. Sums of 32
        bits wrap as LiteRT's do.
    """
    if config.accumulator_bits != ACCUMULATOR_BITS:
        least, largest = sum_bounds(layer, config.activation_bits)
        widest = int(np.argmax(np.maximum(largest, -1 - least)))
        _check_bits(
            f"{layer.name} channel {widest}", int(least[widest]), int(largest[widest]), config
        )
    left = int(np.argmin(layer.shift))
    _check_shift(f"{layer.name} channel {left}", int(layer.shift[left]), config)


def check_add(add: QuantizedAdd) -> None:
    """Refuse a residual addition with factors that LiteRT does not give it.

    Parameters
    ----------
    add : mnv2.golden.quantized_layer.QuantizedAdd

    Raises
    ------
    NotSupported
        If neither input has the factor 1/2, or a shift is to the left.
    """
    factors = ((add.a_multiplier, add.a_shift), (add.b_multiplier, add.b_shift))
    if _HALF not in factors:
        raise NotSupported(
            f"{add.name} has no input with the factor 1/2, which LiteRT gives to that of the "
            "larger scale"
        )
    if min(add.a_shift, add.b_shift, add.shift) < 0:
        raise NotSupported(f"{add.name} has a left shift, which the residual adder does not have")


def check_network(model: QuantizedModel, config: AcceleratorConfig) -> None:
    """Refuse a network of which a layer, an addition or the pool does not suit the accelerator.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    DoesNotFit
        As `check_layer` and `check_add`.
    """
    for layer in model.layers:
        check_layer(layer, config)
    check_layer(quantized_pool_feed(model), config)
    for block in model.blocks:
        if block.add is not None:
            check_add(block.add)
    pool = model.pool
    half = 2 ** (config.activation_bits - 1)
    least, largest = -half * pool.count, (half - 1) * pool.count
    _check_bits(pool.name, least + pool.sum_bias, largest + pool.sum_bias, config)
    _check_shift(pool.name, int(pool.shift), config)


def _check_bits(where: str, least: int, largest: int, config: AcceleratorConfig) -> None:
    needed = bits_needed(least, largest)
    if needed > config.accumulator_bits:
        raise DoesNotFit(
            f"{where} needs {needed} accumulator_bits, but the accelerator has "
            f"{config.accumulator_bits}"
        )


def _check_shift(where: str, shift: int, config: AcceleratorConfig) -> None:
    shifts_left = config.accumulator_bits == ACCUMULATOR_BITS and config.requantize == "double"
    if shift < 0 and not shifts_left:
        raise DoesNotFit(
            f"{where} is scaled by a left shift, for which accumulator_bits must be "
            f"{ACCUMULATOR_BITS} and requantize double"
        )
