"""A network's inputs by the value of a pixel: 256 numbers for each channel stand for all pixels.

Normalisation and quantisation look at one value at a time, so a table of their results replaces
them, exactly.
"""

import numpy as np

from mnv2.golden.quantize import quantize_image
from mnv2.sim.pictures.images import normalize

__all__ = ["float_table", "integer_table", "look_up"]


def float_table(normalization):
    """float32 [256, 3]: the normalised value of each pixel's value, by channel.

    Parameters
    ----------
    normalization : mnv2.golden.float_model.InputNormalization
    """
    values = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    return normalize(values, normalization)[:, 0]


def integer_table(model, normalization):
    """int8 (int16 beyond 8 input bits) [256, 3]: a model's input for each pixel's value.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    normalization : mnv2.golden.float_model.InputNormalization
    """
    return quantize_image(float_table(normalization)[:, None], model)[:, 0]


def look_up(pixels, table):
    """The inputs [N, H, W, 3] of pixels uint8, by a table [256, 3]."""
    return table[pixels, np.arange(3)]
