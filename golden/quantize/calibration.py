"""Everything that quantising a float model needs to have seen of the pictures.

It is collected once and serves every point of a sweep: the statistics of the float network and
those of the equalised one.
"""

from dataclasses import dataclass

from mnv2.golden.quantize.equalization import equalize
from mnv2.golden.quantize.options import QuantizationOptions
from mnv2.golden.quantize.range_statistics import RangeStatistics, collect_statistics
from mnv2.golden.summary import short_repr

#: Pictures of training that statistics are collected from, at most.
STATISTICS_PICTURES = 64


@dataclass(frozen=True, eq=False)
class Calibration:
    """Statistics that `calibrate` collected.

    Attributes
    ----------
    statistics : dict of bool to RangeStatistics
        Of the float network (False) and of the equalised one (True), where asked for.
    input_range : (float, float) or None
        What the input can hold by its definition.
    pictures : tuple of float32 [H, W, 3]
        Those of training; empty where nothing is trained.
    """

    statistics: dict[bool, RangeStatistics]
    input_range: tuple[float, float] | None = None
    pictures: tuple = ()

    __repr__ = short_repr


def calibrate(model, images, options=None, input_range=None, progress=None):
    """Collect what some options need, in one pass over the pictures for each network.

    Where the roundings are trained, hundreds of pictures are kept for it, and statistics are those
    of `STATISTICS_PICTURES` of them, at equal distances.

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
    kept = tuple(images) if any(x.block_reconstruction for x in asked) else ()
    if kept:
        images = kept[:: -(-len(kept) // STATISTICS_PICTURES)]
    for turn, equalization in enumerate(networks):
        gram = any(x.adaptive_rounding for x in asked if x.equalization == equalization)
        statistics[equalization] = collect_statistics(
            equalize(model) if equalization else model,
            images,
            _shifted(progress, turn * len(images), len(networks) * len(images)),
            gram,
        )
    return Calibration(statistics, input_range, kept)


def _shifted(progress, offset, total):
    return None if progress is None else lambda done, _: progress(offset + done, total)
