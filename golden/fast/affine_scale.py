"""Requantisation in floating point, proven equal to the integers for every sum that can occur.

`mnv2.golden.ops.requantize` maps an accumulator to its output through 64-bit products, which numpy
does slowly. Its result never falls as the accumulator rises, so it is known by its thresholds: for
each output value k, the smallest accumulator that gives k or more. Each of the four floating-point
steps

    clamp(rint((sum + offset) * scale))

never falls either, because rounding does not reorder. Two functions that never fall are equal on
every integer of an interval if they agree on both sides of each threshold; that is a few hundred
values a channel, and `fit` tries them all. It moves offset and scale by single units in the last
place until they pass in float32. Where none does, the few sums with another result are known as
well: they are exceptions, which are searched for among the sums. The rest (a multiplier of 0,
an accumulator that may overflow) is computed in integers.

LiteRT's two roundings shift the boundaries away from zero on either side of it. Layers whose clamp
leaves both signs therefore take clamp(trunc(v + copysign(half, v))) with v as above. Rounding to
even is rint's own where the zero point is even; an odd one leaves ties to the integers.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import requantize
from mnv2.golden.summary import short_repr

#: Candidate distances of the scale from the real one, in units of its last place.
_SCALE_STEPS = (0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 8, -8, 11, -11)
#: ... and of the offset (or half) from the middle of the room that the thresholds leave.
_OFFSET_STEPS = (0, 1, -1, 2, -2)
#: A larger right shift would overflow the thresholds' 64 bits; such channels are left to integers.
_LARGEST_SHIFT = 22


@dataclass(frozen=True, eq=False)
class AffineScale:
    """The float32 form of a requantisation, on sums without bias or zero point.

    Attributes
    ----------
    channels : int [n]
        The channels for which it is proven, apart from the exceptions.
    offset, scale : float32 [C]
        Without meaning in other channels.
    half : float32 [C] or None
        With it, results are rounded by trunc(v + copysign(half, v)) and lie zero_point lower.
    exception_channels, exception_sums : int [m], float32 [m]
        Each sum of a channel for which the form gives another result than the integers.
    replacements : float32 [m]
        Their replacements; none is an exception itself.
    """

    channels: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    half: np.ndarray | None
    exception_channels: np.ndarray
    exception_sums: np.ndarray
    replacements: np.ndarray

    __repr__ = short_repr


def thresholds(layer, outputs):
    """The smallest accumulator that gives each output or more.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
        Multipliers of 0 and right shifts above 22 give figures without meaning.
    outputs : int64 [K]
        Values above the clamp's minimum.

    Returns
    -------
    int64 [K, C]
    """
    levels = (outputs - layer.output_zero_point)[:, None]
    multiplier = np.maximum(layer.multiplier.astype(np.int64), 1)
    shift = np.minimum(layer.shift.astype(np.int64), _LARGEST_SHIFT)
    if layer.arithmetic.rounding != "double":
        # acc * multiplier (+ half) >= level << total; to even, a tie is not enough for an odd one.
        total, rounding = 31 + shift, layer.arithmetic.rounding
        half = 0 if rounding == "truncate" else np.int64(1) << (total - 1)
        if rounding == "even":
            half = half - (levels & 1)
        return -((half - (levels << total)) // multiplier)
    right, left = np.maximum(shift, 0), np.maximum(-shift, 0)
    # The second rounding gives level or more from level - 1/2 on; below zero a half rounds down.
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    high = (levels << right) - half + ((levels <= 0) & (right > 0))
    # The first: (lifted * multiplier + 2**30) >> 31 >= high.
    lifted = -(((np.int64(1) << 30) - (high << 31)) // multiplier)
    return -((-lifted) >> left)


def nudge(values, steps):
    """Floating-point values moved by a number of units in the last place."""
    towards = values.dtype.type(np.inf if steps > 0 else -np.inf)
    for _ in range(abs(steps)):
        values = np.nextafter(values, towards)
    return values


class _Boundaries:
    """The points at which a channel's float form is tried."""

    def __init__(self, levels, edges, lowest, highest):
        self.levels = levels[:, None]
        self.above_counts, self.below_counts = edges <= highest, edges > lowest
        self.above = np.clip(edges, lowest, highest).astype(np.float32)
        self.below = np.clip(edges - 1, lowest, highest).astype(np.float32)

    def take(self, channels):
        """The same of some channels."""
        part = object.__new__(_Boundaries)
        part.levels = self.levels
        for name in ("above_counts", "below_counts", "above", "below"):
            setattr(part, name, getattr(self, name)[:, channels])
        return part

    def wrong(self, form, distance=0):
        """Points at a distance above (and below) the thresholds where a function of sums is wrong.

        Returns
        -------
        (bool [K, C], bool [K, C])
        """
        step = np.float32(distance)
        return (
            (form(self.above + step) < self.levels) & self.above_counts,
            (form(self.below - step) >= self.levels) & self.below_counts,
        )

    def passes(self, form):
        """bool [C]: whether a function of the sums agrees at every point."""
        above, below = self.wrong(form)
        return ~(above | below).any(axis=0)

    def exceptions(self, form):
        """(bool [C], places, sums): channels where single sums disagree, and which."""
        found = self.wrong(form)
        single = ~np.any(self.wrong(form, 1), axis=(0, 1))
        places, sums = [], []
        for wrong, points in zip(found, (self.above, self.below), strict=True):
            level, place = np.nonzero(wrong & single)
            places.append(place)
            sums.append(points[level, place])
        return single, np.concatenate(places), np.concatenate(sums)

    def middle(self, least, bound):
        """Values [C] in the middle of what the points allow; 0 where they give no bound."""
        lower = np.where(self.above_counts, least, -np.inf).max(axis=0, initial=-np.inf)
        upper = np.where(self.below_counts, bound, np.inf).min(axis=0, initial=np.inf)
        lower = np.where(np.isfinite(lower), lower, upper - 0.5)
        upper = np.where(np.isfinite(upper), upper, lower + 0.5)
        return np.where(np.isfinite(lower), (lower + upper) / 2, 0).astype(np.float32)


def _one_sided(boundaries, scale):
    """Candidate (offset, None, form) for rint((sum + offset) * scale)."""
    real = (boundaries.levels - 0.5) / scale.astype(np.float64)
    centre = boundaries.middle(real - boundaries.above, real - boundaries.below)
    for steps in _OFFSET_STEPS:
        offset = nudge(centre, steps)
        yield offset, None, lambda sums, offset=offset: np.rint((sums + offset) * scale)


def _two_sided(boundaries, scale, correction):
    """Candidate (offset, half, form) for trunc(v + copysign(half, v)), v = (sum + offset) * scale.

    The first rounding of a tie goes up whatever its sign. With a multiplier of 2**30 every odd sum
    is such a tie, and no half serves both signs unless all sums are moved up a little.
    """
    levels, positive = boundaries.levels, boundaries.levels > 0
    for up in (0, 0.25):
        offset = correction + np.float32(up)
        above = ((boundaries.above + offset) * scale).astype(np.float64)
        below = ((boundaries.below + offset) * scale).astype(np.float64)
        # Above zero v + half must reach the level; below, v - half must pass level - 1.
        lower = np.where(positive & boundaries.above_counts, levels - above, -np.inf)
        lower = np.maximum(
            lower, np.where(~positive & boundaries.below_counts, below - levels + 1, -np.inf)
        ).max(axis=0, initial=-np.inf)
        upper = np.where(positive & boundaries.below_counts, levels - below, np.inf)
        upper = np.minimum(
            upper, np.where(~positive & boundaries.above_counts, above - levels + 1, np.inf)
        ).min(axis=0, initial=np.inf)
        lower = np.where(np.isfinite(lower), lower, 0.5)
        upper = np.where(np.isfinite(upper), upper, 0.5)
        centre = ((lower + upper) / 2).astype(np.float32)
        for steps in _OFFSET_STEPS:
            half = nudge(centre, steps)

            def form(sums, offset=offset, half=half):
                values = (sums + offset) * scale
                return np.trunc(values + np.copysign(half, values))

            yield offset, half, form


def fit(layer, correction, lowest, highest, usable):
    """The AffineScale of a layer.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
        With outputs of at most 8 bits.
    correction : int64 [C]
        What turns a sum of input * weight into the accumulator: bias and the input's zero point.
    lowest, highest : int64 [C]
        Every sum that can occur, below 2**24 in magnitude.
    usable : bool [C]
        Channels to look at. Their accumulator must be sum + correction for every such sum, without
        overflow.
    """
    outputs = np.arange(layer.minimum + 1, layer.maximum + 1, dtype=np.int64)
    shift, double = layer.shift.astype(np.int64), layer.arithmetic.rounding == "double"
    two_sided = double and layer.minimum < layer.output_zero_point
    usable = usable & (layer.multiplier > 0) & (shift <= _LARGEST_SHIFT)
    if double:
        # A left shift that wraps would make the result fall.
        reach = np.maximum(np.abs(lowest + correction), np.abs(highest + correction))
        usable &= reach <= signed_range(32)[1] >> np.maximum(-shift, 0)
    levels = outputs - layer.output_zero_point if two_sided else outputs
    boundaries = _Boundaries(levels, thresholds(layer, outputs) - correction, lowest, highest)
    real = np.ldexp(layer.multiplier.astype(np.float64), -31 - layer.shift).astype(np.float32)
    integer = correction.astype(np.float32)
    scale, offset = real.copy(), integer.copy()
    half = np.full_like(real, 0.5) if two_sided else None
    proven, left = np.zeros(len(real), bool), np.flatnonzero(usable)

    def candidates(points, tried):
        return _two_sided(points, tried, integer[left]) if two_sided else _one_sided(points, tried)

    def settle(places, tried, offsets, halves):
        chosen = left[places]
        scale[chosen], offset[chosen] = tried[places], offsets[places]
        if half is not None:
            half[chosen] = halves[places]
        proven[chosen] = True

    for steps in _SCALE_STEPS:
        if not len(left):
            break
        points, tried = boundaries.take(left), nudge(real[left], steps)
        for offsets, halves, form in candidates(points, tried):
            settle(points.passes(form) & ~proven[left], tried, offsets, halves)
        left = left[~proven[left]]
    exception_channels, exception_sums = left[:0], np.zeros(0, np.float32)
    if len(left):
        points, tried = boundaries.take(left), real[left]
        offsets, halves, form = next(candidates(points, tried))
        single, places, exception_sums = points.exceptions(form)
        exception_channels = left[places]
        settle(single, tried, offsets, halves)
    exact = requantize(
        (exception_sums.astype(np.int64) + correction[exception_channels]).astype(np.int32),
        layer.multiplier[exception_channels],
        layer.shift[exception_channels],
        layer.output_zero_point,
        layer.minimum,
        layer.maximum,
        layer.arithmetic.rounding,
    ).astype(np.float32)
    zero_point = np.float32(layer.output_zero_point if two_sided else 0)
    chosen_offset, chosen_scale = offset[exception_channels], scale[exception_channels]
    # In the middle of what gives the result, hence no exception; a real number, not an integer.
    replacements = (exact - zero_point) / chosen_scale - chosen_offset
    values = (replacements + chosen_offset) * chosen_scale
    if half is not None:
        values = np.trunc(values + np.copysign(half[exception_channels], values)) + zero_point
    right = np.clip(np.rint(values), layer.minimum, layer.maximum) == exact
    right &= ~np.isin(replacements, exception_sums)
    proven[exception_channels[~right]] = False
    kept = proven[exception_channels]
    return AffineScale(
        np.flatnonzero(proven),
        offset,
        scale,
        half,
        exception_channels[kept],
        exception_sums[kept],
        replacements[kept],
    )
