"""The input of a network: a picture, or an array of the model's own type."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mnv2.golden.fixed_point import dequantize
from mnv2.golden.graph.derivation import RANGES
from mnv2.golden.graph.elementwise import Quantize
from mnv2.golden.graph.schema import Tensor
from mnv2.golden.quantize import quantize_image
from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.images import load_image, normalize
from mnv2.sim.pictures.normalization import (
    NORMALIZATIONS,
    choose_normalization,
    nearest_normalization,
)
from mnv2.sim.pictures.photographs import find_picture
from mnv2.sim.pictures.resizing import CROP, Resizing, pixel_words

__all__ = [
    "InputFile",
    "ModelInput",
    "choose_input_normalization",
    "graph_picture_size",
    "graph_value",
    "load_graph_inputs",
    "load_input",
    "pixels_input",
    "preparation_words",
    "read_input_file",
    "read_picture",
]

NPY_MAGIC = b"\x93NUMPY"
#: Characters of numpy's own message that are shown; it may quote the header of a hostile file.
DETAIL_CHARACTERS = 120


@dataclass(frozen=True, eq=False)
class InputFile:
    """A file that an input is made of.

    Attributes
    ----------
    path : Path
    picture : PIL.Image.Image or None
        The picture, decoded, in RGB; None for an .npy, which is read when its model is known.
    """

    path: Path
    picture: Image.Image | None = None

    __repr__ = short_repr


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


def read_input_file(path):
    """Decode the file of an input, before anything that takes time is done for it.

    Parameters
    ----------
    path : path
        A picture in any format that Pillow reads, or an .npy.

    Returns
    -------
    InputFile

    Raises
    ------
    UserError
        If it is a picture that cannot be decoded; an .npy is checked when its model is known.
    """
    path = Path(path)
    return InputFile(path, None if is_npy(path) else load_image(path))


def read_picture(name):
    """Read the picture or the .npy that the user names.

    Parameters
    ----------
    name : str
        Path of a file, or the name of a bundled photograph such as ``chelsea``.

    Returns
    -------
    InputFile

    Raises
    ------
    UserError
        If there is neither, or the picture cannot be decoded.

    Examples
    --------
    >>> import mnv2
    >>> source = mnv2.read_picture("chelsea")
    >>> source.picture.size
    (451, 300)
    """
    return read_input_file(find_picture(name))


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
    if shape[2] != 3 and (shape[2] != 1 or model.family is None):
        raise UserError(
            f"The input {path} must be an .npy of {[1, *shape]}: only a model of 3 channels takes "
            "a picture"
        )
    pixels = _resize(source, model.resizing, shape[0], shape[1])
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
        return _model_input(model.integer, normalize(pixels, normalization))
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


def _resize(source, resizing: Resizing, rows, columns):
    """Pixels of a picture, uint8 [rows, columns, 3]; an error names the file."""
    try:
        return resizing.apply(picture_of(source), rows, columns)
    except UserError as error:
        # Errors of the file itself name it already.
        if str(path_of(source)) in str(error):
            raise
        raise UserError(f"{path_of(source)}: {error}") from None


def path_of(source):
    """Path of an InputFile, or of what names one."""
    return source.path if isinstance(source, InputFile) else Path(source)


def picture_of(source):
    """The decoded picture of an InputFile, or of a path."""
    if isinstance(source, InputFile) and source.picture is not None:
        return source.picture
    return load_image(path_of(source))


def _load_array(integer, path):
    """int8 or float32 [H, W, 3] of an .npy."""
    shape = (1, *integer.network.input_shape)
    real = Tensor(0, "input", shape, "float32")
    try:
        return load_npy(path, real)[0]
    except UserError:
        kind = "int8" if integer.input_bits <= 8 else "int16"
        return load_npy(path, Tensor(0, "input", shape, kind))[0]


def load_graph_inputs(graph, sources, normalization=None, resizing: Resizing = CROP):
    """The inputs of a graph from files, in the model's order.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph
    sources : sequence of (path or InputFile)
        An .npy for each input; or one picture, where the model has one input [1, H, W, 3].
    normalization : str, optional
        A name of NORMALIZATIONS, for a picture; by default that of `choose_normalization`.
    resizing : mnv2.sim.pictures.resizing.Resizing
        For a picture.

    Returns
    -------
    list of array

    Raises
    ------
    UserError
        If a file cannot be used, or does not fit the model.
    """
    if len(sources) != len(graph.inputs):
        raise UserError(
            f"The number of inputs must be {len(graph.inputs)}, one --input each, "
            f"not {len(sources)}"
        )
    tensors = [graph.tensors[index] for index in graph.inputs]
    arrays = []
    for source, tensor in zip(sources, tensors, strict=True):
        path = path_of(source).expanduser()
        if is_npy(path):
            arrays.append(load_npy(path, tensor))
        else:
            if len(tensors) > 1:
                raise UserError(
                    f"The input {path} must be an .npy, as the model has {len(tensors)} inputs"
                )
            arrays.append(_load_graph_picture(source, graph, normalization, resizing))
    return arrays


def is_npy(path):
    """Whether a file is an .npy, or is called so."""
    if path.suffix.lower() == ".npy":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(NPY_MAGIC)) == NPY_MAGIC
    except OSError:
        return False  # opening it as a picture says why


def load_npy(path, tensor):
    """The array of an .npy, of the type and shape of a Tensor.

    The file is mapped, so that its header is checked before memory is taken for it.

    Raises
    ------
    UserError
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"The input {path} must be a file")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise UserError(f"The input {path} cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, OverflowError, SyntaxError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The input {path} must be an .npy of numbers: {detail[:DETAIL_CHARACTERS]}"
        ) from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"The input {path} must be an .npy of one array, not an archive")
    if array.dtype != tensor.dtype or array.shape != tensor.shape:
        raise UserError(
            f"The input {path} must be {tensor.dtype} {list(tensor.shape)} for "
            f"{tensor.label}, not {array.dtype} {list(array.shape)}"
        )
    return np.array(array)


def _load_graph_picture(source, graph, normalization, resizing):
    """The input of a graph from a picture.

    Raises
    ------
    UserError
        If the picture cannot be read, or the model takes none.
    """
    rows, columns = graph_picture_size(graph, path_of(source))
    pixels = _resize(source, resizing, rows, columns)
    name = normalization or choose_normalization(graph)
    return graph_value(graph.tensors[graph.inputs[0]], pixels, NORMALIZATIONS[name])


def graph_picture_size(graph, what):
    """(rows, columns) of the picture that a graph takes.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph
    what : path
        What was to be a picture, for the message.

    Raises
    ------
    UserError
        If it takes none.
    """
    tensor = graph.tensors[graph.inputs[0]]
    if (
        len(tensor.shape) != 4
        or tensor.shape[0] != 1
        or tensor.shape[3] not in (1, 3)
        or tensor.dtype not in ("float32", *RANGES)
    ):
        raise UserError(
            f"The input {what} must be an .npy of {tensor.dtype} "
            f"{list(tensor.shape)}: only a model with an input of [1, H, W, 3] or "
            "[1, H, W, 1] takes a picture"
        )
    return tensor.shape[1:3]


def graph_value(tensor, pixels, normalization):
    """A graph's input from pixels of its size.

    A model of one channel takes the pixels' luma (ITU-R BT.601), normalised like a red channel.

    Parameters
    ----------
    tensor : mnv2.golden.graph.schema.Tensor
        The graph's input, [1, H, W, 3] or [1, H, W, 1].
    pixels : uint8 [H, W, 3]
    normalization : mnv2.golden.float_model.InputNormalization

    Returns
    -------
    array
        Of the tensor's shape and type.

    Raises
    ------
    UserError
        If it is to be quantised and has no scale.
    """
    channels = tensor.shape[3]
    if channels == 1:
        pixels = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
    image = normalize(pixels, normalization)[None, ..., :channels]
    if tensor.dtype == "float32":
        return image
    if tensor.scales.size != 1 or not tensor.scale > 0:
        raise UserError(f"The input {tensor.label} must have a scale for a picture to be quantised")
    return Quantize(tensor.scale, tensor.zero_point, tensor.dtype, tensor.shape).run(image)
