"""The layers of a file's graph by their place in a network of the family.

Readers of ONNX and of float .tflite find layers, sums and the pool (`onnx_records`); here they are
followed from the image to the logits.
"""

from dataclasses import dataclass

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION
from mnv2.golden.importers.float_network import FloatConvolution, assemble_model
from mnv2.golden.importers.onnx_quantized import settle_clamp
from mnv2.golden.importers.onnx_records import OnnxLayer, OnnxPool, Sum
from mnv2.golden.network import PADDINGS, output_size, stride_padding
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class Parts:
    """The layers of a graph by their place in the network.

    Attributes
    ----------
    stem, classifier : OnnxLayer
    head : OnnxLayer or None
    blocks : tuple of ((OnnxLayer or None, OnnxLayer, OnnxLayer), OnnxLayer or Sum)
        Expansion, depthwise convolution and projection, and what makes the block's output.
    """

    stem: OnnxLayer
    blocks: tuple[tuple[tuple[OnnxLayer | None, OnnxLayer, OnnxLayer], OnnxLayer | Sum], ...]
    head: OnnxLayer | None
    classifier: OnnxLayer

    __repr__ = short_repr


def find_parts(found):
    """The Parts of Layers that follow each other as the family's do."""
    chain = _Chain(found)
    stem = chain.take("stem", found.image, taps=3, clamped=True)
    blocks, shortcut = [], stem
    plain = chain.is_separable()
    while not chain.at_head(shortcut):
        expand, value = None, shortcut
        if not chain.next_is_depthwise():
            expand = value = chain.take("expansion", value, taps=1, clamped=True)
        depthwise = chain.take("depthwise convolution", value, depthwise=True, clamped=True)
        project = chain.take("projection", depthwise, taps=1, clamped=plain)
        same = depthwise.stride == 1 and project.weights.shape[-1] == _channels(shortcut)
        residual = same and not plain
        shortcut = chain.add(shortcut, project, residual)
        blocks.append(((expand, depthwise, project), shortcut))
    head = None if plain else chain.take("head", shortcut, taps=1, clamped=True)
    return Parts(stem, tuple(blocks), head, chain.classifier(head or shortcut))


def assemble_parts(parts, size, channels_last, channels, normalization=None):
    """The FloatModel of Parts.

    Parameters
    ----------
    parts : Parts
    size : (int, int)
        Rows and columns of the image.
    channels_last : bool
        Whether the file's image has its channels last.
    channels : int
        Of the file's image.
    normalization : mnv2.golden.float_model.InputNormalization, optional
        By default Keras's where layers pad as TensorFlow's or channels are last, else ImageNet's.
    """
    strided = [parts.stem, *(depthwise for (_, depthwise, _), _ in parts.blocks)]
    padding = _find_padding(strided, size)
    keras = padding == "tensorflow" or channels_last
    model = assemble_model(
        _part(parts.stem),
        [tuple(_part(x) for x in chain) for chain, _ in parts.blocks],
        _part(parts.head),
        _part(parts.classifier),
        input_size=size,
        padding=padding,
        strides=[layer.stride for layer in strided],
        input_normalization=normalization
        or (KERAS_NORMALIZATION if keras else IMAGENET_NORMALIZATION),
        image_channels=channels,
    )
    kernel = parts.classifier.source.kernel
    if kernel is not None and kernel != model.network.pool.input_shape[:2]:
        raise ValueError(
            f"The pool must take the mean of the whole map, "
            f"{model.network.pool.input_shape[:2]}, not of {kernel}"
        )
    return model


def _channels(value):
    """Channels of a layer's output or of a sum's."""
    while not isinstance(value, OnnxLayer):
        value = value.terms[0]
    return value.weights.shape[-1]


def _part(layer):
    if layer is None:
        return None
    return FloatConvolution(layer.name, layer.weights, layer.bias, layer.normalization)


class _Chain:
    """The layers in order; each is taken once and must work on the one before."""

    def __init__(self, found):
        self._layers, self._sums = list(found.layers), list(found.sums)
        self._output, self._trained = found.output, found.trained

    def _next(self, what):
        if not self._layers:
            raise ValueError(f"The {what} is missing")
        return self._layers[0]

    def take(self, what, source, *, clamped, taps=3, depthwise=False):
        layer = self._next(what)
        if layer.source is not source:
            raise ValueError(
                f"The {what} {layer.name} must work on the output of the layer before it"
            )
        have = (layer.depthwise, 3 if layer.weights.ndim > 2 else 1)
        if have != (depthwise, taps):
            raise ValueError(
                f"The {what} {layer.name} must have "
                f"{'one filter a channel' if depthwise else f'{taps}x{taps} taps'}"
            )
        if clamped:
            settle_clamp(layer)
        wanted = (0.0, 6.0) if clamped else (float("-inf"), float("inf"))
        # In a network of integers the clamp is the quantiser's, or goes into it.
        if (layer.low, layer.high) != wanted and not self._trained:
            raise ValueError(
                f"The {what} {layer.name} must {'' if clamped else 'not '}be clamped"
                f"{' to 0..6' if clamped else ''}, not to {layer.low}..{layer.high}"
            )
        if taps == 1 and (layer.stride != 1 or layer.padding not in (((0, 0), (0, 0)), "same")):
            raise ValueError(f"The {what} {layer.name} must have stride 1 and no padding")
        self._layers.pop(0)
        return layer

    def next_is_depthwise(self):
        return self._next("depthwise convolution").depthwise

    def is_separable(self):
        """Whether what is left is MobileNetV1's: depthwise and 1x1 layers in turn, a classifier."""
        *pairs, _ = self._layers or [None]
        kinds = [layer.depthwise for layer in pairs]
        return bool(pairs) and kinds == [True, False] * (len(pairs) // 2) and not self._sums

    def at_head(self, value):
        """Whether the next layer is the head: 1x1, with no depthwise convolution after it."""
        head = self._next("head")
        if isinstance(head.source, OnnxPool):
            return True
        return (
            not head.depthwise
            and head.source is value
            and not any(x.source is head and x.depthwise for x in self._layers)
        )

    def add(self, shortcut, project, residual):
        """The block's output: the sum where the block is residual, else the projection."""
        found = [x for x in self._sums if set(map(id, x.terms)) == {id(shortcut), id(project)}]
        if not residual and found:
            raise ValueError(
                f"The operator Add {found[0].name[:80]} is superfluous: its block has no residual"
            )
        if not residual:
            return project
        if len(found) != 1:
            raise ValueError(
                f"The output of {project.name} must be added once to its block's input"
            )
        self._sums.remove(found[0])
        return found[0]

    def classifier(self, head):
        layer = self._next("classifier")
        if not isinstance(layer.source, OnnxPool) or layer.source.source is not head:
            raise ValueError(f"The classifier {layer.name} must work on the mean of a layer")
        self.take("classifier", layer.source, taps=1, clamped=False)
        if self._layers or self._sums:
            left = (self._layers or self._sums)[0]
            raise ValueError(f"The layer {left.name[:80]} is superfluous")
        if self._output is not layer:
            raise ValueError(f"The output must be that of the classifier {layer.name}")
        return layer


def _find_padding(layers, size):
    """Which of PADDINGS the 3x3 layers, in order, pad like."""
    possible = list(PADDINGS)
    for layer in layers:
        wanted = {x: tuple(stride_padding(n, layer.stride, x) for n in size) for x in PADDINGS}
        padding = wanted["tensorflow"] if layer.padding == "same" else layer.padding
        possible = [x for x in possible if wanted[x] == padding]
        if not possible:
            raise ValueError(
                f"The convolution {layer.name} must pad as PyTorch or TensorFlow do, "
                f"all layers alike, not by {padding}"
            )
        size = tuple(output_size(n, layer.stride) for n in size)
    return possible[0]
