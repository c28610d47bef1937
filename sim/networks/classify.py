"""One picture through the float and the integer network, side by side.

`classify` returns a `Classification`, plain records for the terminal and for reports; rendering is
elsewhere.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.fixed_point import dequantize
from mnv2.sim.networks.compare import sqnr_db
from mnv2.sim.networks.inputs import load_model_input, path_of
from mnv2.sim.networks.open import RunnableModel
from mnv2.sim.pictures.class_names import class_name


@dataclass(frozen=True)
class RankedClass:
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

    Attributes
    ----------
    image : Path
        The picture.
    integer_top : tuple of RankedClass
        The five likeliest classes by the wide logits, likeliest first.
    integer_seconds : float
        Time of the forward pass.
    tensors : dict of str to array
        Every tensor of the integer run, as `QuantizedModel.run` names them.
    model : mnv2.sim.networks.open.RunnableModel
        The network that ran.
    float_top : tuple of RankedClass
        As ``integer_top``, of the float network; empty where the model came as integers.
    quality : tuple of TensorQuality
        Of the stem, each block's output, head, pool and classifier (int8), in order; empty too.
    logits_sqnr_db, float_seconds : float or None
        Of the wide logits, which the ranking uses; time of the float forward pass.
    """

    image: Path
    integer_top: tuple[RankedClass, ...]
    integer_seconds: float
    tensors: dict
    model: RunnableModel
    float_top: tuple[RankedClass, ...] = ()
    quality: tuple[TensorQuality, ...] = ()
    logits_sqnr_db: float | None = None
    float_seconds: float | None = None

    @property
    def agree(self):
        """Whether float and integer name the same class first; None without a float network."""
        if not self.float_top:
            return None
        return self.float_top[0].index == self.integer_top[0].index


def rank(logits, count=5):
    """The likeliest classes of real logits [classes], as RankedClasses."""
    logits = np.asarray(logits, np.float64)
    weights = np.exp(logits - logits.max())
    probabilities = weights / weights.sum()
    order = np.argsort(-logits, kind="stable")[:count]
    return tuple(
        RankedClass(
            int(i), class_name(int(i), logits.size), float(logits[i]), float(probabilities[i])
        )
        for i in order
    )


def compared_tensors(model):
    """(name, scale, zero_point) of the tensors whose quality is reported, in order."""
    return [(x.name, x.output_scale, x.output_zero_point) for x in model.outputs]


def classify(model, source, *, normalization=None, count=5):
    """Classify a picture with the integer network, and with the float one that it was made from.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    source : path or mnv2.sim.networks.inputs.InputFile
        A picture or an .npy, see `mnv2.sim.networks.inputs.load_model_input`.
    normalization : str, optional
        See there.
    count : int
        Length of the rankings.

    Returns
    -------
    Classification

    Raises
    ------
    UserError
        If the file cannot be read or does not fit the model.
    """
    given = load_model_input(model, source, normalization)
    model.integer.prepare()  # done once, so not part of the pass that is timed
    start = time.perf_counter()
    tensors = model.integer.run(given.integer)
    integer_seconds = time.perf_counter() - start
    logits = model.integer.logits(tensors)
    found = {}
    if model.float_model is not None:
        found = _float_reference(model, given.real, tensors, logits, count)
    return Classification(
        image=path_of(source),
        integer_top=rank(logits, count),
        integer_seconds=integer_seconds,
        tensors=tensors,
        model=model,
        **found,
    )


def _float_reference(model, image, tensors, logits, count):
    """Fields of a Classification that the float network gives."""
    folded = model.float_model.folded()
    start = time.perf_counter()
    reference = folded.run(image)
    float_seconds = time.perf_counter() - start
    float_logits = reference["classifier"].reshape(-1)
    quality = tuple(
        TensorQuality(
            name,
            tensors[name].shape,
            sqnr_db(reference[name], dequantize(tensors[name], scale, zero_point)),
        )
        for name, scale, zero_point in compared_tensors(model.integer)
    )
    return {
        "float_top": rank(float_logits, count),
        "quality": quality,
        "logits_sqnr_db": sqnr_db(float_logits, logits),
        "float_seconds": float_seconds,
    }
