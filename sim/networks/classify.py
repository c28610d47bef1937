"""One picture through the float and the integer network, side by side.

`classify` returns a `Classification`, plain records for the terminal and for reports; rendering is
elsewhere.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.fixed_point import dequantize
from mnv2.golden.summary import short_repr
from mnv2.sim.networks.compare import sqnr_db
from mnv2.sim.networks.golden_run import run_golden
from mnv2.sim.networks.input_files import path_of
from mnv2.sim.networks.inputs import load_input, preparation_words
from mnv2.sim.networks.open import RunnableModel
from mnv2.sim.networks.ranking import RankedClass, rank


@dataclass(frozen=True)
class TensorQuality:
    """Quality of an integer tensor compared with float: signal to quantisation noise in dB."""

    name: str
    shape: tuple[int, int, int]
    sqnr_db: float


@dataclass(frozen=True, eq=False)
class Classification:
    """The result of `classify`.

    Attributes
    ----------
    image : Path
        The picture.
    integer_top : tuple of RankedClass
        The likeliest classes by the wide logits, likeliest first.
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
    preparation : str
        What was done to pixels, and where names of classes and ranges are from.
    """

    image: Path
    integer_top: tuple[RankedClass, ...]
    integer_seconds: float
    tensors: dict[str, np.ndarray]
    model: RunnableModel
    float_top: tuple[RankedClass, ...] = ()
    quality: tuple[TensorQuality, ...] = ()
    logits_sqnr_db: float | None = None
    float_seconds: float | None = None
    preparation: str = ""

    __repr__ = short_repr

    @property
    def agree(self):
        """Whether float and integer name the same class first; None without a float network."""
        if not self.float_top:
            return None
        return self.float_top[0].index == self.integer_top[0].index


def compared_tensors(model):
    """(name, scale, zero_point) of the tensors whose quality is reported, in order."""
    return [(x.name, x.output_scale, x.output_zero_point) for x in model.outputs]


def classify(model, source, *, normalization=None, count=5):
    """Classify a picture with the integer network, and with the float network that it came from.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    source : path or mnv2.sim.networks.input_files.InputFile
        A picture or an .npy, see `mnv2.sim.networks.inputs.load_input`.
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

    Examples
    --------
    >>> import mnv2
    >>> result = mnv2.classify(mnv2.open_model("small.tflite"), "cat.png", count=3)
    >>> result.integer_top[0].probability > result.integer_top[1].probability
    True
    """
    given = load_input(model, source, normalization)
    model.integer.prepare()  # done once, so not part of the pass that is timed
    start = time.perf_counter()
    golden = run_golden(model, given)
    integer_seconds = time.perf_counter() - start
    found = {}
    if model.float_model is not None:
        found = _float_reference(model, given.real, golden, count)
    return Classification(
        image=given.path or path_of(source),
        integer_top=golden.top(count),
        integer_seconds=integer_seconds,
        tensors=golden.tensors,
        model=model,
        preparation=preparation_words(model, given),
        **found,
    )


def _float_reference(model, image, golden, count):
    """Fields of a Classification that the float network gives."""
    folded = model.float_model.folded()
    start = time.perf_counter()
    reference = folded.run(image)
    float_seconds = time.perf_counter() - start
    float_logits = reference["classifier"].reshape(-1)
    quality = tuple(
        TensorQuality(
            name,
            golden.tensors[name].shape,
            sqnr_db(reference[name], dequantize(golden.tensors[name], scale, zero_point)),
        )
        for name, scale, zero_point in compared_tensors(model.integer)
    )
    return {
        "float_top": rank(float_logits, count, model.class_names),
        "quality": quality,
        "logits_sqnr_db": sqnr_db(float_logits, golden.logits),
        "float_seconds": float_seconds,
    }
