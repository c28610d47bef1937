"""Integers of the layer that feeds the pool of a network without a head.

Its weights are one power of two on the diagonal, and its multiplier the same power below one: every
value passes unchanged, with both roundings.
"""

from dataclasses import replace

import numpy as np

from mnv2.golden.fixed_point import quantize_multipliers, signed_range
from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantized_layer import QuantizedLayer

__all__ = ["quantized_pool_feed"]


def quantized_pool_feed(model: QuantizedModel) -> QuantizedLayer:
    """The integers of `mnv2.sim.mapping.pool_input.pool_feed`.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel

    Returns
    -------
    mnv2.golden.quantized_layer.QuantizedLayer
        Its weights have the bits of the last block's.
    """
    if model.head is not None:
        return model.head
    layer, source = model.blocks[-1].project, model.blocks[-1].output
    channels, power = layer.output_channels, layer.weight_bits - 2
    multiplier, shift = quantize_multipliers(np.full(channels, 2.0**-power))
    minimum, maximum = signed_range(source.activation_bits)
    return replace(
        layer,
        name=model.pool.name,
        kind="head",
        weights=(np.eye(channels, dtype=np.int8) << power).astype(np.int8),
        bias=np.zeros(channels, np.int32),
        multiplier=multiplier,
        shift=shift,
        input_scale=source.output_scale,
        input_zero_point=source.output_zero_point,
        weight_scales=np.full(channels, 2.0**-power, np.float32),
        output_scale=source.output_scale,
        output_zero_point=source.output_zero_point,
        minimum=minimum,
        maximum=maximum,
        activation_bits=source.activation_bits,
    )
