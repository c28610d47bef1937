"""Statistics of the float network's tensors, from pictures that represent those to come.

One pass over the pictures keeps what every later choice of ranges and every repair needs, so that
a sweep collects once and chooses many times. Statistics of two sets of pictures add up to those
of both.
"""

from dataclasses import dataclass, field

import numpy as np

from mnv2.golden.quantize.histogram import Histogram, histogram
from mnv2.golden.quantize.moments import LayerMoments, layer_moments
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class RangeStatistics:
    """Statistics by name of the tensor or layer.

    Attributes
    ----------
    minima, maxima : dict of str to float64 [pictures]
        Extremes of each tensor that `FloatModel.run` names, picture by picture.
    histograms : dict of str to mnv2.golden.quantize.histogram.Histogram
        Of the same tensors, all pictures together.
    moments : dict of str to mnv2.golden.quantize.moments.LayerMoments
        Of each convolution's inputs, all pictures together.
    """

    minima: dict[str, np.ndarray]
    maxima: dict[str, np.ndarray]
    histograms: dict[str, Histogram] = field(default_factory=dict)
    moments: dict[str, LayerMoments] = field(default_factory=dict)

    __repr__ = short_repr

    def __add__(self, other):
        """The statistics of both sets of pictures, this one's first."""
        for part in ("minima", "histograms", "moments"):
            if set(getattr(self, part)) != set(getattr(other, part)):
                raise ValueError(f"Statistics must hold the same {part} to be added")

        def joined(part):
            mine, theirs = getattr(self, part), getattr(other, part)
            return {name: np.concatenate([mine[name], theirs[name]]) for name in mine}

        def summed(part):
            mine, theirs = getattr(self, part), getattr(other, part)
            return {name: mine[name] + theirs[name] for name in mine}

        return RangeStatistics(
            joined("minima"), joined("maxima"), summed("histograms"), summed("moments")
        )


def picture_statistics(model, image, gram=False):
    """RangeStatistics of one picture; `model` folded, the rest as in `collect_statistics`."""
    moments = {}

    def watch(layer, x):
        moments[layer.name] = layer_moments(layer, x, gram)

    tensors = model.run(image, watch)
    return RangeStatistics(
        {name: np.array([float(tensor.min())]) for name, tensor in tensors.items()},
        {name: np.array([float(tensor.max())]) for name, tensor in tensors.items()},
        {name: histogram(tensor) for name, tensor in tensors.items()},
        moments,
    )


def collect_statistics(model, images, progress=None, gram=False):
    """Run the float model on pictures and keep what ranges and repairs are chosen from.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
    images : sequence of float32 [H, W, 3]
    progress : function of (done, total), optional
        Called after each picture.
    gram : bool
        Also collect the Gram matrices that `mnv2.golden.quantize.adaptive_rounding` needs: some 60
        MB for MobileNetV2 1.0, and three times the time.

    Returns
    -------
    RangeStatistics
    """
    model, statistics = model.folded(), None
    for done, image in enumerate(images, start=1):
        one = picture_statistics(model, image, gram)
        statistics = one if statistics is None else statistics + one
        if progress is not None:
            progress(done, len(images))
    if statistics is None:
        raise ValueError("Calibration must see at least one picture")
    return statistics
