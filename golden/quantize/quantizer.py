"""Post-training quantisation: a float model, what was seen of it, and options make integers."""

import numpy as np

from mnv2.golden.fixed_point import activation_type, round_half_away, signed_range
from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantize.adaptive_rounding import adaptive_integers
from mnv2.golden.quantize.bias_correction import corrected_bias
from mnv2.golden.quantize.calibration import Calibration
from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.quantize.integer_record import add_record, layer_record, mean_record
from mnv2.golden.quantize.options import QuantizationOptions
from mnv2.golden.quantize.ranges import choose_ranges
from mnv2.golden.quantize.scales import nearest_integers, tensor_parameters, weight_scales
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.quantized_layer import with_arithmetic

REPAIRS = ("equalization", "bias_correction", "adaptive_rounding", "block_reconstruction")


def quantize_model(model, calibration, options=None, progress=None):
    """Post-training quantisation of a float model.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
        Normalisations are folded here if they are not yet.
    calibration : mnv2.golden.quantize.Calibration, or dict of str to (minimum, maximum)
        What `calibrate` collected for these options (or for more). Or the real range of every
        tensor that `FloatModel.run` names; then no repair can be made.
    options : QuantizationOptions, optional
    progress : function of (done, total), optional
        Called after each layer that is rounded adaptively, which takes seconds, or after each unit
        whose roundings are trained, which takes minutes.

    Returns
    -------
    mnv2.golden.model.QuantizedModel

    Raises
    ------
    ValueError
        If the calibration lacks what the options need, or an override names no layer.
    """
    options = options or QuantizationOptions()
    options.check_names(model.network)
    statistics = None
    if isinstance(calibration, Calibration):
        statistics = _needed_statistics(calibration, options)
        ranges = choose_ranges(
            statistics,
            options.range_method,
            calibration.input_range,
            options.activation_bits_of,
            options.percentile,
            options.scales,
        )
    elif any(getattr(options, repair) for repair in REPAIRS):
        raise ValueError("Repairs need a Calibration, not the ranges of tensors alone")
    else:
        ranges = calibration
    model = equalize(model) if options.equalization else model.folded()
    pictures = calibration.pictures if isinstance(calibration, Calibration) else ()
    return _assemble(model, ranges, statistics, options, progress, pictures)


def quantize_image(image, model):
    """float32 [H, W, 3] to the integer input of a QuantizedModel, clamped to its bits.

    Halves go away from zero, or to even where the model rounds so.
    """
    scaled = np.asarray(image, np.float32) / np.float32(model.input_scale)
    even = model.stem.arithmetic.rounding == "even"
    values = (np.rint(scaled) if even else round_half_away(scaled)) + model.input_zero_point
    return np.clip(values, *signed_range(model.input_bits)).astype(
        activation_type(model.input_bits)
    )


def _needed_statistics(calibration, options):
    """The statistics that the options need, or ValueError."""
    statistics = calibration.statistics.get(options.equalization)
    what = None
    if statistics is None:
        what = f"equalization={options.equalization}"
    elif options.adaptive_rounding and any(x.gram is None for x in statistics.moments.values()):
        what = "adaptive_rounding=True"
    if what:
        raise ValueError(
            f"The calibration must be made for options with {what}; pass them to calibrate"
        )
    return statistics


def _train(model, pictures, affine, options, progress):
    """The trained form of each layer; PyTorch is loaded here."""
    if not pictures:
        raise ValueError(
            "The calibration must be made for options with block_reconstruction=True; pass them to "
            "calibrate"
        )
    try:
        from mnv2.golden.quantize.block_reconstruction import reconstruct
    except ImportError:
        raise ValueError(
            "Training of roundings needs PyTorch, which is not installed: pip install 'mnv2[gpu]'"
        ) from None
    return reconstruct(model, pictures, affine, options, progress)


def _truncated(layer, weights, affine):
    """The mean loss of a layer's outputs to truncation: half a step for each one made.

    The residual addition after a project layer and the pool before the classifier have no bias of
    their own, so these two layers' biases answer for them. The classifier's own step is left: its
    accumulators are read as they are.
    """
    if layer.kind == "classifier":
        return affine["pool"][0] / 2 * weights.sum(axis=0, dtype=np.float64)
    add = affine[f"block{layer.block}.add"][0] if layer.residual else 0.0
    return (affine[layer.name][0] + add) / 2


def _assemble(model, ranges, statistics, options, progress, pictures):
    """The QuantizedModel of a folded model."""
    network, arithmetic = model.network, options.arithmetic
    ranges = dict(ranges)
    ranges["classifier"] = tuple(options.logits_headroom * end for end in ranges["classifier"])
    affine = {
        name: tensor_parameters(low, high, options.activation_bits_of(name), options.scales)
        for name, (low, high) in ranges.items()
    }
    count, done = len(model.layers), 0
    trained = {}
    if options.block_reconstruction:
        trained = _train(model, pictures, affine, options, progress)

    def rounded(layer, weights, bias, source, bits):
        """(scales, integers, bias) of a layer, repaired as the options say."""
        nonlocal done
        scales = weight_scales(
            weights,
            bias,
            affine[source][0],
            bits,
            options.granularity,
            options.scales,
            options.weight_range_method,
        )
        if options.adaptive_rounding:
            moments = statistics.moments[layer.name]
            # A mean error is the bias correction's to take off, if there is one.
            gram = moments.covariance() if options.bias_correction else moments.gram
            integers = adaptive_integers(layer, weights, scales, gram, bits)
            done += 1
            if progress is not None:
                progress(done, count)
        else:
            integers = nearest_integers(weights, scales, bits)
        if options.bias_correction:
            mean = statistics.moments[layer.name].mean()
            bias = corrected_bias(layer, weights, bias, integers, scales, mean)
        return scales, integers, bias

    def convolution(layer, source):
        record, bits = model.layers[layer.name], options.weight_bits_of(layer.name)
        bias = (
            record.bias if record.bias is not None else np.zeros(layer.output_channels, np.float32)
        )
        if layer.name in trained:
            made = trained[layer.name]
            scales, integers, bias = made.scales, made.integers, made.bias
        else:
            scales, integers, bias = rounded(layer, record.weights, bias, source, bits)
        if arithmetic.rounding == "truncate" and (trained or options.bias_correction):
            bias = bias + _truncated(layer, record.weights, affine)
        ceiling = 6.0 if record.ceiling is None else float(record.ceiling.max())
        return layer_record(
            layer,
            record.weights,
            bias,
            affine[source],
            affine[layer.name],
            bits,
            options.activation_bits_of(layer.name),
            scales,
            integers,
            ceiling,
            arithmetic,
        )

    def output_of(name):
        bits = options.activation_bits_of(name)
        return (*affine[name], *signed_range(bits), bits)

    stem, source = convolution(network.stem, "input"), "stem"
    blocks = []
    for block in network.blocks:
        made, shortcut = {}, source
        for layer in block.layers:
            made[layer.kind] = convolution(layer, source)
            source = layer.name
        add = None
        if block.residual:
            add = with_arithmetic(
                add_record(
                    block.add_name, *affine[shortcut], *affine[source], *output_of(block.add_name)
                ),
                arithmetic,
            )
            source = block.add_name
        blocks.append(
            QuantizedBlock(block.name, made.get("expand"), made["depthwise"], made["project"], add)
        )
    head = None
    if network.head is not None:
        head, source = convolution(network.head, source), "head"
    pixels = network.pool.kernel_size[0] * network.pool.kernel_size[1]
    pool = with_arithmetic(
        mean_record("pool", pixels, *affine[source], *output_of("pool")), arithmetic
    )
    classifier = convolution(network.classifier, "pool")
    return QuantizedModel(
        network,
        stem,
        tuple(blocks),
        head,
        pool,
        classifier,
        *affine["input"],
        options.activation_bits_of("input"),
    )
