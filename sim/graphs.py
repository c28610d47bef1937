""".tflite files and their inputs as the user names them: read with limits, refused in a sentence.

An input is an .npy of the model's own type and shape, or a picture, which is resized, cropped,
normalised and quantised with the scale of the model's input.
"""

from pathlib import Path

import numpy as np

from golden.float_model import (
    IMAGENET_NORMALIZATION,
    KERAS_NORMALIZATION,
    InputNormalization,
)
from golden.graph.derivation import RANGES
from golden.graph.elementwise import Quantize
from golden.importers.tflite import read_graph
from sim.errors import UserError
from sim.images import crop_to, load_image, normalize

__all__ = ["NORMALIZATIONS", "choose_normalization", "is_npy", "load_graph", "load_graph_inputs",
           "load_npy", "nearest_normalization"]

#: Bytes of a file that are read at most; larger ones are refused.
MAXIMUM_BYTES = 2**28
NPY_MAGIC = b"\x93NUMPY"
#: Characters of numpy's own message that are shown; it may quote the header of a hostile file.
DETAIL_CHARACTERS = 120

#: What a model may want of a pixel: ImageNet's mean and deviation, -1..1, 0..1 or 0..255.
NORMALIZATIONS = {
    "imagenet": IMAGENET_NORMALIZATION,
    "symmetric": KERAS_NORMALIZATION,
    "unit": InputNormalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "raw": InputNormalization((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}


def load_graph(path):
    """The graph of a .tflite file.

    Parameters
    ----------
    path : path

    Returns
    -------
    golden.graph.graph.Graph

    Raises
    ------
    UserError
        If the file cannot be read, is too large, or holds what the graph does not cover.
    """
    path = Path(path).expanduser()
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"The model {path} must be a file")
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UserError(f"The model {path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAXIMUM_BYTES:
        raise UserError(f"The model {path} must have at most {MAXIMUM_BYTES:,} bytes")
    try:
        return read_graph(data)
    except ValueError as error:
        raise UserError(f"The model {path} cannot be used: {error}") from None


def load_graph_inputs(graph, paths, normalization=None):
    """The inputs of a graph from files, in the model's order.

    Parameters
    ----------
    graph : golden.graph.graph.Graph
    paths : sequence of path
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
    if len(paths) != len(graph.inputs):
        raise UserError(f"The model must be given {len(graph.inputs)} inputs, one --input each, "
                        f"not {len(paths)}")
    tensors = [graph.tensors[index] for index in graph.inputs]
    arrays = []
    for path, tensor in zip(paths, tensors, strict=True):
        path = Path(path).expanduser()
        if is_npy(path):
            arrays.append(load_npy(path, tensor))
        else:
            if len(tensors) > 1:
                raise UserError(f"The input {path} must be an .npy, as the model has "
                                f"{len(tensors)} inputs")
            arrays.append(load_picture(path, graph, normalization))
    return arrays


def is_npy(path):
    """Whether a file is an .npy, or is called so."""
    if path.suffix.lower() == ".npy":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(NPY_MAGIC)) == NPY_MAGIC
    except OSError:
        return False                                  # whoever opens it as a picture says why


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
        raise UserError(f"The input {path} must be an .npy of numbers: "
                        f"{detail[:DETAIL_CHARACTERS]}") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"The input {path} must be an .npy of one array, not an archive")
    if array.dtype != tensor.dtype or array.shape != tensor.shape:
        raise UserError(f"The input {path} must be {tensor.dtype} {list(tensor.shape)} for "
                        f"{tensor.label}, not {array.dtype} {list(array.shape)}")
    return np.array(array)


def load_picture(path, graph, normalization=None):
    """The input of a graph from a picture, resized and cropped as `sim.images` does.

    Raises
    ------
    UserError
        If the picture cannot be read, or the model takes none.
    """
    tensor = graph.tensors[graph.inputs[0]]
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or tensor.shape[3] != 3 \
            or tensor.dtype not in ("float32", *RANGES):
        raise UserError(f"The input {path} must be an .npy of {tensor.dtype} "
                        f"{list(tensor.shape)}: only a model with an input of [1, H, W, 3] takes "
                        "a picture")
    _, rows, columns, _ = tensor.shape
    pixels = crop_to(load_image(path), rows, columns)
    name = normalization or choose_normalization(graph)
    image = normalize(pixels, NORMALIZATIONS[name])[None]
    if tensor.dtype == "float32":
        return image
    if tensor.scales.size != 1 or not tensor.scale > 0:
        raise UserError(f"The input {tensor.label} must have a scale for a picture to be quantised")
    return Quantize(tensor.scale, tensor.zero_point, tensor.dtype, tensor.shape).run(image)


def choose_normalization(graph):
    """The name in NORMALIZATIONS whose range is nearest to what the first input can hold.

    That is the range of the input's scale and zero point, or of the QUANTIZE behind a float input;
    "symmetric", which most published .tflite models want, where there is none.
    """
    tensor = graph.tensors[graph.inputs[0]]
    if tensor.dtype == "float32":
        quantize = [op for op in graph.consumers(tensor.index) if op.kind == "QUANTIZE"]
        if not quantize:
            return "symmetric"
        tensor = graph.tensors[quantize[0].output]
    if tensor.dtype not in RANGES or tensor.scales.size != 1:
        return "symmetric"
    return nearest_normalization(tensor.scale, tensor.zero_point, tensor.dtype)


def nearest_normalization(scale, zero_point, dtype="int8"):
    """The name in NORMALIZATIONS whose range is nearest to what a quantised input can hold."""
    ends = [(end - zero_point) * scale for end in RANGES[dtype]]

    def distance(name):
        low, high = NORMALIZATIONS[name].range()
        return (abs(ends[0] - low) + abs(ends[1] - high)) / (high - low)

    return min(NORMALIZATIONS, key=distance)
