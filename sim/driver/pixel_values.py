"""The model's input for each value of a pixel, so that a host needs a table and no arithmetic."""

import numpy as np

from mnv2.sim.networks.input_files import resize_picture
from mnv2.sim.networks.inputs import choose_input_normalization, load_input
from mnv2.sim.pictures.pixel_table import integer_table, look_up

__all__ = ["pixel_values"]


def pixel_values(model, source, normalization=None):
    """The model's input for each value of a pixel, checked with a picture.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    source : mnv2.sim.networks.input_files.InputFile
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
    table = integer_table(integer, choose_input_normalization(model, normalization))
    rows, columns, _ = model.network.input_shape
    pixels = resize_picture(source, model.resizing, rows, columns)
    expected = load_input(model, source, normalization).integer
    return table if np.array_equal(look_up(pixels, table), expected) else None
