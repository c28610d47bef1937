"""The ground of a judgement on pictures, in words: pixels, classes, calibration, warnings."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from mnv2.golden.float_model import InputNormalization
from mnv2.sim.pictures.class_names import ClassNames
from mnv2.sim.pictures.decode import NO_LABEL
from mnv2.sim.pictures.image_sets import ImageSet
from mnv2.sim.pictures.resizing import Resizing, pixel_words

__all__ = ["chance_of", "label_warnings", "preparation_line"]

#: Standard errors above chance from which an accuracy is more than chance.
ERRORS = 3


def preparation_line(
    image_set: ImageSet,
    resizing: Resizing,
    size: tuple[int, int],
    normalization: InputNormalization | None,
    calibrated_on: str | None,
) -> str:
    """The treatment of pixels, the classes of folders, and the calibration, in one line.

    Parameters
    ----------
    image_set : mnv2.sim.pictures.image_sets.ImageSet
    resizing : mnv2.sim.pictures.resizing.Resizing
    size : (int, int)
        Rows and columns of the network's input.
    normalization : mnv2.golden.float_model.InputNormalization or None
    calibrated_on : str or None
        None where nothing was calibrated.

    Returns
    -------
    str
    """
    parts = [
        f"Pixels: {pixel_words(resizing, *size, normalization)}",
        f"classes: {image_set.label_words}",
    ]
    if calibrated_on is not None:
        parts.append(f"calibrated on {calibrated_on}")
    return "; ".join(parts)


def chance_of(labels: Sequence[int], classes: int) -> float:
    """Share of pictures that whoever knows nothing gets right: the larger of two guesses.

    Parameters
    ----------
    labels : sequence of int
        One or more.
    classes : int
        Of the network.

    Returns
    -------
    float
        Of a class drawn at random, or of always the commonest label.
    """
    return max(1 / classes, max(Counter(labels).values()) / len(labels))


def label_warnings(labels: Iterable[int] | None, names: ClassNames, right: float) -> list[str]:
    """Warnings that an accuracy by labels may mean nothing.

    Parameters
    ----------
    labels : iterable of int, or None
        None for a set without labels; `mnv2.sim.pictures.decode.NO_LABEL` for a picture without.
    names : mnv2.sim.pictures.class_names.ClassNames
    right : float
        Share of the pictures whose label the network, the float one if there is one, finds first.

    Returns
    -------
    list of str
        Sentences.
    """
    if labels is None:
        return []
    known = [int(label) for label in labels if label != NO_LABEL]
    if len(set(known)) == 1:
        sentence = (
            f"All {len(known):,} pictures are of one class, {names.name(known[0])}: accuracy by "
            "labels says nothing about the others"
        )
        return [sentence]
    chance = chance_of(known, len(names.names))
    error = math.sqrt(chance * (1 - chance) / len(known))
    if right > chance + ERRORS * error:
        return []
    sentence = (
        f"The network is right on {right:.1%} of {len(known):,} pictures, near chance "
        f"({chance:.1%}): the folders' classes may be in another order than the network's "
        "(--labels FILE), or pixels not be as in training (--resize, --normalization)"
    )
    return [sentence]
