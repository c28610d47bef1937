"""One format judged against the float network on some pictures.

What all formats share, a `Workload` and `Chunk`s, is made once. Each function here takes and gives
plain data, so that it runs in this process or on any machine with the same result. A format that
cannot be made or run gives a `Failure`, not an exception.
"""

from dataclasses import dataclass

import numpy as np

from golden.arithmetic import Arithmetic
from golden.fixed_point import dequantize
from golden.quantize import (
    QuantizationOptions,
    first_and_last,
    quantize_image,
    quantize_model,
)
from golden.quantize.equalization import equalize
from sim.classify import compared_tensors
from sim.explore.uncertainty import mean_and_error, proportion_error
from sim.images import normalize

__all__ = ["Chunk", "Failure", "Workload", "evaluate_chunk", "make_chunk", "make_model",
           "quantization_options", "reference_accuracy", "summarize"]

#: Ranks that count as found, beside the first.
TOP = 5


@dataclass(frozen=True, eq=False)
class Workload:
    """What every point needs beside pictures.

    Attributes
    ----------
    model : golden.float_model.FloatModel
        Folded.
    calibration : golden.quantize.Calibration
    """

    model: object
    calibration: object


@dataclass(frozen=True, eq=False)
class Chunk:
    """Pictures to judge by, and what the float network makes of them.

    Attributes
    ----------
    pixels : uint8 [N, H, W, 3]
    labels : int64 [N] or None
    logits : float32 [N, classes]
    tensors : dict of bool to dict of str to float32 [N, H, W, C]
        Of the float network (False) and of the equalised one (True), whose inner channels have
        other scales: the tensors whose quality is reported. Empty where it is not.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    logits: np.ndarray
    tensors: dict


@dataclass(frozen=True)
class Failure:
    """Why a point has no figures."""

    reason: str


def quantization_options(point):
    """The golden.quantize.QuantizationOptions of a `sim.explore.grid.Point`."""
    return QuantizationOptions(
        weight_bits=point.weight_bits,
        activation_bits=point.activation_bits,
        overrides=first_and_last(8) if point.first_last == "8" else (),
        granularity=point.granularity,
        scales=point.scales,
        arithmetic=Arithmetic(point.multiplier_bits, point.rounding, point.accumulator_bits,
                              point.overflow),
        range_method=point.ranges,
        weight_range_method=point.weight_ranges,
        equalization=point.equalization == "on",
        bias_correction=point.bias_correction == "on",
        adaptive_rounding=point.adaptive_rounding == "on",
    )


def _reason(error):
    """An exception in one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return text if text and isinstance(error, ValueError) else f"{name}: {text}" if text else name


def make_chunk(workload, pixels, labels, networks=()):
    """Run the float network on some pictures.

    Parameters
    ----------
    workload : Workload
    pixels : uint8 [N, H, W, 3]
    labels : int64 [N] or None
    networks : sequence of bool
        Whose tensors to keep: of the float network (False), of the equalised one (True).

    Returns
    -------
    Chunk
    """
    logits, tensors = [], {}
    models = {False: workload.model}
    if True in networks:
        models[True] = equalize(workload.model)
    names = set(_compared_names(workload.model.network))
    for equalized, model in models.items():
        kept = {}
        for picture in pixels:
            made = model.run(normalize(picture))
            if not equalized:
                logits.append(made["classifier"].reshape(-1))
            if equalized in networks:
                for name in names:
                    kept.setdefault(name, []).append(made[name])
        if kept:
            tensors[equalized] = {name: np.stack(values) for name, values in kept.items()}
    return Chunk(pixels, labels, np.stack(logits), tensors)


def _compared_names(network):
    """Tensors whose quality is reported: stem, blocks' outputs, head, pool, classifier."""
    return ["stem", *(block.output_name for block in network.blocks), "head", "pool", "classifier"]


def make_model(workload, point):
    """The integer network of a point.

    Returns
    -------
    golden.model.QuantizedModel or Failure
    """
    try:
        return quantize_model(workload.model, workload.calibration, quantization_options(point))
    except Exception as error:               # whatever it is, it is this point's alone
        return Failure(_reason(error))


def evaluate_chunk(model, chunk, count_overflows=False):
    """Run the integer network on some pictures and compare.

    Parameters
    ----------
    model : golden.model.QuantizedModel or Failure
    chunk : Chunk
    count_overflows : bool
        Count the accumulators that overflow; it takes time, and none does that has 32 bits.

    Returns
    -------
    dict of str to array [N], or Failure
        ``agree_top1``, ``agree_top5`` and, with labels, ``label_top1``, ``label_top5`` (bool);
        ``sqnr_db``, ``cosine`` of the logits; ``overflows``; ``layer.<name>``, SQNR in dB, where
        the chunk has tensors.
    """
    if isinstance(model, Failure):
        return model
    try:
        return _evaluate(model, chunk, count_overflows)
    except Exception as error:
        return Failure(_reason(error))


def _evaluate(model, chunk, count_overflows):
    images = np.stack([quantize_image(normalize(picture), model) for picture in chunk.pixels])
    equalized = _is_equalized(model, chunk)
    reference = chunk.tensors.get(equalized, {})
    compared = [entry for entry in compared_tensors(model) if entry[0] in reference]
    keep = [*(name for name, _, _ in compared), "logits_accumulator"]
    tensors, overflows = _run(model, images, keep, count_overflows)
    logits = np.stack([model.logits({"logits_accumulator": one})
                       for one in tensors["logits_accumulator"]])
    measures = {**_rankings(logits, chunk), **_distances(logits, chunk.logits)}
    if overflows is not None:
        measures["overflows"] = overflows
    for name, scale, zero_point in compared:
        value = dequantize(tensors[name], scale, zero_point)
        measures[f"layer.{name}"] = _sqnr_db(reference[name], value)
    return measures
