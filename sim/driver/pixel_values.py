"""The model's input for each value of a pixel, so that a host needs a table and no arithmetic."""

import numpy as np

from mnv2.sim.networks.inputs import load_input
from mnv2.sim.pictures.images import crop_to
from mnv2.sim.pictures.normalization import (
    NORMALIZATIONS,
    choose_normalization,
    nearest_normalization,
)
from mnv2.sim.pictures.pixel_table import integer_table, look_up

__all__ = ["pixel_values"]


def pixel_values(model, source, normalization=None):
    """The model's input for each value of a pixel, checked with a picture.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    source : mnv2.sim.networks.inputs.InputFile
    normalization : str, optional
        See `mnv2.sim.networks.inputs.load_input`.

    Returns
    -------
    int8 [256, 3] or None
        None if the source is no picture, or if a table does not give the input that `load_input`
        gives: that of a graph which does more than to quantise it.
    """
    integer = model.integer
    if source.picture is None or integer.input_bits > 8 or model.network.input_shape[2] != 3:
        return None
    if normalization is not None:
        chosen = NORMALIZATIONS[normalization]
    elif model.family is not None:
        chosen = NORMALIZATIONS[choose_normalization(model.family.graph)]
    elif model.float_model is not None:
        chosen = model.float_model.input_normalization
    else:
        name = nearest_normalization(integer.input_scale, integer.input_zero_point)
        chosen = NORMALIZATIONS[name]
    table = integer_table(integer, chosen)
    rows, columns, _ = model.network.input_shape
    pixels = np.asarray(crop_to(source.picture, rows, columns))
    expected = load_input(model, source, normalization).integer
    return table if np.array_equal(look_up(pixels, table), expected) else None
