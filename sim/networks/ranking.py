"""The likeliest classes of a picture, by name."""

from dataclasses import dataclass

import numpy as np

from mnv2.sim.pictures.class_names import ClassNames, known_class_names

__all__ = ["RankedClass", "rank"]


@dataclass(frozen=True)
class RankedClass:
    """One class of a ranking: index 0..999, name, logit, probability in 0..1."""

    index: int
    name: str
    logit: float
    probability: float


def rank(logits, count=5, names: ClassNames | None = None):
    """The likeliest classes of real logits [classes], as RankedClasses.

    Their names are those that the number of classes implies, if none are given.
    """
    logits = np.asarray(logits, np.float64)
    names = names or known_class_names(logits.size)
    weights = np.exp(logits - logits.max())
    probabilities = weights / weights.sum()
    order = np.argsort(-logits, kind="stable")[:count]
    return tuple(
        RankedClass(int(i), names.name(int(i)), float(logits[i]), float(probabilities[i]))
        for i in order
    )
