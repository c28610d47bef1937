"""The inner loops of a batch in numpy; `mnv2.golden.fast.compiled` has them, faster, in numba.

A set of kernels is handed down from `mnv2.golden.fast.batch.run_model`, so that what runs is chosen
in one place: compiled kernels where numba is installed and there are images enough to pay for
loading it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mnv2.golden.fast import ops as fast_ops

#: Elements of sums that are rounded away from zero at a time.
_PART_ELEMENTS = 2**14


@dataclass(frozen=True)
class Kernels:
    """Inner loops; all arrays are float32.

    Attributes
    ----------
    name : str
        What runs them.
    scale : function of (prepared, sums [P, M], target [..., M])
        clamp(...) of `mnv2.golden.fast.affine_scale`, its exceptions replaced; the sums are
        spoiled.
    filter : function of (prepared, padded [N, H, W, C], out [N, H', W', C])
        Sums of a depthwise layer.
    filter_and_scale : function of (prepared, padded, out) or None
        Both at once.
    add : function of (form, a, b)
        Sums of `mnv2.golden.fast.addition.prepare_float_add`.
    """

    name: str
    scale: Callable
    filter: Callable
    filter_and_scale: Callable | None
    add: Callable


def _scale(prepared, values, target):
    """In place, for as many pixels at a time as the form's arrays are repeated for."""
    layer, form, tile = prepared.layer, prepared.form, prepared.tile
    channels = layer.output_channels
    if len(form.replacements):
        pixels, found = np.nonzero(values[:, form.exception_channels] == form.exception_sums)
        values[pixels, form.exception_channels[found]] = form.replacements[found]
    offset, scale, half = form.offset, form.scale, form.half
    if len(values) % tile:
        tile = 1
        offset, scale = offset[:channels], scale[:channels]
        half = None if half is None else half[:channels]
    number, values = values.dtype.type, values.reshape(-1, tile * channels)
    if half is None:
        np.add(values, offset, out=values)
        np.multiply(values, scale, out=values)
        np.rint(values, out=values)
    else:
        # More steps and one more array: in parts that stay in the first-level cache.
        rows = max(1, _PART_ELEMENTS // values.shape[1])
        for start in range(0, len(values), rows):
            part = values[start : start + rows]
            np.add(part, offset, out=part)
            np.multiply(part, scale, out=part)
            np.add(part, _copy_sign(half, part), out=part)
            np.trunc(part, out=part)
            np.add(part, number(layer.output_zero_point), out=part)
    np.clip(values.reshape(target.shape), layer.minimum, layer.maximum, out=target)


def _copy_sign(magnitude, values):
    """np.copysign of magnitudes >= 0, which goes element by element there, by bits."""
    kind = f"i{values.itemsize}"
    sign = np.bitwise_and(values.view(kind), np.iinfo(kind).min)
    np.bitwise_or(sign, magnitude.view(kind), out=sign)
    return sign.view(values.dtype)


def _filter(prepared, padded, out):
    fast_ops.depthwise_sums(padded, prepared.weights, prepared.layer.stride, out)


def _add(form, a, b):
    if len(form) == 1:
        index = a * np.float32(2**8)
        index += b
        index += np.float32(2**15 + 2**7)
        return form[0].take(index.astype(np.intp), mode="clip")
    a_scale, b_scale, offset, minimum, maximum = form
    total = a * a_scale
    total += b * b_scale
    total += offset
    np.rint(total, out=total)
    return np.clip(total, minimum, maximum, out=total)


NUMPY = Kernels("numpy", _scale, _filter, None, _add)
