"""The input of a network: a picture, or an array of the model's own type."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.fixed_point import dequantize
from mnv2.golden.graph.schema import Tensor
from mnv2.golden.quantize import quantize_image
from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.networks.graph_inputs import graph_value, load_graph_inputs
from mnv2.sim.networks.input_files import is_npy, load_npy, path_of, resize_picture
from mnv2.sim.pictures.images import normalize
from mnv2.sim.pictures.normalization import (
    NORMALIZATIONS,
    choose_normalization,
    nearest_normalization,
)
from mnv2.sim.pictures.photographs import find_picture
from mnv2.sim.pictures.resizing import pixel_words

__all__ = [
    "ModelInput",
    "choose_input_normalization",
    "load_input",
    "pixels_input",
    "preparation_words",
]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One input of a network.

    Attributes
    ----------
    integer : int8 [H, W, 3]
        As the integer network takes it.
    real : float32 [H, W, 3]
        As a float network takes it: normalised.
    path : Path or None
        The file that it was made of, for reports.
    pixels : str or None
        What was done to its pixels, in words; None of an array.
    """

    integer: np.ndarray
    real: np.ndarray
    path: Path | None = None
    pixels: str | None = None

    __repr__ = short_repr


def load_input(model, source, normalization=None):
    """The input of a network from a file.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    source : path or InputFile
        A picture, or the name of a bundled one, which is resized as the model has it, and
        normalised; or an
        .npy of [1, H, W, 3]: of the type of the graph's input, if the model came as a graph; else
        int8 as the integer network takes it, or float32, normalised.
    normalization : str, optional
        A name in `mnv2.sim.pictures.normalization.NORMALIZATIONS`, for a picture; by default the
        float network's, or that whose range is nearest to the model's input scale.

    Returns
    -------
    ModelInput

    Raises
    ------
    UserError
        If the file cannot be read or does not fit the model.

    Examples
    --------
    >>> import mnv2
    >>> model = mnv2.open_model("small.tflite")
    >>> mnv2.load_input(model, "cat.png").integer.shape
    (32, 32, 3)
    """
    if normalization is not None and normalization not in NORMALIZATIONS:
        names = ", ".join(NORMALIZATIONS)
        raise UserError(f"The normalization must be one of {names}, not {normalization!r}")
    if isinstance(source, str):
        source = find_picture(source)
    integer, path = model.integer, path_of(source)
    shape = integer.network.input_shape
    if is_npy(path):
        if model.family is not None:
            (value,) = load_graph_inputs(model.family.graph, [source])
            value = run_before(model, value)
        else:
            value = _load_array(integer, path)
        return _model_input(integer, value, path, None)
    chosen = choose_input_normalization(model, normalization)
    if shape[2] not in (1, 3):
        raise UserError(
            f"The input {path} must be an .npy of {[1, *shape]}: only a model of 3 channels or 1 "
            "takes a picture"
        )
    pixels = resize_picture(source, model.resizing, shape[0], shape[1])
    words = pixel_words(model.resizing, shape[0], shape[1], chosen)
    return dataclasses.replace(pixels_input(model, pixels, chosen), path=path, pixels=words)


def choose_input_normalization(model, normalization=None):
    """The mnv2.golden.float_model.InputNormalization of a model's pictures.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    normalization : str, optional
        A name of NORMALIZATIONS; see `load_input`.
    """
    if normalization is not None:
        return NORMALIZATIONS[normalization]
    if model.family is not None:
        return NORMALIZATIONS[choose_normalization(model.family.graph)]
    if model.float_model is not None:
        return model.float_model.input_normalization
    integer = model.integer
    return NORMALIZATIONS[nearest_normalization(integer.input_scale, integer.input_zero_point)]


def pixels_input(model, pixels, normalization):
    """The input of a network from pixels of its size.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    pixels : uint8 [H, W, 3]
    normalization : mnv2.golden.float_model.InputNormalization

    Returns
    -------
    ModelInput
    """
    if model.family is None:
        return _model_input(
            model.integer, normalize(pixels, normalization, model.network.input_shape[2])
        )
    graph = model.family.graph
    (index,) = graph.inputs
    value = graph_value(graph.tensors[index], pixels, normalization)
    return _model_input(model.integer, run_before(model, value))


def preparation_words(model, given):
    """The treatment of an input's pixels, and where names and ranges are from, in one line.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    given : ModelInput

    Returns
    -------
    str
    """
    parts = [f"Pixels: {given.pixels or 'an array, taken as it is'}"]
    parts.append(f"names of classes: {model.class_names.origin}")
    if model.calibrated_on is not None:
        parts.append(f"calibrated on {model.calibrated_on}")
    return "; ".join(parts)


def run_before(model, value):
    """The network's input [H, W, C] that the host makes of a graph's, [1, H, W, C]."""
    for operator in model.family.before:
        value = model.family.graph.run_operator(operator, value)
    return value.reshape(model.network.input_shape)


def _model_input(integer, value, path=None, pixels=None):
    if value.dtype == np.float32:
        return ModelInput(quantize_image(value, integer), value, path, pixels)
    real = dequantize(value, integer.input_scale, integer.input_zero_point)
    return ModelInput(value, real, path, pixels)


def _load_array(integer, path):
    """int8 or float32 [H, W, 3] of an .npy."""
    shape = (1, *integer.network.input_shape)
    real = Tensor(0, "input", shape, "float32")
    try:
        return load_npy(path, real)[0]
    except UserError:
        kind = "int8" if integer.input_bits <= 8 else "int16"
        return load_npy(path, Tensor(0, "input", shape, kind))[0]
