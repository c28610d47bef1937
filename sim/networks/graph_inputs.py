"""The inputs of a graph of operators, from arrays or a picture."""

from mnv2.golden.graph.derivation import RANGES
from mnv2.golden.graph.elementwise import Quantize
from mnv2.sim.errors import UserError
from mnv2.sim.networks.input_files import is_npy, load_npy, path_of, resize_picture
from mnv2.sim.pictures.images import normalize
from mnv2.sim.pictures.normalization import NORMALIZATIONS, choose_normalization
from mnv2.sim.pictures.resizing import CROP, Resizing

__all__ = ["graph_picture_size", "graph_value", "load_graph_inputs"]


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


def _load_graph_picture(source, graph, normalization, resizing):
    """The input of a graph from a picture.

    Raises
    ------
    UserError
        If the picture cannot be read, or the model takes none.
    """
    rows, columns = graph_picture_size(graph, path_of(source))
    pixels = resize_picture(source, resizing, rows, columns)
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
    image = normalize(pixels, normalization, tensor.shape[3])[None]
    if tensor.dtype == "float32":
        return image
    if tensor.scales.size != 1 or not tensor.scale > 0:
        raise UserError(f"The input {tensor.label} must have a scale for a picture to be quantised")
    return Quantize(tensor.scale, tensor.zero_point, tensor.dtype, tensor.shape).run(image)
