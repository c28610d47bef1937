"""From the convolutions that a file holds, in order, to a float model of the family.

A reader of a format finds the stem, the blocks, the head and the classifier by its own names;
channels, expansions and classes then follow from the tensors' shapes. Each complaint names the
tensor by the file's own name.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.float_model import (
    IMAGENET_NORMALIZATION,
    BatchNormalization,
    FloatLayer,
    FloatModel,
)
from mnv2.golden.mobilenet_v1 import MOBILENET_V1_TABLE, mobilenet_v1
from mnv2.golden.network import MOBILENET_V2_TABLE, WIDTH_MULTIPLIERS, build_network, mobilenet_v2
from mnv2.golden.summary import short_repr

INPUT_SIZE = 224
#: Channels of an image that a float network may take.
IMAGE_CHANNELS = (1, 3)
MAXIMUM_INPUT_SIZE = 8192
#: Bytes of a file, of all its tensors and of any one: MobileNetV2 1.4 in float64 has 49 million,
#: with a training's state in float32 73 million.
MAXIMUM_BYTES = 2**27
#: Strides of the paper's network: stem, then each block.
PAPER_STRIDES = (
    2,
    *(s if repeat == 0 else 1 for _, _, n, s in MOBILENET_V2_TABLE for repeat in range(n)),
)
V1_STRIDES = (2, *(stride for _, stride in MOBILENET_V1_TABLE))
#: Multipliers that a network's channels are compared with: the paper's, then steps of 0.05.
_WIDTHS = (*WIDTH_MULTIPLIERS, *(step / 20 for step in range(1, 81)))


@dataclass(frozen=True, eq=False)
class FloatConvolution:
    """A convolution as a file holds it.

    Attributes
    ----------
    name : str
        What the file calls its weights.
    weights : float32
        3x3 [3, 3, Cin, Cout]; depthwise [3, 3, C]; 1x1 and classifier [Cin, Cout].
    bias : float32 [Cout] or None
    normalization : BatchNormalization or None
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray | None = None
    normalization: BatchNormalization | None = None

    __repr__ = short_repr

    @property
    def output_channels(self):
        return self.weights.shape[-1]


def as_float32(name, value):
    """A finite float32 array of a tensor's float16, float32 or float64 one.

    Raises
    ------
    ValueError
        If it holds no floats, or one that is not finite in float32.
    """
    if value.dtype.kind != "f" or value.dtype.itemsize > 8:
        raise ValueError(f"The tensor {name} must hold floats, not {value.dtype}")
    with np.errstate(over="ignore"):
        value = np.ascontiguousarray(value, np.float32)
    if not np.isfinite(value).all():
        raise ValueError(f"The tensor {name} must be finite")
    return value


def golden_axes(name, weights, depthwise=False):
    """Weights [Cout, Cin / groups, K, K] or [Cout, Cin] with golden's axes.

    Raises
    ------
    ValueError
        If the taps are neither 1x1 nor 3x3, or a depthwise filter has several channels.
    """
    if weights.ndim == 2:
        return np.ascontiguousarray(weights.T)
    if weights.ndim != 4 or weights.shape[2:] not in ((1, 1), (3, 3)):
        raise ValueError(
            f"The tensor {name} must hold a convolution of 1x1 or 3x3 taps, not the "
            f"shape {weights.shape}"
        )
    if depthwise:
        if weights.shape[1] != 1 or weights.shape[2] != 3:
            raise ValueError(
                f"The tensor {name} must hold one 3x3 filter a channel, not the "
                f"shape {weights.shape}"
            )
        return np.ascontiguousarray(weights[:, 0].transpose(1, 2, 0))
    if weights.shape[2] == 1:
        return np.ascontiguousarray(weights[..., 0, 0].T)
    return np.ascontiguousarray(weights.transpose(2, 3, 1, 0))


def _check(part, shape):
    """Whether a part's arrays are of such a shape; None stands for any size."""
    have = part.weights.shape
    if len(have) != len(shape) or any(
        want not in (None, size) for size, want in zip(have, shape, strict=True)
    ):
        wanted = f"{'3x3' if len(shape) > 2 else '1x1'} taps"
        if len(shape) == 3:
            wanted = f"a 3x3 filter for each of {shape[-1] or 'its'} channels"
        else:
            wanted += f", take {shape[-2]} channels"
            wanted += f" and make {shape[-1]}" if shape[-1] else ""
        raise ValueError(
            f"The tensor {part.name} must have {wanted}; its axes are {have} in the "
            "order rows, columns, input channels, output channels"
        )
    if 0 in have:
        raise ValueError(f"The tensor {part.name} must not be empty")
    vectors = {"bias": part.bias}
    if part.normalization is not None:
        vectors |= {
            x: getattr(part.normalization, x) for x in ("scale", "offset", "mean", "variance")
        }
    for what, vector in vectors.items():
        if vector is not None and vector.shape != (part.output_channels,):
            raise ValueError(
                f"The {what} of {part.name} must have {part.output_channels} values, "
                f"not the shape {vector.shape}"
            )
    if part.normalization is not None:
        epsilon = part.normalization.epsilon
        if not 0 <= epsilon < 1 or not (part.normalization.variance + epsilon > 0).all():
            raise ValueError(f"The variance after {part.name} and its epsilon must be positive")


def _block_row(channels, expand, depthwise, project, stride):
    """(t, c, 1, s) of a block's parts, given the channels of its input."""
    hidden = channels
    if expand is not None:
        _check(expand, (channels, None))
        hidden = expand.output_channels
        if hidden % channels or hidden == channels:
            raise ValueError(
                f"The tensor {expand.name} must widen {channels} channels to a "
                f"multiple, not to {hidden}"
            )
    _check(depthwise, (3, 3, hidden))
    _check(project, (hidden, None))
    return (hidden // channels, project.output_channels, 1, stride)


def paper_strides(separable):
    """Strides of the stem and each block in the paper of MobileNetV1, or of MobileNetV2."""
    return V1_STRIDES if separable else PAPER_STRIDES


def named_width(network):
    """The same network, as a paper's is made where a width multiplier does."""
    make = mobilenet_v1 if network.separable else mobilenet_v2
    if len(network.blocks) != len(paper_strides(network.separable)) - 1:
        return network
    for width in _WIDTHS:
        paper = make(width, network.input_shape[:2], network.classes, network.padding)
        if paper.layers == network.layers:
            return paper
    return network


def check_input_size(input_size):
    """(rows, columns) of an input size given as an int or a pair; `INPUT_SIZE` for None."""
    size = INPUT_SIZE if input_size is None else input_size
    size = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(size) != 2 or not all(type(n) is int and 1 <= n <= MAXIMUM_INPUT_SIZE for n in size):
        raise ValueError(
            f"An input size must be one or two integers from 1 to "
            f"{MAXIMUM_INPUT_SIZE}, not {input_size!r}"
        )
    return size


def agree_on_size(given, stated):
    """(rows, columns): the file's where it states them, else the given, else the default.

    Parameters
    ----------
    given : int, (int, int) or None
        What the caller asks for.
    stated : (int or None, int or None)
        What the file says.
    """
    if None in stated:
        return check_input_size(given)
    stated = check_input_size(stated)
    if given is not None and check_input_size(given) != stated:
        raise ValueError(
            f"The file's input has {stated[0]} rows and {stated[1]} columns, "
            f"not the given input size {given!r}"
        )
    return stated


def assemble_model(
    stem,
    blocks,
    head,
    classifier,
    *,
    input_size,
    padding,
    strides=None,
    input_normalization=IMAGENET_NORMALIZATION,
    image_channels=None,
):
    """The FloatModel of convolutions in order.

    Parameters
    ----------
    stem, classifier : FloatConvolution
    head : FloatConvolution or None
        Without one the network is MobileNetV1's: projections have ReLU6, and nothing is added.
    blocks : sequence of (FloatConvolution or None, FloatConvolution, FloatConvolution)
        Expand (None at expansion 1), depthwise, project.
    input_size : int, (int, int) or None
    padding : str
        One of `mnv2.golden.network.PADDINGS`.
    strides : sequence of int, optional
        Of the stem and each block. By default the paper's, for 17 blocks.
    input_normalization : InputNormalization
    image_channels : int, optional
        As the file states them; by default as the stem has them, 1 or 3. One is a picture's luma;
        of other numbers there are no pictures to calibrate on.

    Raises
    ------
    ValueError
        If a tensor's shape does not follow from those before it, naming it; or if the strides
        are not known.
    """
    paper = paper_strides(head is None)
    if strides is None and len(blocks) == len(paper) - 1:
        strides = paper
    if strides is None:
        raise ValueError(
            f"The file does not say the strides of its {len(blocks)} blocks; only "
            f"for {len(paper) - 1} blocks, the paper's, are they known: export the network "
            "as ONNX, which states them"
        )
    if len(strides) != len(blocks) + 1 or not set(strides) <= {1, 2}:
        raise ValueError(
            f"The strides must be {len(blocks) + 1} numbers of 1 or 2, for the stem "
            f"and each block, not {list(strides)[:20]}"
        )
    if image_channels is None:
        image_channels = 1 if stem.weights.ndim == 4 and stem.weights.shape[2] == 1 else 3
    _check(stem, (3, 3, image_channels, None))
    channels, table = stem.output_channels, []
    for parts, stride in zip(blocks, strides[1:], strict=True):
        expand, depthwise, project = parts
        table.append(_block_row(channels, expand, depthwise, project, stride))
        channels = table[-1][1]
    heads = [] if head is None else [head]
    for part in heads:
        _check(part, (channels, None))
        channels = part.output_channels
    _check(classifier, (channels, None))
    network = named_width(
        build_network(
            table,
            stem_channels=stem.output_channels,
            head_channels=None if head is None else channels,
            classes=classifier.output_channels,
            input_size=check_input_size(input_size),
            padding=padding,
            input_channels=image_channels,
            stem_stride=strides[0],
            plain=head is None,
        )
    )
    layers = [x for x in network.layers if x.kind != "pool"]
    parts = [stem, *(x for block in blocks for x in block if x is not None), *heads, classifier]
    made = {}
    for layer, part in zip(layers, parts, strict=True):
        bias = part.bias
        if bias is None and part.normalization is None:
            bias = np.zeros(layer.output_channels, np.float32)
        made[layer.name] = FloatLayer(layer, part.weights, bias, part.normalization)
    return FloatModel(network, made, input_normalization)
