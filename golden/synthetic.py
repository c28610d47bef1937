"""Random integer layers, blocks and networks whose outputs spread over their range.

Weights drawn at random with scales drawn at random saturate everywhere and hide faults. Here each
layer is run on the output of the one before it, and its factors are chosen from the accumulators
that come out. Scales, multipliers and shifts belong together as a quantiser's would, so that the
same models can be exported.
"""

import numpy as np

from golden import fast_ops
from golden.fixed_point import quantize_multipliers, signed_range
from golden.model import (
    QuantizedBlock,
    QuantizedLayer,
    QuantizedModel,
)
from golden.network import build_block
from golden.quantize import add_record, mean_record


def random_activation(rng, shape, activation_bits=8):
    """int8 of the given shape, uniform over the range of so many bits."""
    low, high = signed_range(activation_bits)
    return rng.integers(low, high + 1, shape, dtype=np.int8)


def random_layer(rng, layer, sample, input_scale, input_zero_point, weight_bits=8,
                 activation_bits=8):
    """A QuantizedLayer for a `golden.network.Layer`, fitted to a sample of its input.

    Parameters
    ----------
    rng : numpy.random.Generator
    layer : golden.network.Layer
    sample : int8 [H, W, C]
        An input; each channel's factor brings its accumulators to a spread of about a third of
        the output's range. ReLU6 layers clamp roughly a third of their outputs at zero, and half of
        them also clamp inside the top of the range.
    input_scale, input_zero_point
        Of the sample.

    Returns
    -------
    QuantizedLayer
    """
    low, high = signed_range(activation_bits)
    span = high - low
    top = 2 ** (weight_bits - 1) - 1
    taps = layer.kernel_size[0] * layer.kernel_size[1]
    shape = {"stem": (3, 3, layer.input_channels, layer.output_channels),
             "depthwise": (3, 3, layer.output_channels)}.get(
                 layer.kind, (layer.input_channels, layer.output_channels))
    weights = rng.integers(-top, top + 1, shape, dtype=np.int8)
    channels = layer.output_channels
    zero_bias = np.zeros(channels, np.int32)
    if len(shape) == 2:
        acc = fast_ops.pointwise_conv2d(sample, weights, zero_bias, input_zero_point)
    else:
        run = fast_ops.conv2d if layer.kind == "stem" else fast_ops.depthwise_conv2d
        acc = run(sample, weights, zero_bias, input_zero_point, layer.stride, layer.padding)
    flat = acc.reshape(-1, channels).astype(np.float64)
    # A map of a pixel or two says nothing of a channel's spread: expect that of the products.
    expected = np.sqrt(taps * (layer.input_channels if len(shape) != 3 else 1)) * top * span / 6
    spread = np.maximum(flat.std(axis=0), expected / 8)
    if layer.relu6:
        zero_point = int(low + rng.integers(0, max(1, span // 8) + 1))
        minimum = zero_point
        maximum = high if rng.random() < 0.5 else int(high - rng.integers(0, span // 8 + 1))
        aim = spread * rng.uniform(0.0, 1.5, channels)
    else:
        zero_point = int(rng.integers(-(span // 8), span // 8 + 1))
        minimum, maximum = low, high
        aim = spread * rng.uniform(-0.5, 0.5, channels)
    bias = np.round(aim - flat.mean(axis=0)).astype(np.int32)
    real = span / 3 / spread * rng.uniform(0.5, 1.5, channels)
    output_scale = np.float32(input_scale * rng.uniform(0.5, 2.0))
    weight_scales = (real * np.float64(output_scale) / np.float64(input_scale)).astype(np.float32)
    multiplier, shift = quantize_multipliers(
        np.float64(input_scale) * weight_scales.astype(np.float64) / np.float64(output_scale))
    return QuantizedLayer(
        name=layer.name, kind=layer.kind, weights=weights, bias=bias, multiplier=multiplier,
        shift=shift, input_scale=float(input_scale), input_zero_point=int(input_zero_point),
        weight_scales=weight_scales, output_scale=float(output_scale),
        output_zero_point=zero_point, minimum=minimum, maximum=maximum, stride=layer.stride,
        padding=layer.padding, weight_bits=weight_bits, activation_bits=activation_bits)


def _fit_block(rng, block, x, scale, zero_point, weight_bits, activation_bits):
    """(QuantizedBlock, its output) for a `golden.network.Block` on the input x."""
    low, high = signed_range(activation_bits)
    layers, a = {}, x
    a_scale, a_zero = scale, zero_point
    for layer in block.layers:
        made = random_layer(rng, layer, x, scale, zero_point, weight_bits, activation_bits)
        layers[layer.kind] = made
        x, scale, zero_point = made.run(x), made.output_scale, made.output_zero_point
    residual = None
    if block.residual:
        output_scale = float(np.float32(max(a_scale, scale) * rng.uniform(1.0, 1.8)))
        output_zero = int(rng.integers(-((high - low) // 8), (high - low) // 8 + 1))
        residual = add_record(block.add_name, a_scale, a_zero, scale, zero_point, output_scale,
                              output_zero, low, high, activation_bits)
        x = residual.run(a, x)
    return QuantizedBlock(block.name, layers.get("expand"), layers["depthwise"],
                          layers["project"], residual), x


def random_block(rng, block, weight_bits=8, activation_bits=8):
    """A QuantizedBlock and an input for it.

    Parameters
    ----------
    rng : numpy.random.Generator
    block : golden.network.Block
        From `golden.network.build_block` or a network.

    Returns
    -------
    (QuantizedBlock, int8 [H, W, C])
        The input is the sample that the block was fitted to; `random_activation` makes others.
    """
    low, high = signed_range(activation_bits)
    x = random_activation(rng, block.input_shape, activation_bits)
    scale = float(np.float32(rng.uniform(0.01, 0.1)))
    zero_point = int(rng.integers(low // 2, high // 2 + 1))
    made, _ = _fit_block(rng, block, x, scale, zero_point, weight_bits, activation_bits)
    return made, x


def random_small_block(rng, *, input_shape, expansion, output_channels, stride,
                       padding="pytorch", weight_bits=8, activation_bits=8, index=1):
    """`random_block` of a block given by its sizes; residual where stride and channels allow."""
    block = build_block(index, input_shape, expansion, output_channels, stride, padding)
    return random_block(rng, block, weight_bits, activation_bits)


def random_model(rng, network, weight_bits=8, activation_bits=8):
    """A QuantizedModel for a `golden.network.Network`, and the image it was fitted to.

    Returns
    -------
    (QuantizedModel, int8 [H, W, 3])
    """
    image = random_activation(rng, network.input_shape, activation_bits)
    input_scale = float(np.float32(2.0 ** (3 - activation_bits)))
    input_zero = int(rng.integers(-2, 3))
    bits = (weight_bits, activation_bits)
    stem = random_layer(rng, network.stem, image, input_scale, input_zero, *bits)
    x, scale, zero = stem.run(image), stem.output_scale, stem.output_zero_point
    blocks = []
    for block in network.blocks:
        made, x = _fit_block(rng, block, x, scale, zero, *bits)
        last = made.add or made.project
        scale, zero = last.output_scale, last.output_zero_point
        blocks.append(made)
    head = random_layer(rng, network.head, x, scale, zero, *bits)
    x = head.run(x)
    pixels = x.shape[0] * x.shape[1]
    mean_scale = float(np.float32(head.output_scale * rng.uniform(0.5, 1.0)))
    low, high = signed_range(activation_bits)
    pool = mean_record("pool", pixels, head.output_scale, head.output_zero_point, mean_scale, low,
                       low, high, activation_bits)
    classifier = random_layer(rng, network.classifier, pool.run(x), pool.output_scale,
                              pool.output_zero_point, *bits)
    return QuantizedModel(network, stem, tuple(blocks), head, pool, classifier, input_scale,
                          input_zero), image
