"""Bounds of the sums of a network: what proves that narrow accumulators are exact.

Accumulators count modulo ``2**accumulator_bits``, so a sum is exact if it fits at its end, with its
bias; how it came about does not matter.
"""

import numpy as np

from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantized_layer import QuantizedLayer
from mnv2.hw.config import ACCUMULATOR_BITS, AcceleratorConfig
from mnv2.sim.mapping.tiling import DoesNotFit

__all__ = ["bits_needed", "check_layer", "check_network", "sum_bounds"]


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
    """Refuse a layer whose sums may not fit the accelerator's accumulators.

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
    if config.accumulator_bits == ACCUMULATOR_BITS:
        return
    least, largest = sum_bounds(layer, config.activation_bits)
    widest = int(np.argmax(np.maximum(largest, -1 - least)))
    _check_bits(f"{layer.name} channel {widest}", int(least[widest]), int(largest[widest]), config)
    left = int(np.argmin(layer.shift))
    _check_shift(f"{layer.name} channel {left}", int(layer.shift[left]))


def check_network(model: QuantizedModel, config: AcceleratorConfig) -> None:
    """Refuse a network of which a layer, or the pool, may not fit the accumulators.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    DoesNotFit
        As `check_layer`.
    """
    if config.accumulator_bits == ACCUMULATOR_BITS:
        return
    for layer in model.layers:
        check_layer(layer, config)
    pool = model.pool
    half = 2 ** (config.activation_bits - 1)
    least, largest = -half * pool.count, (half - 1) * pool.count
    _check_bits(pool.name, least + pool.sum_bias, largest + pool.sum_bias, config)
    _check_shift(pool.name, int(pool.shift))


def _check_bits(where: str, least: int, largest: int, config: AcceleratorConfig) -> None:
    needed = bits_needed(least, largest)
    if needed > config.accumulator_bits:
        raise DoesNotFit(
            f"{where} needs {needed} accumulator_bits, but the accelerator has "
            f"{config.accumulator_bits}"
        )


def _check_shift(where: str, shift: int) -> None:
    if shift < 0:
        raise DoesNotFit(
            f"{where} is scaled by a left shift, for which accumulator_bits must be "
            f"{ACCUMULATOR_BITS}"
        )
