"""What goes into a network: a picture, or an array of the model's own, ready for each of its forms.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.fixed_point import dequantize
from golden.graph.records import Tensor
from golden.quantize import quantize_image
from sim.errors import UserError
from sim.graphs import (
    NORMALIZATIONS,
    is_npy,
    load_graph_inputs,
    load_npy,
    nearest_normalization,
)
from sim.images import crop_to, load_image, normalize

__all__ = ["ModelInput", "check_picture", "load_model_input"]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One input of a network.

    Attributes
    ----------
    integer : int8 [H, W, 3]
        As the integer network takes it.
    real : float32 [H, W, 3]
        As a float network takes it: normalised.
    """

    integer: np.ndarray
    real: np.ndarray


def check_picture(path):
    """UserError if a file is a picture that cannot be read; arrays are looked at later."""
    if not is_npy(Path(path)):
        load_image(path)


def load_model_input(model, path, normalization=None):
    """The input of a network from a file.

    Parameters
    ----------
    model : sim.models.RunnableModel
    path : path
        A picture, which is resized, cropped and normalised; or an .npy of [1, H, W, 3]: of the type
        of the graph's input, if the model came as a graph; else int8 as the integer network takes
        it, or float32, normalised.
    normalization : str, optional
        A name of `sim.graphs.NORMALIZATIONS`, for a picture; by default the float network's, or
        that whose range is nearest to the model's input scale.

    Returns
    -------
    ModelInput

    Raises
    ------
    UserError
        If the file cannot be read or does not fit the model.
    """
    integer = model.integer
    if model.family is not None:
        (value,) = load_graph_inputs(model.family.graph, [path], normalization)
        for operator in model.family.before:
            value = model.family.graph.kernels[operator.index].run(value)
        value = value.reshape(integer.network.input_shape)
    elif is_npy(Path(path)):
        value = _load_array(integer, Path(path))
    else:
        value = _load_picture(model, path, normalization)
    if value.dtype == np.float32:
        return ModelInput(quantize_image(value, integer), value)
    return ModelInput(value, dequantize(value, integer.input_scale, integer.input_zero_point))


def _load_array(integer, path):
    """int8 or float32 [H, W, 3] of an .npy."""
    shape = (1, *integer.network.input_shape)
    real = Tensor(0, "input", shape, "float32")
    try:
        return load_npy(path, real)[0]
    except UserError:
        kind = "int8" if integer.input_bits <= 8 else "int16"
        return load_npy(path, Tensor(0, "input", shape, kind))[0]


def _load_picture(model, path, normalization):
    """Normalised float32 [H, W, 3] of a picture."""
    rows, columns, channels = model.network.input_shape
    if channels != 3:
        raise UserError(f"The input {path} must be an .npy of [1, {rows}, {columns}, {channels}]: "
                        "only a model of 3 channels takes a picture")
    if normalization is not None:
        chosen = NORMALIZATIONS[normalization]
    elif model.float_model is not None:
        chosen = model.float_model.input_normalization
    else:
        chosen = NORMALIZATIONS[nearest_normalization(model.integer.input_scale,
                                                      model.integer.input_zero_point)]
    return normalize(crop_to(load_image(path), rows, columns), chosen)
