"""How pixels become a network's input: normalisations by name, and the choice among them."""

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION, InputNormalization
from mnv2.golden.graph.derivation import RANGES

__all__ = ["NORMALIZATIONS", "choose_normalization", "nearest_normalization"]

#: Normalisations of a pixel that models want: ImageNet's mean and deviation, -1..1, 0..1 or 0..255.
NORMALIZATIONS = {
    "imagenet": IMAGENET_NORMALIZATION,
    "symmetric": KERAS_NORMALIZATION,
    "unit": InputNormalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "raw": InputNormalization((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}


def choose_normalization(graph):
    """The name in NORMALIZATIONS whose range is nearest to what the first input can hold.

    That is the range of the input's scale and zero point, or of the QUANTIZE after a float input;
    "symmetric", which most published .tflite models want, if it has neither.
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
