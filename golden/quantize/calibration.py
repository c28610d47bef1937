"""Everything that quantising a float model needs to have seen of the pictures.

It is collected once and serves every point of a sweep: the statistics of the float network and
those of the equalised one.
"""

from dataclasses import dataclass

from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.quantize.options import QuantizationOptions
from mnv2.golden.quantize.range_statistics import RangeStatistics, collect_statistics
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class Calibration:
    """Statistics that `calibrate` collected.

    Attributes
    ----------
    statistics : dict of bool to RangeStatistics
        Of the float network (False) and of the equalised one (True), where asked for.
    input_range : (float, float) or None
        What the input can hold by its definition.
    """

    statistics: dict[bool, RangeStatistics]
    input_range: tuple[float, float] | None = None

    __repr__ = short_repr


def calibrate(model, images, options=None, input_range=None, progress=None):
    """Collect what some options need, in one pass over the pictures for each network.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
    images : sequence of float32 [H, W, 3]
    options : QuantizationOptions or a sequence of them, optional
        All that will be asked of the result.
    input_range : (float, float), optional
    progress : function of (done, total), optional
        Called after each picture; with both networks, each picture counts twice.

    Returns
    -------
    Calibration
    """
    options = options or QuantizationOptions()
    asked = [options] if isinstance(options, QuantizationOptions) else list(options)
    networks = sorted({x.equalization for x in asked})
    statistics = {}
    for turn, equalization in enumerate(networks):
        gram = any(x.adaptive_rounding for x in asked if x.equalization == equalization)
        statistics[equalization] = collect_statistics(
            equalize(model) if equalization else model,
            images,
            _shifted(progress, turn * len(images), len(networks) * len(images)),
            gram,
        )
    return Calibration(statistics, input_range)


def _shifted(progress, offset, total):
    return None if progress is None else lambda done, _: progress(offset + done, total)
