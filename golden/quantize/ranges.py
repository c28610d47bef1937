"""One real range for each tensor, from what was seen of it.

Outliers of a single picture can double a late range, so the mean over pictures of each picture's
extremes serves better than the extremes; the other methods look at the whole distribution and
weigh what is clipped against what finer steps save.

Ref: Krishnamoorthi, arXiv:1806.08342, section 2.5 (extremes); Nagel et al., "A White Paper on
Neural Network Quantization", arXiv:2106.08295, section 3.1 (least squares); Migacz, "8-bit
Inference with TensorRT", GTC 2017 (entropy).
"""

import numpy as np

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.quantize.options import RANGE_METHODS
from mnv2.golden.quantize.scales import tensor_parameters

#: Ends of a range that "least-squares" tries, as fractions of the extremes.
FRACTIONS = np.linspace(1, 0.1, 46)
#: Ends of a range that "entropy" tries.
ENTROPY_CANDIDATES = 96


def choose_ranges(
    statistics,
    method="mean-minmax",
    input_range=None,
    bits_of=None,
    percentile=99.99,
    scales="real",
):
    """One (minimum, maximum) for each tensor, of four significant digits.

    Parameters
    ----------
    statistics : mnv2.golden.quantize.range_statistics.RangeStatistics
    method : str
        "mean-minmax": the mean over pictures of each picture's minimum and maximum.
        "minmax": the extremes over all pictures.
        "percentile": what `percentile` of all values lie below, and as many above.
        "least-squares": the least squared error of all values once quantised.
        "entropy": the least divergence of the quantised distribution (Kullback and Leibler's).
    input_range : (float, float), optional
        What the input can hold by its definition, instead of what was seen.
    bits_of : function of str to int, optional
        Bits of each tensor, for the last two methods; by default 8.
    percentile : float
        Above 50, up to 100.
    scales : str
        "real" or "power-of-two", for "least-squares".
    """
    if method not in RANGE_METHODS:
        raise ValueError(
            f"The range method must be one of {', '.join(RANGE_METHODS)}, not {method!r}"
        )
    ranges = {}
    for name, minima in statistics.minima.items():
        maxima = statistics.maxima[name]
        extremes = float(minima.min()), float(maxima.max())
        bits = 8 if bits_of is None else bits_of(name)
        if name == "input" and input_range is not None:
            ends = input_range
        elif method == "minmax" or name == "classifier":
            # The logits feed nothing but the final comparison: clipping them only makes ties.
            ends = extremes
        elif method == "mean-minmax":
            ends = minima.mean(), maxima.mean()
        elif method == "percentile":
            held = statistics.histograms[name]
            ends = (
                max(held.percentile(100 - percentile), extremes[0]),
                min(held.percentile(percentile), extremes[1]),
            )
        elif method == "least-squares":
            ends = least_squares_range(statistics.histograms[name], extremes, bits, scales)
        else:
            ends = entropy_range(statistics.histograms[name], extremes, bits)
        ranges[name] = tuple(_round(end) for end in ends)
    return ranges


def _round(value):
    """Four significant digits: the order in which a machine adds floats must decide nothing."""
    return float(f"{float(value):.4g}")


def quantization_error(histogram, ranges, bits, scales="real"):
    """Mean squared error of a histogram's samples when quantised to each of some ranges.

    Parameters
    ----------
    histogram : mnv2.golden.quantize.histogram.Histogram
        Its samples count as lying in the centres of their bins.
    ranges : sequence of (minimum, maximum)
    bits : int
    scales : str

    Returns
    -------
    float64 [ranges]
    """
    centres, counts = histogram.occupied()
    held = counts > 0
    centres, weights = centres[held], counts[held] / counts.sum()
    low, high = signed_range(bits)
    errors = []
    for minimum, maximum in ranges:
        scale, zero_point = tensor_parameters(minimum, maximum, bits, scales)
        steps = np.rint(centres / scale)
        np.clip(steps, low - zero_point, high - zero_point, out=steps)
        steps *= scale
        steps -= centres
        errors.append(np.dot(np.square(steps), weights))
    return np.array(errors)


def least_squares_range(histogram, extremes, bits=8, scales="real"):
    """The (minimum, maximum) whose quantisation has the least squared error.

    Both ends are drawn in from the extremes on the grid `FRACTIONS`, in turn, until neither
    moves; power-of-two scales are few, and all that matter are tried. Never worse than the
    extremes by `quantization_error`.
    """
    if scales == "power-of-two":
        low, high = signed_range(bits)
        largest = tensor_parameters(extremes[0], extremes[1], bits, scales)[0]
        candidates = [tuple(extremes)]
        for scale in (largest / 2, largest / 4, largest / 8):
            candidates.append((max(extremes[0], low * scale), min(extremes[1], high * scale)))
        return _least(histogram, candidates, bits, scales)
    best = tuple(extremes)
    for _ in range(4):
        before = best
        for end in (1, 0):
            if extremes[end]:
                ends = extremes[end] * FRACTIONS
                best = _least(
                    histogram, [(best[0], x) if end else (x, best[1]) for x in ends], bits, scales
                )
        if best == before or not (extremes[0] and extremes[1]):
            break
    return best


def _least(histogram, candidates, bits, scales):
    return candidates[int(np.argmin(quantization_error(histogram, candidates, bits, scales)))]


def entropy_range(histogram, extremes, bits=8):
    """The (minimum, maximum) that loses the least information, as TensorRT chooses it.

    Magnitudes above a threshold are clipped. The threshold is the one where the distribution of
    magnitudes, clipped, diverges the least from the same with the bins of each quantised level
    made equal. The bin of zero counts as much as the next one: ReLU's zeros are exact.

    Ref: Migacz, "8-bit Inference with TensorRT", GTC 2017, slides 20 to 34; NVIDIA
    `pytorch_quantization/calib/histogram.py`, `_compute_amax_entropy`.
    """
    counts = histogram.magnitudes().astype(np.float64)
    if counts[1:].any():
        counts[0] = counts[1]
    occupied = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 1
    levels = 2**bits if extremes[0] >= 0 or extremes[1] <= 0 else 2 ** (bits - 1)
    if occupied <= levels:
        return tuple(extremes)
    lengths = np.unique(np.linspace(levels, occupied, ENTROPY_CANDIDATES).astype(int))
    divergences = [entropy_divergence(counts, int(length), levels) for length in lengths]
    # The last of equals clips least.
    best = int(lengths[len(lengths) - 1 - int(np.argmin(divergences[::-1]))])
    if best == occupied:
        return tuple(extremes)
    threshold = best * histogram.width
    return max(extremes[0], -threshold), min(extremes[1], threshold)


def entropy_divergence(counts, length, levels):
    """Divergence, in nats, of the first `length` bins, rounded to levels, from the exact ones.

    The reference takes all that is clipped into its last bin. A bin that it has and the quantised
    form has not counts there as one sample.
    """
    kept = counts[:length]
    level = np.arange(length) * levels // length
    held = kept > 0
    total = np.bincount(level, kept, levels)
    share = total / np.maximum(np.bincount(level, held, levels), 1)
    quantized = np.where(held, share[level], 0.0)
    reference = kept.copy()
    reference[-1] += counts[length:].sum()
    seen = reference > 0
    reference = reference[seen] / reference.sum()
    quantized = np.maximum(quantized[seen], 1.0) / max(quantized.sum(), 1.0)
    return float(np.sum(reference * np.log(reference / quantized)))
