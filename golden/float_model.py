"""The network in float32: what the integers approximate.

A layer holds its weights and a batch normalisation, or has it folded into a bias. Axes are
those of the integer model.

Ref: Ioffe and Szegedy, arXiv:1502.03167, section 3.1 (inference); torchvision
`models/mobilenetv2.py`, epsilon 1e-5.
"""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.network import Layer, Network
from mnv2.golden.summary import short_repr

EPSILON = 1e-5


@dataclass(frozen=True)
class InputNormalization:
    """The normalisation of pixels in training: (pixel / 255 - mean) / deviation, by channel.

    Attributes
    ----------
    mean, deviation : tuple of float
        Red, green, blue, of pixels scaled to 0..1; the deviation positive. The default is
        ImageNet's, as torchvision states it.

    Ref: torchvision `transforms/_presets.py`, `ImageClassification`.
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self):
        if not (
            len(self.mean) == len(self.deviation) == 3
            and np.isfinite(self.mean + self.deviation).all()
            and min(self.deviation) > 0
        ):
            raise ValueError(
                "A normalisation must have three finite means and three positive "
                f"deviations, not {self.mean!r} and {self.deviation!r}"
            )

    def range(self):
        """(minimum, maximum) that a normalised pixel can have."""
        return (
            min((0 - m) / d for m, d in zip(self.mean, self.deviation, strict=True)),
            max((1 - m) / d for m, d in zip(self.mean, self.deviation, strict=True)),
        )


IMAGENET_NORMALIZATION = InputNormalization()
#: x / 127.5 - 1. Ref: Keras `applications/imagenet_utils.py`, `preprocess_input`, mode "tf".
KERAS_NORMALIZATION = InputNormalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True, eq=False)
class BatchNormalization:
    """Per channel float32 [C]: scale * (x - mean) / sqrt(variance + epsilon) + offset."""

    scale: np.ndarray
    offset: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float = EPSILON

    __repr__ = short_repr

    def factor_and_offset(self):
        """The same as factor * x + offset, float64 [C] each."""
        factor = self.scale.astype(np.float64) / np.sqrt(
            self.variance.astype(np.float64) + self.epsilon
        )
        return factor, self.offset.astype(np.float64) - self.mean.astype(np.float64) * factor


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """A convolution in float32, then normalisation or bias, then ReLU6 where the layer has one.

    Attributes
    ----------
    layer : Layer
    weights : float32
        stem [3, 3, Cin, Cout]; depthwise [3, 3, C]; others [Cin, Cout].
    bias : float32 [Cout] or None
    normalization : BatchNormalization or None
    ceiling : float32 [Cout] or None
        Where ReLU6 clips each channel, if that is not 6: a channel divided by s clips at 6 / s.
    """

    layer: Layer
    weights: np.ndarray
    bias: np.ndarray | None = None
    normalization: BatchNormalization | None = None
    ceiling: np.ndarray | None = None

    __repr__ = short_repr

    def __post_init__(self):
        layer, shape = self.layer, self.layer.weight_shape
        if self.weights.dtype != np.float32 or self.weights.shape != shape:
            raise ValueError(
                f"Weights of {layer.name} must be float32 {shape}, "
                f"not {self.weights.dtype} {self.weights.shape!r}"
            )

    def folded(self):
        """The same layer with the normalisation folded into weights and bias (in float64)."""
        if self.normalization is None:
            return self
        factor, offset = self.normalization.factor_and_offset()
        bias = offset if self.bias is None else offset + self.bias * factor
        return FloatLayer(
            self.layer,
            (self.weights * factor).astype(np.float32),
            bias.astype(np.float32),
            ceiling=self.ceiling,
        )

    def accumulate(self, x):
        """The convolution alone: float32 [H', W', Cout] of float32 [H, W, Cin]."""
        if self.layer.kind == "stem":
            return convolve(x, self.weights, self.layer.stride, self.layer.padding)
        if self.layer.kind == "depthwise":
            return convolve_depthwise(x, self.weights, self.layer.stride, self.layer.padding)
        rows, columns, channels = x.shape
        return (x.reshape(-1, channels) @ self.weights).reshape(rows, columns, -1)

    def run(self, x):
        """float32 [H', W', Cout] of float32 [H, W, Cin]."""
        y = self.accumulate(x)
        if self.bias is not None:
            y = y + self.bias
        if self.normalization is not None:
            factor, offset = self.normalization.factor_and_offset()
            y = y * factor.astype(np.float32) + offset.astype(np.float32)
        if not self.layer.relu6:
            return y
        return np.clip(y, np.float32(0), np.float32(6) if self.ceiling is None else self.ceiling)


@dataclass(frozen=True, eq=False)
class FloatModel:
    """A whole network in float32.

    Attributes
    ----------
    network : Network
    layers : dict of str to FloatLayer
        One for each convolution, by name.
    input_normalization : InputNormalization
        What its inputs were normalised with in training.
    notes : tuple of str
        What a reader took from the file in another form than it is there, to be said.
    """

    network: Network
    layers: dict[str, FloatLayer]
    input_normalization: InputNormalization = IMAGENET_NORMALIZATION
    notes: tuple[str, ...] = ()

    def __repr__(self):
        return f"FloatModel({self.network.title}, {self.network.parameters:,} parameters)"

    def folded(self):
        """The same model with every normalisation folded into its convolution."""
        return replace(self, layers={name: x.folded() for name, x in self.layers.items()})

    def run(self, image, watch=None):
        """Every tensor of one image.

        Parameters
        ----------
        image : float32 [H, W, 3]
            Normalised as `input_normalization` says.
        watch : function of (mnv2.golden.network.Layer, float32 [H, W, Cin]), optional
            Called with each convolution and its input.

        Returns
        -------
        dict of str to float32 [H, W, C]
            The names of `QuantizedModel.run`, without `logits_accumulator`; `classifier` holds
            the logits [1, 1, classes].
        """
        if image.dtype != np.float32 or image.shape != self.network.input_shape:
            raise ValueError(
                f"An image must be float32 {self.network.input_shape}, "
                f"not {image.dtype} {image.shape!r}"
            )
        tensors = {"input": image}

        def run(name, x):
            if watch is not None:
                watch(self.layers[name].layer, x)
            tensors[name] = self.layers[name].run(x)
            return tensors[name]

        x = run("stem", image)
        for block in self.network.blocks:
            shortcut = x
            for layer in block.layers:
                x = run(layer.name, x)
            if block.residual:
                x = tensors[block.add_name] = shortcut + x
        if self.network.head is not None:
            x = run("head", x)
        x = tensors["pool"] = x.mean(axis=(0, 1), keepdims=True, dtype=np.float32)
        run("classifier", x)
        return tensors


def _pad(x, padding):
    return np.pad(x, (*padding, (0, 0)))


def convolve(x, weights, stride, padding):
    """float32 [H, W, C] with weights [K, K, C, M] to [H', W', M], by gathered windows."""
    size = weights.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(_pad(x, padding), (size, size), (0, 1))
    windows = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2)
    rows, columns = windows.shape[:2]
    matrix = weights.reshape(-1, weights.shape[-1])
    return (windows.reshape(rows * columns, -1) @ matrix).reshape(rows, columns, -1)


def convolve_depthwise(x, weights, stride, padding):
    """float32 [H, W, C] with weights [K, K, C] to [H', W', C], tap by tap."""
    size = weights.shape[0]
    padded = _pad(x, padding)
    rows = (padded.shape[0] - size) // stride + 1
    columns = (padded.shape[1] - size) // stride + 1
    total = np.zeros((rows, columns, x.shape[2]), np.float32)
    for top in range(0, rows, 8):  # bands of rows that stay in the cache
        band = total[top : top + 8]
        for dy in range(size):
            first = top * stride + dy
            for dx in range(size):
                band += (
                    weights[dy, dx]
                    * padded[
                        first : first + (len(band) - 1) * stride + 1 : stride,
                        dx : dx + (columns - 1) * stride + 1 : stride,
                    ]
                )
    return total
