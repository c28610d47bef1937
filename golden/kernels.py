"""The inner loops of a batch, by numpy; `golden.compiled` has the same, quicker, by numba.

A set of kernels is handed down from `golden.batch.run_model`, so that what runs is chosen in one
place: compiled kernels where numba is installed and there are images enough to pay for loading it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from golden import fast_ops

#: Images from which loading the compiled kernels (some tenths of a second) is worth it.
_MANY_IMAGES = 4
#: Elements of sums that are rounded away from zero at a time.
_PART_ELEMENTS = 2**14


@dataclass(frozen=True)
class Kernels:
    """Inner loops; all arrays are float32.

    Parameters
    ----------
    name : str
        What runs them.
    scale : function of (prepared, sums [P, M], target [..., M])
        clamp(...) of `golden.affine_scale`; the sums are spoiled.
    filter : function of (prepared, padded [N, H, W, C], out [N, H', W', C])
        Sums of a depthwise layer.
    filter_and_scale : function of (prepared, padded, out) or None
        Both at once, for layers without exceptions.
    add : function of (form, a, b)
        Sums of `golden.addition.prepare_add`.
    """

    name: str
    scale: Callable
    filter: Callable
    filter_and_scale: Callable | None
    add: Callable


@cache
def load_compiled():
    """The compiled Kernels, or None where numba is not installed.

    The first call ever compiles them, which takes some seconds; what is compiled is kept beside the
    package, or in the user's cache folder, where one of them can be written.
    """
    try:
        from golden.compiled import NUMBA
    except ImportError:
        return None
    return NUMBA


def choose(images):
    """The Kernels for so many images."""
    return (load_compiled() if images >= _MANY_IMAGES else None) or NUMPY


def _scale(prepared, values, target):
    """In place, for as many pixels at a time as the form's arrays are repeated for."""
    layer, form, tile = prepared.layer, prepared.form, prepared.tile
    channels = layer.output_channels
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
        # More steps, and one array beside: in parts that stay in the first cache.
        rows = max(1, _PART_ELEMENTS // values.shape[1])
        for start in range(0, len(values), rows):
            part = values[start:start + rows]
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
