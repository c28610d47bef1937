"""One layer made ready to run in float32, with proof that its integers come out.

Sums of products are exact (`mnv2.golden.fast.ops`), and so is their requantisation
(`mnv2.golden.fast.affine_scale`), for every input within the clamp of the layer before. Channels
for which that is not proven are computed in integers; so is a whole layer where they are many.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fast.affine_scale import AffineScale, fit
from mnv2.golden.fixed_point import signed_range, wrap
from mnv2.golden.quantized_layer import QuantizedLayer
from mnv2.golden.summary import short_repr

#: Elements of a row of parameters repeated for several pixels: fewer, longer inner loops, and yet
#: well inside the cache.
_TILE_ELEMENTS = 12800
#: ... and of a row of depthwise weights, of which nine are in use at a time.
_TAP_ELEMENTS = 2304
#: Share of channels in integers from which a whole layer runs faster in integers.
_SLOW_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class PreparedLayer:
    """A layer whose float32 form is proven.

    Attributes
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    weights : float32 [K, M], or depthwise [3, 3, C], at stride 1 [3, 3, n, C]: the same n times
    correction : int64 [M]
        As `mnv2.golden.fast.ops.corrections`.
    form : AffineScale
        Its arrays [C] repeated for `tile` pixels.
    unproven : int [n]
        Channels left to integers.
    tile : int
    safe : (float32 [M], float32 [M]) or None
        Sums between which no accumulator leaves its range; None if none can.
    """

    layer: QuantizedLayer
    weights: np.ndarray
    correction: np.ndarray
    form: AffineScale
    unproven: np.ndarray
    tile: int
    safe: tuple[np.ndarray, np.ndarray] | None

    __repr__ = short_repr

    @property
    def plain(self):
        """Whether every channel is proven, and no accumulator can leave its range."""
        return self.safe is None and not len(self.unproven)

    @cached_property
    def packed(self):
        """The mnv2.golden.fast.byte_kernels.ByteLayer of a plain layer."""
        from mnv2.golden.fast.byte_kernels import pack_layer

        return pack_layer(self)


def _tile(pixels, channels, elements=_TILE_ELEMENTS):
    """The largest divisor of the pixels that keeps a repeated row short."""
    tile = max(1, min(pixels, elements // channels))
    while pixels % tile:
        tile -= 1
    return tile


def prepare_layer(layer, low, high, pixels, columns=1):
    """The PreparedLayer for inputs in low..high, or None where integers must do it.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    low, high : int
        Every value that its input can hold.
    pixels : int
        Output pixels come in multiples of this.
    columns : int
        Output pixels of a row, for a depthwise layer.
    """
    zero = layer.input_zero_point
    low, high = min(low, zero), max(high, zero)  # padding holds the zero point
    if layer.activation_bits > 8 or fast_ops.exact_type(layer.weights, low, high) != np.float32:
        return None
    channels = layer.output_channels
    correction = fast_ops.corrections(layer.weights, layer.bias, zero)
    lowest, highest = fast_ops.sum_bounds(layer.weights, low - zero, high - zero)
    start = layer.bias - correction
    lowest, highest = lowest + start, highest + start
    least, most = signed_range(layer.arithmetic.accumulator_bits)
    safe = None
    if np.any(lowest + correction < least) or np.any(highest + correction > most):
        if layer.arithmetic.overflow == "saturate":
            return None
        safe = tuple(np.clip(end - correction, lowest - 1, highest + 1) for end in (least, most))
        lowest, highest = np.maximum(lowest, safe[0]), np.minimum(highest, safe[1])
        safe = tuple(end.astype(np.float32) for end in safe)
    form = fit(layer, correction, lowest, highest, lowest <= highest)
    unproven = np.setdiff1d(np.arange(channels), form.channels)
    if len(unproven) > _SLOW_SHARE * channels:
        return None
    weights = layer.weights.astype(np.float32)
    if layer.kind == "depthwise":
        if layer.stride == 1:
            repeats = _tile(columns, channels, _TAP_ELEMENTS)
            weights = np.repeat(weights[:, :, None], repeats, axis=2)
    else:
        weights = np.ascontiguousarray(weights.reshape(-1, channels))
    tile = _tile(pixels, channels)
    return PreparedLayer(layer, weights, correction, _repeat(form, tile), unproven, tile, safe)


def _repeat(form, tile):
    """A form with its arrays repeated for `tile` pixels."""

    def spread(values):
        full = aligned((tile, len(values)))
        full[...] = values
        return full.reshape(-1)

    half = None if form.half is None else spread(form.half)
    return replace(form, offset=spread(form.offset), scale=spread(form.scale), half=half)


def aligned(shape, kind=np.float32):
    """An uninitialised array that begins on a cache line; loads across two take longer.

    64 bytes after its end may be read, too.
    """
    shape = (shape,) if isinstance(shape, int) else shape
    size = math.prod(shape) * np.dtype(kind).itemsize
    raw = np.empty(size + 128, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind).reshape(shape)


def _in_integers(layer, sums, correction, channels):
    """Outputs of exact float sums [P, n] of some channels, through 64-bit integers."""
    acc = wrap(
        sums.astype(np.int64) + correction[channels], layer.arithmetic.accumulator_bits
    ).astype(np.int32)
    return fast_ops.requantize(
        acc,
        layer.multiplier[channels],
        layer.shift[channels],
        layer.output_zero_point,
        layer.minimum,
        layer.maximum,
        layer.arithmetic.rounding,
    )


def scale_sums(kernels, prepared, sums, target, overflows=None):
    """Outputs of float32 sums [P, M], which are spoiled, into float32 target [..., M].

    Parameters
    ----------
    kernels : mnv2.golden.fast.kernels.Kernels
    """
    layer = prepared.layer
    if prepared.safe is not None:
        low, high = prepared.safe
        if (sums.min(axis=0) < low).any() or (sums.max(axis=0) > high).any():
            if overflows is not None:
                count = np.count_nonzero(sums < low) + np.count_nonzero(sums > high)
                overflows[layer.name] = overflows.get(layer.name, 0) + count
            everything = slice(None)
            target[...] = _in_integers(layer, sums, prepared.correction, everything).reshape(
                target.shape
            )
            return
    unproven = prepared.unproven
    left = sums[:, unproven] if len(unproven) else None
    kernels.scale(prepared, sums, target)
    if left is not None:
        outputs = _in_integers(layer, left, prepared.correction, unproven)
        target[..., unproven] = outputs.reshape(*target.shape[:-1], -1)


def filter_window(kernels, prepared, padded, out, overflows=None):
    """Outputs of a depthwise layer on a padded map [N, H, W, C], float32 [N, H', W', C]."""
    if prepared.plain and kernels.filter_and_scale is not None:
        kernels.filter_and_scale(prepared, padded, out)
        return
    kernels.filter(prepared, padded, out)
    scale_sums(kernels, prepared, out.reshape(-1, out.shape[-1]), out, overflows)
