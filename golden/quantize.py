"""From real ranges and weights to the records of the integer model.

Ref: LiteRT `tflite/kernels/kernel_util.cc` (PopulateConvolutionQuantizationParams,
CalculateActivationRangeQuantized), `tflite/kernels/add.cc`, `tflite/kernels/reduce.cc`; LiteRT's
8-bit quantization specification.
"""

from dataclasses import dataclass

import numpy as np

from golden.fixed_point import (
    add_left_shift,
    mean_multiplier,
    quantize_multiplier,
    quantize_multipliers,
    round_half_away,
    signed_range,
)
from golden.model import (
    QuantizedAdd,
    QuantizedBlock,
    QuantizedLayer,
    QuantizedMean,
    QuantizedModel,
)

#: Largest bias a weight scale may lead to: half of int32, so that accumulators have room.
MAXIMUM_BIAS = 2**30


@dataclass(frozen=True)
class QuantizationOptions:
    """Choices of post-training quantisation.

    Parameters
    ----------
    weight_bits, activation_bits : int
        4 to 8.
    logits_headroom : float
        The logits' range is this many times the calibrated one, at least 1, so that the int8
        logits of other pictures do not clip.
    """

    weight_bits: int = 8
    activation_bits: int = 8
    logits_headroom: float = 1.5

    def __post_init__(self):
        for what in ("weight_bits", "activation_bits"):
            if getattr(self, what) not in range(4, 9):
                raise ValueError(f"{what} must be 4 to 8, not {getattr(self, what)!r}")
        if not self.logits_headroom >= 1:
            raise ValueError(f"logits_headroom must be at least 1, not {self.logits_headroom!r}")


def affine_parameters(minimum, maximum, bits=8):
    """(scale, zero_point) of an asymmetric integer range that covers [minimum, maximum] and 0.

    Returns
    -------
    scale : float
        A value of float32, positive.
    zero_point : int
        Within the signed range of so many bits.
    """
    if not (np.isfinite(minimum) and np.isfinite(maximum) and minimum <= maximum):
        raise ValueError(f"A range must be finite and ordered, not {(minimum, maximum)!r}")
    low, high = signed_range(bits)
    minimum, maximum = min(float(minimum), 0.0), max(float(maximum), 0.0)
    scale = float(np.float32((maximum - minimum) / (high - low)))
    if scale < np.finfo(np.float32).tiny:
        return 1.0, 0
    zero_point = int(round_half_away(low - minimum / scale))
    return scale, min(max(zero_point, low), high)


def weight_scales(weights, bias, input_scale, bits=8):
    """Symmetric scale of each output channel (the last axis), float32 [Cout].

    max|w| / (2**(bits-1) - 1); larger where the bias would not fit 31 bits at it, which happens to
    nearly dead channels.
    """
    axes = tuple(range(weights.ndim - 1))
    largest = np.abs(weights.astype(np.float64)).max(axis=axes)
    needed = np.abs(np.asarray(bias, np.float64)) / (np.float64(input_scale) * MAXIMUM_BIAS)
    scales = np.maximum(largest / (2 ** (bits - 1) - 1), needed)
    scales = np.where(scales < np.finfo(np.float32).tiny, 1.0, scales)
    return scales.astype(np.float32)


def relu6_clamp(scale, zero_point, bits=8):
    """(minimum, maximum) of a layer with ReLU6.

    Ref: LiteRT kernel_util.cc, CalculateActivationRangeQuantizedImpl: float32, half away.
    """
    low, high = signed_range(bits)
    six = zero_point + int(round_half_away(np.float32(6) / np.float32(scale)))
    return max(low, zero_point), min(high, six)


def layer_record(layer, weights, bias, source, target, weight_bits=8, activation_bits=8,
                 scales=None):
    """The QuantizedLayer of a convolution with float weights.

    Parameters
    ----------
    layer : golden.network.Layer
    weights, bias : float32
        Normalisation folded; axes as in QuantizedLayer.
    source, target : (scale, zero_point)
        Of the input and of the output.
    scales : float32 [Cout], optional
        Weight scales; by default those of `weight_scales`.
    """
    top = 2 ** (weight_bits - 1) - 1
    if scales is None:
        scales = weight_scales(weights, bias, source[0], weight_bits)
    wide = scales.astype(np.float64)
    product = np.float64(np.float32(source[0])) * wide
    integer = np.clip(round_half_away(weights / wide), -top, top).astype(np.int8)
    multiplier, shift = quantize_multipliers(product / np.float64(np.float32(target[0])))
    low, high = signed_range(activation_bits)
    clamp = relu6_clamp(*target, activation_bits) if layer.relu6 else (low, high)
    return QuantizedLayer(
        name=layer.name, kind=layer.kind, weights=integer,
        bias=round_half_away(bias / product).astype(np.int32), multiplier=multiplier, shift=shift,
        input_scale=float(source[0]), input_zero_point=int(source[1]), weight_scales=scales,
        output_scale=float(target[0]), output_zero_point=int(target[1]), minimum=clamp[0],
        maximum=clamp[1], stride=layer.stride, padding=layer.padding, weight_bits=weight_bits,
        activation_bits=activation_bits)


def add_record(name, a_scale, a_zero_point, b_scale, b_zero_point, output_scale,
               output_zero_point, minimum, maximum, activation_bits=8):
    """The QuantizedAdd that LiteRT's ADD would prepare from these scales.

    Ref: LiteRT add.cc, Prepare, int8 branch.
    """
    a, b, out = (np.float64(np.float32(s)) for s in (a_scale, b_scale, output_scale))
    twice, lift = 2 * max(a, b), add_left_shift(activation_bits)
    a_multiplier, a_shift = quantize_multiplier(a / twice)
    b_multiplier, b_shift = quantize_multiplier(b / twice)
    multiplier, shift = quantize_multiplier(twice / ((1 << lift) * out))
    if multiplier and shift < 0:
        raise ValueError(f"The output scale of {name} must be above {twice / 2**lift!r},"
                         f" not {output_scale!r}")
    return QuantizedAdd(
        name, int(a_zero_point), int(b_zero_point), a_multiplier, a_shift, b_multiplier, b_shift,
        multiplier, shift, int(output_zero_point), float(out), int(minimum), int(maximum),
        float(a), float(b), activation_bits)


def mean_record(name, count, input_scale, input_zero_point, output_scale, output_zero_point,
                minimum=-128, maximum=127, activation_bits=8):
    """The QuantizedMean that LiteRT's MEAN would prepare for `count` pixels."""
    source, out = np.float64(np.float32(input_scale)), np.float64(np.float32(output_scale))
    multiplier, shift = mean_multiplier(*quantize_multiplier(source / out), count)
    return QuantizedMean(name, int(count), multiplier, shift, float(source),
                         int(input_zero_point), float(out), int(output_zero_point), int(minimum),
                         int(maximum), activation_bits)


def quantize_model(model, ranges, options=None):
    """Post-training quantisation of a float model.

    Parameters
    ----------
    model : golden.float_model.FloatModel
        Normalisations are folded here if they are not yet.
    ranges : dict of str to (minimum, maximum)
        Real range of every tensor that `FloatModel.run` names.
    options : QuantizationOptions, optional

    Returns
    -------
    QuantizedModel
    """
    options = options or QuantizationOptions()
    model = model.folded()
    network, bits = model.network, options.activation_bits
    ranges = dict(ranges)
    ranges["classifier"] = tuple(options.logits_headroom * end for end in ranges["classifier"])
    affine = {name: affine_parameters(*ends, bits) for name, ends in ranges.items()}
    low, high = signed_range(bits)

    def convolution(layer, source):
        record = model.layers[layer.name]
        return layer_record(layer, record.weights, record.bias, affine[source],
                            affine[layer.name], options.weight_bits, bits)

    stem, source = convolution(network.stem, "input"), "stem"
    blocks = []
    for block in network.blocks:
        made, shortcut = {}, source
        for layer in block.layers:
            made[layer.kind] = convolution(layer, source)
            source = layer.name
        add = None
        if block.residual:
            add = add_record(block.add_name, *affine[shortcut], *affine[source],
                             *affine[block.add_name], low, high, bits)
            source = block.add_name
        blocks.append(QuantizedBlock(block.name, made.get("expand"), made["depthwise"],
                                     made["project"], add))
    head = convolution(network.head, source)
    pixels = network.pool.kernel_size[0] * network.pool.kernel_size[1]
    pool = mean_record("pool", pixels, *affine["head"], *affine["pool"], low, high, bits)
    classifier = convolution(network.classifier, "pool")
    return QuantizedModel(network, stem, tuple(blocks), head, pool, classifier,
                          *affine["input"])
