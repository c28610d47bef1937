"""The real range of each tensor, from pictures that stand for those to come.

Each picture gives one minimum and one maximum per tensor; a named method makes one range of them.
Outliers of a single picture can double a late range, so the mean over pictures serves better than
the extremes.
"""

from dataclasses import dataclass

import numpy as np

RANGE_METHODS = ("mean-minmax", "minmax")


@dataclass(frozen=True, eq=False)
class RangeStatistics:
    """Extremes of every tensor over the pictures seen: float64 [pictures] by tensor name."""

    minima: dict
    maxima: dict


def collect_statistics(model, images, progress=None):
    """Run the float model on pictures and keep each tensor's extremes.

    Parameters
    ----------
    model : golden.float_model.FloatModel
    images : sequence of float32 [H, W, 3]
    progress : function of (done, total), optional
        Called after each picture.

    Returns
    -------
    RangeStatistics
    """
    minima, maxima = {}, {}
    model = model.folded()
    for done, image in enumerate(images, start=1):
        for name, tensor in model.run(image).items():
            minima.setdefault(name, []).append(float(tensor.min()))
            maxima.setdefault(name, []).append(float(tensor.max()))
        if progress is not None:
            progress(done, len(images))
    if not minima:
        raise ValueError("Calibration must see at least one picture")
    return RangeStatistics({name: np.array(ends) for name, ends in minima.items()},
                           {name: np.array(ends) for name, ends in maxima.items()})


def choose_ranges(statistics, method="mean-minmax", input_range=None):
    """One (minimum, maximum) for each tensor.

    Parameters
    ----------
    method : str
        "mean-minmax": the mean over pictures of each picture's minimum and maximum.
        "minmax": the extremes over all pictures.
    input_range : (float, float), optional
        What the input can hold by its definition, instead of what was seen.
    """
    if method not in RANGE_METHODS:
        raise ValueError(f"The range method must be one of {', '.join(RANGE_METHODS)}, "
                         f"not {method!r}")
    lower, upper = (np.min, np.max) if method == "minmax" else (np.mean, np.mean)
    ranges = {name: (float(lower(statistics.minima[name])), float(upper(statistics.maxima[name])))
              for name in statistics.minima}
    # The logits feed nothing but the final comparison: clipping them only makes ties.
    ranges["classifier"] = (float(statistics.minima["classifier"].min()),
                            float(statistics.maxima["classifier"].max()))
    if input_range is not None:
        ranges["input"] = tuple(float(end) for end in input_range)
    return {name: tuple(_round(end) for end in ends) for name, ends in ranges.items()}


def _round(value):
    """Four significant digits: the order in which a machine adds floats must decide nothing."""
    return float(f"{value:.4g}")
