"""One picture through the float and the integer network, side by side.

`classify` returns a `Classification`, plain records for the terminal and for reports; rendering is
elsewhere. `write_dump` writes every integer tensor by name.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.fixed_point import dequantize
from sim.class_names import class_name
from sim.errors import UserError
from sim.images import crop_image, load_image, normalize, quantize_input
from sim.models import load_float_model, load_model, save_arrays


@dataclass(frozen=True)
class Prediction:
    """One class of a ranking: index 0..999, name, logit, probability in 0..1."""

    index: int
    name: str
    logit: float
    probability: float


@dataclass(frozen=True)
class TensorQuality:
    """How near an integer tensor is to float: signal to quantisation noise ratio in dB."""

    name: str
    shape: tuple[int, int, int]
    sqnr_db: float


@dataclass(frozen=True, eq=False)
class Classification:
    """What `classify` found.

    Members
    -------
    image : Path
        The picture.
    float_top, integer_top : tuple of Prediction
        The five likeliest classes, likeliest first; the integer ones by the wide logits.
    agree : bool
        Whether both name the same class first.
    quality : tuple of TensorQuality
        Of the stem, each block's output, head, pool and classifier (int8), in order.
    logits_sqnr_db : float
        Of the wide logits, which the ranking uses.
    float_seconds, integer_seconds : float
        Time of each forward pass.
    tensors : dict of str to array
        Every tensor of the integer run, as `QuantizedModel.run` names them.
    model : golden.model.QuantizedModel
        The integer network that ran.
    """

    image: Path
    float_top: tuple[Prediction, ...]
    integer_top: tuple[Prediction, ...]
    agree: bool
    quality: tuple[TensorQuality, ...]
    logits_sqnr_db: float
    float_seconds: float
    integer_seconds: float
    tensors: dict
    model: object


def sqnr_db(reference, value):
    """10 log10 of the power of the reference over that of the difference; inf if equal."""
    reference = np.asarray(reference, np.float64)
    noise = np.square(reference - value).sum()
    signal = np.square(reference).sum()
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal else float("-inf")


def rank(logits, count=5):
    """The likeliest classes of real logits [classes], as Predictions."""
    logits = np.asarray(logits, np.float64)
    weights = np.exp(logits - logits.max())
    probabilities = weights / weights.sum()
    order = np.argsort(-logits, kind="stable")[:count]
    return tuple(Prediction(int(i), class_name(int(i), logits.size), float(logits[i]),
                            float(probabilities[i])) for i in order)


def compared_tensors(model):
    """(name, scale, zero_point) of the tensors whose quality is reported, in order."""
    records = [model.stem, *(block.add or block.project for block in model.blocks), model.head,
               model.pool, model.classifier]
    return [(x.name, x.output_scale, x.output_zero_point) for x in records]


def classify(image, weights=None, progress=None, count=5):
    """Classify a picture with the float and the integer network.

    Parameters
    ----------
    image : path
        Any format that Pillow reads.
    weights : path, optional
        The checkpoint; by default the installed one.
    progress : function of (done, total), optional
        Called during the calibration that the first run needs.
    count : int
        Length of the rankings.

    Returns
    -------
    Classification

    Raises
    ------
    UserError
        If the picture or the weights cannot be used.
    """
    picture = load_image(image)                      # first: a bad picture costs no calibration
    unfolded = load_float_model(weights)
    float_input = normalize(crop_image(picture, unfolded.network.input_shape[0]),
                            unfolded.input_normalization)
    model = load_model(weights, progress=progress, float_model=unfolded)
    folded = unfolded.folded()
    start = time.perf_counter()
    reference = folded.run(float_input)
    float_seconds = time.perf_counter() - start
    quantized = quantize_input(float_input, model)
    start = time.perf_counter()
    tensors = model.run(quantized)
    integer_seconds = time.perf_counter() - start
    float_logits = reference["classifier"].reshape(-1)
    logits = model.logits(tensors)
    quality = tuple(
        TensorQuality(name, tensors[name].shape,
                      sqnr_db(reference[name], dequantize(tensors[name], scale, zero_point)))
        for name, scale, zero_point in compared_tensors(model))
    float_top, integer_top = rank(float_logits, count), rank(logits, count)
    return Classification(
        image=Path(image), float_top=float_top, integer_top=integer_top,
        agree=float_top[0].index == integer_top[0].index, quality=quality,
        logits_sqnr_db=sqnr_db(float_logits, logits), float_seconds=float_seconds,
        integer_seconds=integer_seconds, tensors=tensors, model=model)


def write_dump(path, classification):
    """Write every integer tensor of a Classification to an .npz, under its name.

    Raises
    ------
    UserError
        If the file cannot be written; nothing is left half-written.
    """
    try:
        save_arrays(path, classification.tensors)
    except OSError as error:
        raise UserError(f"The dump {path} cannot be written: {error.strerror or error}") from None
