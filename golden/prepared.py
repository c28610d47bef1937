"""One layer made ready to run in float32, with proof that its integers come out.

Sums of products are exact (`golden.fast_ops`), and so is their requantisation
(`golden.affine_scale`), for every input within the clamp of the layer before. Channels for which
that is not proven are computed in integers; so is a whole layer where they are many.
"""

from dataclasses import dataclass

import numpy as np

from golden import fast_ops
from golden.affine_scale import AffineScale, fit
from golden.fixed_point import signed_range, wrap

#: Elements of a row of parameters repeated for several pixels: fewer, longer inner loops.
_TILE_ELEMENTS = 4096
#: Share of channels in 64-bit forms from which a whole layer had better run in integers.
_SLOW_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class PreparedLayer:
    """A layer whose float32 form is proven.

    Parameters
    ----------
    layer : golden.model.QuantizedLayer
    weights : float32 [K, M], or [3, 3, C] (stride 1: [3, 3, W', C], repeated) if depthwise
    correction : int64 [M]
        As `golden.fast_ops.corrections`.
    narrow, wide : AffineScale
        In float32, of all channels (those not proven give something else), and in float64 of the
        channels that float32 could not hold.
    unproven : int [n]
        Channels left to integers.
    tile : int
        Pixels for which `narrow` is repeated.
    safe : (float32 [M], float32 [M]) or None
        Sums between which no accumulator leaves its range; None if none can.
    """

    layer: object
    weights: np.ndarray
    correction: np.ndarray
    narrow: AffineScale
    wide: AffineScale
    unproven: np.ndarray
    tile: int
    safe: tuple | None


def _tile(pixels, channels):
    """The largest power of two that divides the pixels and keeps a repeated row short."""
    tile = 1
    while pixels % (2 * tile) == 0 and 2 * tile * channels <= _TILE_ELEMENTS:
        tile *= 2
    return tile


def prepare_layer(layer, low, high, pixels):
    """The PreparedLayer for inputs in low..high, or None where integers must do it.

    Parameters
    ----------
    layer : golden.model.QuantizedLayer
    low, high : int
        Every value that its input can hold.
    pixels : int
        Output pixels of a row, or of the whole map where rows do not matter.
    """
    zero = layer.input_zero_point
    low, high = min(low, zero), max(high, zero)        # padding holds the zero point
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
    open_channels = lowest <= highest
    narrow = fit(layer, correction, lowest, highest, open_channels)
    open_channels[narrow.channels] = False
    wide = fit(layer, correction, lowest, highest, open_channels, np.float64)
    unproven = np.setdiff1d(np.arange(channels), np.concatenate([narrow.channels, wide.channels]))
    if len(wide.channels) + 2 * len(unproven) > _SLOW_SHARE * channels:
        return None
    weights = layer.weights.astype(np.float32)
    if layer.kind == "depthwise":
        if layer.stride == 1:
            weights = np.repeat(weights[:, :, None], pixels, axis=2)
    else:
        weights = np.ascontiguousarray(weights.reshape(-1, channels))
    tile = _tile(pixels, channels)
    return PreparedLayer(layer, weights, correction, _full(narrow, channels, tile), wide,
                         unproven.astype(np.intp), tile, safe)


def _full(form, channels, tile):
    """A form with a place for every channel, repeated for `tile` pixels."""
    def spread(values):
        full = np.zeros(channels, np.float32)
        full[form.channels] = values
        return np.tile(full, tile)

    half = None if form.half is None else spread(form.half)
    return AffineScale(np.arange(channels), spread(form.offset), spread(form.scale), half)


def _scale_in_place(form, values, zero_point, minimum, maximum, target):
    """clamp(...) of `golden.affine_scale`; values are spoiled, target is written."""
    np.add(values, form.offset, out=values)
    np.multiply(values, form.scale, out=values)
    if form.half is None:
        np.rint(values, out=values)
        np.clip(values.reshape(target.shape), minimum, maximum, out=target)
        return
    np.add(values, np.copysign(form.half, values), out=values)
    np.trunc(values, out=values)
    np.add(values, values.dtype.type(zero_point), out=values)
    np.clip(values.reshape(target.shape), minimum, maximum, out=target)


def _in_integers(layer, sums, correction, channels):
    """Outputs of exact float sums [P, n] of some channels, through 64-bit integers."""
    acc = wrap(sums.astype(np.int64) + correction[channels], layer.arithmetic.accumulator_bits)
    return fast_ops.requantize(acc, layer.multiplier[channels], layer.shift[channels],
                               layer.output_zero_point, layer.minimum, layer.maximum,
                               layer.arithmetic.rounding)


def scale_sums(prepared, sums, target, overflows=None):
    """Outputs of float32 sums [P, M], which are spoiled, into float32 target [..., M]."""
    layer, channels = prepared.layer, prepared.layer.output_channels
    if prepared.safe is not None:
        low, high = prepared.safe
        if (sums.min(axis=0) < low).any() or (sums.max(axis=0) > high).any():
            if overflows is not None:
                count = np.count_nonzero(sums < low) + np.count_nonzero(sums > high)
                overflows[layer.name] = overflows.get(layer.name, 0) + count
            everything = slice(None)
            target[...] = _in_integers(layer, sums, prepared.correction,
                                       everything).reshape(target.shape)
            return
    wide, unproven = prepared.wide, prepared.unproven
    kept = sums[:, wide.channels].astype(np.float64) if len(wide.channels) else None
    left = sums[:, unproven] if len(unproven) else None
    clamp = (layer.output_zero_point, layer.minimum, layer.maximum)
    tile = prepared.tile if len(sums) % prepared.tile == 0 else 1
    form = prepared.narrow
    if tile != prepared.tile:
        form = form.take(slice(channels))
    _scale_in_place(form, sums.reshape(-1, tile * channels), *clamp, target)
    if kept is not None:
        _scale_in_place(wide, kept, *clamp, kept)
        target[..., wide.channels] = kept.reshape(*target.shape[:-1], -1)
    if left is not None:
        outputs = _in_integers(layer, left, prepared.correction, unproven)
        target[..., unproven] = outputs.reshape(*target.shape[:-1], -1)
