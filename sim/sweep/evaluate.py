"""One format compared with the float network on some pictures.

The `Workload` and the `Chunk`s that all formats share are made once. Each function here takes and
gives plain data, so that it runs in this process or on any machine with the same result. A format
that cannot be made or run gives a `Failure`, not an exception.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnv2.golden.fixed_point import dequantize
from mnv2.golden.float_model import FloatModel, InputNormalization
from mnv2.golden.gpu.device import load_float_model
from mnv2.golden.model import QuantizedModel
from mnv2.golden.network import Network
from mnv2.golden.quantize import (
    Calibration,
    quantize_model,
)
from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.summary import short_repr
from mnv2.sim.networks.classify import compared_tensors
from mnv2.sim.pictures.decode import NO_LABEL
from mnv2.sim.pictures.images import normalize
from mnv2.sim.pictures.pixel_table import float_table, integer_table, look_up
from mnv2.sim.sweep.comparison import pack_hits
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import Point
from mnv2.sim.sweep.resident import resident_pixels
from mnv2.sim.sweep.uncertainty import mean_and_error, proportion_error

__all__ = [
    "Chunk",
    "Failure",
    "Workload",
    "evaluate_chunk",
    "make_chunk",
    "make_model",
    "places",
    "reference_accuracy",
    "sqnr_db_by_picture",
    "summarize",
]

#: Ranks that count as found in the top-5 measures.
TOP = 5
#: Limit of SQNR: beyond it, one of the two powers is nothing.
LIMIT_DB = 200.0


@dataclass(frozen=True, eq=False)
class Workload:
    """Data that every point needs, apart from pictures.

    Attributes
    ----------
    model : mnv2.golden.float_model.FloatModel
        Folded.
    calibration : mnv2.golden.quantize.Calibration
    """

    __repr__ = short_repr

    model: FloatModel
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class Chunk:
    """Pictures to evaluate on, with the results of the float network.

    Attributes
    ----------
    pixels : uint8 [N, H, W, 3]
    labels : int64 [N] or None
        `mnv2.sim.pictures.decode.NO_LABEL` for pictures without, in a set with labels.
    normalization : mnv2.golden.float_model.InputNormalization
        Normalisation of the network's pixels.
    logits : float32 [N, classes]
    tensors : dict of bool to dict of str to float32 [N, H, W, C]
        Of the float network (False) and of the equalised one (True), whose inner channels have
        other scales: the tensors whose quality is reported. Empty where it is not.
    """

    __repr__ = short_repr

    pixels: np.ndarray
    labels: np.ndarray | None
    normalization: InputNormalization
    logits: np.ndarray
    tensors: dict[bool, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Failure:
    """The reason why a point has no figures."""

    reason: str


def _reason(error: Exception) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return text if text and isinstance(error, ValueError) else f"{name}: {text}" if text else name


def make_chunk(
    workload: Workload,
    pixels: np.ndarray,
    labels: np.ndarray | None,
    networks: Sequence[bool] = (),
    device: str = "cpu",
) -> Chunk:
    """Run the float network on some pictures.

    Parameters
    ----------
    workload : Workload
    pixels : uint8 [N, H, W, 3]
    labels : int64 [N] or None
    networks : sequence of bool
        Whose tensors to keep: of the float network (False), of the equalised one (True).
    device : str
        ``"cpu"``, or the GPU that makes the logits of chunks without tensors, equal up to the
        rounding of float32.

    Returns
    -------
    Chunk
    """
    if device != "cpu" and not networks:
        normalization = workload.model.input_normalization
        table = float_table(normalization)
        made = load_float_model(workload.model, device).logits(pixels, table)
        return Chunk(pixels, labels, normalization, made, {})
    logits = []
    tensors: dict[bool, dict[str, np.ndarray]] = {}
    models = {False: workload.model}
    if True in networks:
        models[True] = equalize(workload.model)
    names = set(_compared_names(workload.model.network))
    for equalized, model in models.items():
        kept: dict[str, list[np.ndarray]] = {}
        for picture in pixels:
            made = model.run(normalize(picture, model.input_normalization))
            if not equalized:
                logits.append(made["classifier"].reshape(-1))
            if equalized in networks:
                for name in names:
                    kept.setdefault(name, []).append(made[name])
        if kept:
            tensors[equalized] = {name: np.stack(values) for name, values in kept.items()}
    normalization = workload.model.input_normalization
    return Chunk(pixels, labels, normalization, np.stack(logits), tensors)


def _compared_names(network: Network) -> list[str]:
    """Tensors whose quality is reported: stem, blocks' outputs, a head, pool, classifier."""
    ends = [stage.name for stage in network.stages[len(network.blocks) + 1 :]]
    return ["stem", *(block.output_name for block in network.blocks), *ends]


def make_model(workload: Workload, point: Point) -> QuantizedModel | Failure:
    """The integer network of a point.

    Returns
    -------
    mnv2.golden.model.QuantizedModel or Failure
    """
    try:
        options = quantization_options(point, workload.model.network)
        return quantize_model(workload.model, workload.calibration, options)
    except Exception as error:  # whatever it is, it is this point's alone
        return Failure(_reason(error))


def evaluate_chunk(
    point: Point, model: QuantizedModel | Failure, chunk: Chunk, device: str = "cpu"
) -> dict[str, np.ndarray] | Failure:
    """Run the integer network of a point on some pictures and compare.

    Parameters
    ----------
    point : mnv2.sim.sweep.grid.Point
    model : mnv2.golden.model.QuantizedModel or Failure
        The result of `make_model` for it.
    chunk : Chunk
    device : str
        ``"cpu"``, or the GPU that runs the network; the results are the same, every element.

    Returns
    -------
    dict of str to array, or Failure
        For each picture: ``agree_top1``, ``agree_top5`` (bool), no top-5 of five classes or fewer.
        For each with a label: ``label_top1``, ``label_top5``, and ``float_top1``, whether the float
        network finds the label. For each picture again: ``sqnr_db``, ``cosine`` of
        the logits; ``layer.<name>``, SQNR in dB, where the chunk has tensors. And ``overflows``
        [1], the accumulators of all pictures that did, where they are narrow.
    """
    if isinstance(model, Failure):
        return model
    try:
        return _evaluate(point, model, chunk, device)
    except Exception as error:
        return Failure(_reason(error))


def _evaluate(
    point: Point, model: QuantizedModel, chunk: Chunk, device: str
) -> dict[str, np.ndarray]:
    reference = chunk.tensors.get(point.equalization == "on", {})
    compared = [entry for entry in compared_tensors(model) if entry[0] in reference]
    names = [*(name for name, _, _ in compared), "logits_accumulator"]
    overflows: dict[str, int] | None = {} if point.accumulator_bits < 32 else None
    table = integer_table(model, chunk.normalization)
    if device == "cpu":
        tensors = model.run_batch(look_up(chunk.pixels, table), names, overflows)
    else:
        runner = model.on_device(device)
        pixels = resident_pixels(chunk.pixels, runner)
        tensors = runner.run_pixels(pixels, table, names, overflows)
    logits = model.logits(tensors)
    measures = {
        **_rankings(logits, chunk.logits, chunk.labels),
        "sqnr_db": sqnr_db_by_picture(chunk.logits, logits),
        "cosine": cosine(chunk.logits, logits),
    }
    if overflows is not None:
        measures["overflows"] = np.array([sum(overflows.values())])
    for name, scale, zero_point in compared:
        value = dequantize(tensors[name], scale, zero_point)
        measures[f"layer.{name}"] = sqnr_db_by_picture(reference[name], value)
    return measures


def _rankings(
    logits: np.ndarray, reference: np.ndarray, labels: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Whether the top-1 class, or one of the top-5, is the expected one: the float network's for
    each picture, and the label for each that has one.

    Among five classes or fewer the expected one is always one of five: there is no top-5.
    """
    hits: dict[str, np.ndarray] = {}
    found = np.argmax(reference, axis=1)

    def rank(name: str, values: np.ndarray, classes: np.ndarray) -> None:
        place = places(values, classes)
        hits[f"{name}_top1"] = place == 0
        if values.shape[1] > TOP:
            hits[f"{name}_top5"] = place < TOP

    rank("agree", logits, found)
    if labels is not None:
        known = labels != NO_LABEL
        rank("label", logits[known], labels[known])
        hits["float_top1"] = found[known] == labels[known]
    return hits


def places(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Place, from 0, of a class among each picture's logits; equal logits are in class order."""
    own = np.take_along_axis(logits, classes[:, None], axis=1)
    earlier = np.arange(logits.shape[1]) < classes[:, None]
    return np.count_nonzero((logits > own) | ((logits == own) & earlier), axis=1)


def sqnr_db_by_picture(reference: np.ndarray, value: np.ndarray) -> np.ndarray:
    """SQNR in dB of each picture: float64 [N] of two arrays [N, ...].

    Clipped to -200 and 200 dB, for arrays that are equal or have no signal; 0 dB if both are zero.
    """
    powers = np.empty((2, len(reference)))
    for number, (expected, got) in enumerate(zip(reference, value, strict=True)):
        # A picture at a time: it stays in the cache.
        signal = expected.astype(np.float64).ravel()
        noise = signal - got.ravel()
        powers[:, number] = signal @ signal, noise @ noise
    signal, noise = np.log10(np.maximum(powers, np.finfo(np.float64).tiny))
    return np.clip(10 * (signal - noise), -LIMIT_DB, LIMIT_DB)


def cosine(reference: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Cosine of the angle between two vectors of each picture: float64 [N] of [N, classes]."""
    wide = reference.astype(np.float64)
    lengths = np.sqrt(np.square(wide).sum(axis=1) * np.square(value).sum(axis=1))
    # A vector of zeros points nowhere.
    return (wide * value).sum(axis=1) / np.where(lengths == 0, 1.0, lengths)


def summarize(parts: Sequence[dict[str, np.ndarray] | Failure]) -> dict[str, Any]:
    """The figures of a point, from its chunks in the order of the pictures.

    Parameters
    ----------
    parts : sequence of dict or Failure
        Results of `evaluate_chunk`.

    Returns
    -------
    dict
        Plain values: ``pictures``; ``labelled``, those with a label, where there are any; each
        share and mean with its standard error, under the same name and ``_standard_error``;
        ``label_difference``, the share of labels found first minus that of the float network,
        paired by picture, so that its error is that of the difference; ``hits``, see
        `mnv2.sim.sweep.comparison.pack_hits`, of the top-1 measures; ``layers``, the mean SQNR and
        its standard error by tensor. Or ``failure``, the reason, alone.
    """
    measured = []
    for part in parts:
        if isinstance(part, Failure):
            return {"failure": part.reason}
        measured.append(part)
    joined = {
        name: np.concatenate([part[name] for part in measured])
        for name in measured[0]
        if all(name in part for part in measured)
    }
    count = len(joined["agree_top1"])
    figures: dict[str, Any] = {"pictures": count}
    for name in ("agree_top1", "agree_top5", "label_top1", "label_top5"):
        if name in joined:
            hits, of = int(joined[name].sum()), len(joined[name])
            figures |= _figure(name, hits / of, proportion_error(hits, of), 6)
    if "float_top1" in joined:
        figures["labelled"] = len(joined["float_top1"])
        lost = joined["label_top1"].astype(int) - joined["float_top1"]
        figures |= _figure("label_difference", *mean_and_error(lost), 6)
    figures["hits"] = {
        name: pack_hits(joined[name]) for name in ("agree_top1", "label_top1") if name in joined
    }
    for name, digits in (("sqnr_db", 4), ("cosine", 6)):
        figures |= _figure(name, *mean_and_error(joined[name]), digits)
    if "overflows" in joined:
        figures["overflows"] = int(joined["overflows"].sum())
    # The first chunks alone have tensors.
    layers = {}
    for name in (name for name in measured[0] if name.startswith("layer.")):
        values = np.concatenate([part[name] for part in measured if name in part])
        layers[name.removeprefix("layer.")] = _figure("sqnr_db", *mean_and_error(values), 4)
    return {**figures, "layers": layers}


def _figure(name: str, value: float, error: float, digits: int) -> dict[str, float | None]:
    """A figure and its standard error, rounded so that results do not depend on the machine."""
    return {name: _rounded(value, digits), f"{name}_standard_error": _rounded(error, digits)}


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def reference_accuracy(
    chunks: Sequence[tuple[np.ndarray, np.ndarray | None]],
) -> dict[str, float | None]:
    """Accuracy of the float network by the labels of chunks; empty without labels.

    Parameters
    ----------
    chunks : sequence of (float32 [N, classes], int64 [N] or None)
        Logits and labels.

    Returns
    -------
    dict
        As of `summarize`.
    """
    if any(labels is None for _, labels in chunks):
        return {}
    parts = [_rankings(logits, logits, labels) for logits, labels in chunks]
    figures: dict[str, float | None] = {}
    for name in (name for name in ("label_top1", "label_top5") if name in parts[0]):
        hits = np.concatenate([part[name] for part in parts])
        error = proportion_error(int(hits.sum()), len(hits))
        figures |= _figure(name, int(hits.sum()) / len(hits), error, 6)
    return figures
