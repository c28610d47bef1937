"""Random integer layers, blocks and networks whose outputs spread over their range.

Weights drawn at random with scales drawn at random saturate everywhere and hide faults. Here each
layer is run on the output of the one before it, and its factors are chosen from the accumulators
that come out. Scales, multipliers and shifts belong together as a quantiser's would, so that the
same models can be exported.
"""

import numpy as np

from mnv2.golden.arithmetic import LITERT
from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fixed_point import activation_type, dequantize, quantize_multipliers, signed_range
from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantize import add_record, affine_parameters, mean_record
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.quantized_layer import QuantizedLayer, with_arithmetic

#: Inputs that scales are fitted to; a map of one pixel has no spread of its own.
SAMPLES = 6


def random_activation(rng, shape, activation_bits=8):
    """int8 (int16 beyond 8 bits) of a shape, uniform over the range of ``activation_bits``."""
    low, high = signed_range(activation_bits)
    return rng.integers(low, high + 1, shape, dtype=activation_type(activation_bits))


def _accumulate(layer, weights, sample, input_zero_point):
    """Accumulators without bias, float64 [pixels, Cout]."""
    bias = np.zeros(layer.output_channels, np.int32)
    if weights.ndim == 2:
        acc = fast_ops.pointwise_conv2d(sample, weights, bias, input_zero_point)
    else:
        run = fast_ops.conv2d if layer.kind == "stem" else fast_ops.depthwise_conv2d
        acc = run(sample, weights, bias, input_zero_point, layer.stride, layer.padding)
    return acc.reshape(-1, layer.output_channels).astype(np.float64)


def random_layer(
    rng,
    layer,
    samples,
    input_scale,
    input_zero_point,
    weight_bits=8,
    activation_bits=8,
    arithmetic=LITERT,
):
    """A QuantizedLayer for a `mnv2.golden.network.Layer`, fitted to samples of its input.

    Parameters
    ----------
    rng : numpy.random.Generator
    layer : mnv2.golden.network.Layer
    samples : sequence of int8 or int16 [H, W, C]
        Inputs; each channel's factor brings its accumulators to a spread of about a third of
        the output's range. ReLU6 layers clamp roughly a third of their outputs at zero, and half of
        them also clamp inside the top of the range.
    input_scale, input_zero_point
        Of the samples.
    arithmetic : mnv2.golden.arithmetic.Arithmetic
        Its accumulator is not seen to: a narrow one overflows.

    Returns
    -------
    QuantizedLayer
    """
    low, high = signed_range(activation_bits)
    span = high - low
    top = 2 ** (weight_bits - 1) - 1
    weights = rng.integers(-top, top + 1, layer.weight_shape, dtype=np.int8)
    # No quantiser makes the lowest weight there is, but files may hold it: some do here.
    weights[weights == weights.min()] = -top - 1
    channels = layer.output_channels
    flat = np.concatenate(
        [_accumulate(layer, weights, sample, input_zero_point) for sample in samples]
    )
    # A few pixels say little of a channel's spread: look across channels too.
    spread = np.maximum(flat.std(axis=0), max(flat.std() / 8, 1.0))
    if layer.relu6:
        zero_point = int(low + rng.integers(0, max(1, span // 8) + 1))
        minimum = zero_point
        maximum = high if rng.random() < 0.5 else int(high - rng.integers(0, span // 8 + 1))
        aim = spread * rng.uniform(-0.3, 1.5, channels)
    else:
        zero_point = int(rng.integers(-(span // 8), span // 8 + 1))
        minimum, maximum = low, high
        aim = spread * rng.uniform(-0.8, 0.8, channels)
    bias = np.round(aim - flat.mean(axis=0)).astype(np.int32)
    real = span / 3 / spread * rng.uniform(0.5, 1.5, channels)
    output_scale = np.float32(input_scale * rng.uniform(0.5, 2.0))
    weight_scales = (real * np.float64(output_scale) / np.float64(input_scale)).astype(np.float32)
    multiplier, shift = quantize_multipliers(
        np.float64(input_scale) * weight_scales.astype(np.float64) / np.float64(output_scale)
    )
    record = QuantizedLayer(
        name=layer.name,
        kind=layer.kind,
        weights=weights,
        bias=bias,
        multiplier=multiplier,
        shift=shift,
        input_scale=float(input_scale),
        input_zero_point=int(input_zero_point),
        weight_scales=weight_scales,
        output_scale=float(output_scale),
        output_zero_point=zero_point,
        minimum=minimum,
        maximum=maximum,
        stride=layer.stride,
        padding=layer.padding,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
    )
    return with_arithmetic(record, arithmetic)


def _fit_block(rng, block, samples, scale, zero_point, weight_bits, activation_bits, arithmetic):
    """(QuantizedBlock, its outputs) for a `mnv2.golden.network.Block` on samples of its input."""
    low, high = signed_range(activation_bits)
    layers, shortcuts = {}, samples
    a_scale, a_zero = scale, zero_point
    for layer in block.layers:
        made = random_layer(
            rng, layer, samples, scale, zero_point, weight_bits, activation_bits, arithmetic
        )
        layers[layer.kind] = made
        samples = [made.run(x) for x in samples]
        scale, zero_point = made.output_scale, made.output_zero_point
    residual = None
    if block.residual:
        sums = np.concatenate(
            [
                (dequantize(a, a_scale, a_zero) + dequantize(b, scale, zero_point)).ravel()
                for a, b in zip(shortcuts, samples, strict=True)
            ]
        )
        # The outermost values clamp, so that the clamp is seen to work.
        least, most = np.quantile(sums, (0.01, 0.99))
        output_scale, output_zero = affine_parameters(least, most, activation_bits)
        residual = with_arithmetic(
            add_record(
                block.add_name,
                a_scale,
                a_zero,
                scale,
                zero_point,
                output_scale,
                output_zero,
                low,
                high,
                activation_bits,
            ),
            arithmetic,
        )
        samples = [residual.run(a, b) for a, b in zip(shortcuts, samples, strict=True)]
    return QuantizedBlock(
        block.name, layers.get("expand"), layers["depthwise"], layers["project"], residual
    ), samples


def random_block(rng, block, weight_bits=8, activation_bits=8, arithmetic=LITERT):
    """A QuantizedBlock and an input for it.

    Parameters
    ----------
    rng : numpy.random.Generator
    block : mnv2.golden.network.Block
        From `mnv2.golden.network.build_block` or a network.

    Returns
    -------
    (QuantizedBlock, int8 [H, W, C])
        The input is one that the block was fitted to; `random_activation` makes others.
    """
    low, high = signed_range(activation_bits)
    samples = [random_activation(rng, block.input_shape, activation_bits) for _ in range(SAMPLES)]
    scale = float(np.float32(rng.uniform(0.01, 0.1)))
    zero_point = int(rng.integers(low // 2, high // 2 + 1))
    made, _ = _fit_block(
        rng, block, samples, scale, zero_point, weight_bits, activation_bits, arithmetic
    )
    return made, samples[0]


def random_model(rng, network, weight_bits=8, activation_bits=8, arithmetic=LITERT):
    """A QuantizedModel for a `mnv2.golden.network.Network`, and one image it was fitted to.

    Returns
    -------
    (QuantizedModel, int8 [H, W, 3])
    """
    images = samples = [
        random_activation(rng, network.input_shape, activation_bits) for _ in range(SAMPLES)
    ]
    input_scale = float(np.float32(2.0 ** (3 - activation_bits)))
    input_zero = int(rng.integers(-2, 3))
    bits = (weight_bits, activation_bits, arithmetic)
    stem = random_layer(rng, network.stem, samples, input_scale, input_zero, *bits)
    samples = [stem.run(x) for x in samples]
    scale, zero = stem.output_scale, stem.output_zero_point
    blocks = []
    for block in network.blocks:
        made, samples = _fit_block(rng, block, samples, scale, zero, *bits)
        last = made.output
        scale, zero = last.output_scale, last.output_zero_point
        blocks.append(made)
    head = None
    if network.head is not None:
        head = random_layer(rng, network.head, samples, scale, zero, *bits)
        samples = [head.run(x) for x in samples]
        scale, zero = head.output_scale, head.output_zero_point
    pixels = samples[0].shape[0] * samples[0].shape[1]
    mean_scale = float(np.float32(scale * rng.uniform(0.5, 1.0)))
    low, high = signed_range(activation_bits)
    pool = with_arithmetic(
        mean_record(
            "pool",
            pixels,
            scale,
            zero,
            mean_scale,
            low,
            low,
            high,
            activation_bits,
        ),
        arithmetic,
    )
    classifier = random_layer(
        rng,
        network.classifier,
        [pool.run(x) for x in samples],
        pool.output_scale,
        pool.output_zero_point,
        *bits,
    )
    return QuantizedModel(
        network,
        stem,
        tuple(blocks),
        head,
        pool,
        classifier,
        input_scale,
        input_zero,
        activation_bits,
    ), images[0]
