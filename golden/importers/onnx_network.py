"""From an ONNX file to the float model: its layers are followed from the image to the logits."""

from dataclasses import replace

from mnv2.golden.importers.float_network import agree_on_size
from mnv2.golden.importers.onnx_graph import OnnxGraph
from mnv2.golden.importers.onnx_integers import integer_model
from mnv2.golden.importers.onnx_layers import find_layers
from mnv2.golden.importers.onnx_records import NHWC
from mnv2.golden.importers.parts import assemble_parts, find_parts

QUANTIZED = (
    "read as floats: weights and biases are those that its integers stand for; activations are "
    "quantised anew"
)


def parse_onnx(data, input_size=None, read_sibling=None):
    """The model in a file's bytes.

    It is a FloatModel, or a QuantizedModel where a training quantised the activations.

    The file does not say how its pictures were normalised. One whose strided layers pad as
    TensorFlow does, or whose image has its channels last, is read as Keras's (x / 127.5 - 1), any
    other for PyTorch's (ImageNet's mean and deviation).

    Parameters
    ----------
    data : bytes
    input_size : int or (int, int), optional
        Rows and columns where the file leaves them open; 224 by default.
    read_sibling : function of (name, offset, length), optional
        See `OnnxGraph`.

    Raises
    ------
    ValueError
        If the file is damaged or the network is not of the family; the operator or the tensor is
        named.
    """
    graph = OnnxGraph(data, read_sibling)
    found = find_layers(graph)
    parts = find_parts(found)
    rows, columns, channels = (2, 3, 1) if found.layout != NHWC else (1, 2, 3)
    shape = graph.input_shape
    size = agree_on_size(input_size, (shape[rows], shape[columns]))
    model = assemble_parts(parts, size, found.layout == NHWC, shape[channels])
    if found.trained:
        return integer_model(model.network, found, parts)
    return replace(model, notes=(QUANTIZED,)) if found.quantized else model
