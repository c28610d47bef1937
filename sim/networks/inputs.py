"""The input of a network: a picture, or an array of the model's own type."""

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
from mnv2.sim.pictures.images import crop_to, load_image, normalize
from mnv2.sim.pictures.normalization import (
    NORMALIZATIONS,
    choose_normalization,
    nearest_normalization,
)
from mnv2.sim.pictures.photographs import find_picture

__all__ = [
    "InputFile",
    "ModelInput",
    "load_graph_inputs",
    "load_input",
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
    """

    integer: np.ndarray
    real: np.ndarray
    path: Path | None = None

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
        A picture, or the name of a bundled one, which is resized, cropped and normalised; or an
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
    if model.family is not None:
        (value,) = load_graph_inputs(model.family.graph, [source], normalization)
        for operator in model.family.before:
            value = model.family.graph.run_operator(operator, value)
        value = value.reshape(integer.network.input_shape)
    elif is_npy(path):
        value = _load_array(integer, path)
    else:
        value = _load_picture(model, source, normalization)
    if value.dtype == np.float32:
        return ModelInput(quantize_image(value, integer), value, path)
    real = dequantize(value, integer.input_scale, integer.input_zero_point)
    return ModelInput(value, real, path)


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


def _load_picture(model, source, normalization):
    """Normalised float32 [H, W, 3] of a picture."""
    rows, columns, channels = model.network.input_shape
    if channels != 3:
        raise UserError(
            f"The input {path_of(source)} must be an .npy of [1, {rows}, {columns}, {channels}]: "
            "only a model of 3 channels takes a picture"
        )
    if normalization is not None:
        chosen = NORMALIZATIONS[normalization]
    elif model.float_model is not None:
        chosen = model.float_model.input_normalization
    else:
        chosen = NORMALIZATIONS[
            nearest_normalization(model.integer.input_scale, model.integer.input_zero_point)
        ]
    return normalize(crop_to(picture_of(source), rows, columns), chosen)


def load_graph_inputs(graph, sources, normalization=None):
    """The inputs of a graph from files, in the model's order.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph
    sources : sequence of (path or InputFile)
        An .npy for each input; or one picture, where the model has one input [1, H, W, 3].
    normalization : str, optional
        A name of NORMALIZATIONS, for a picture; by default that of `choose_normalization`.

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
            arrays.append(_load_graph_picture(source, graph, normalization))
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


def _load_graph_picture(source, graph, normalization=None):
    """The input of a graph from a picture, resized and cropped as `mnv2.sim.pictures.images` does.

    A model of one channel takes the picture's luma (ITU-R 601), normalised like a red channel.

    Raises
    ------
    UserError
        If the picture cannot be read, or the model takes none.
    """
    tensor = graph.tensors[graph.inputs[0]]
    if (
        len(tensor.shape) != 4
        or tensor.shape[0] != 1
        or tensor.shape[3] not in (1, 3)
        or tensor.dtype not in ("float32", *RANGES)
    ):
        raise UserError(
            f"The input {path_of(source)} must be an .npy of {tensor.dtype} "
            f"{list(tensor.shape)}: only a model with an input of [1, H, W, 3] or "
            "[1, H, W, 1] takes a picture"
        )
    _, rows, columns, channels = tensor.shape
    picture = picture_of(source)
    if channels == 1:
        picture = picture.convert("L").convert("RGB")
    pixels = crop_to(picture, rows, columns)
    name = normalization or choose_normalization(graph)
    image = normalize(pixels, NORMALIZATIONS[name])[None, ..., :channels]
    if tensor.dtype == "float32":
        return image
    if tensor.scales.size != 1 or not tensor.scale > 0:
        raise UserError(f"The input {tensor.label} must have a scale for a picture to be quantised")
    return Quantize(tensor.scale, tensor.zero_point, tensor.dtype, tensor.shape).run(image)
