"""The inner loops of a batch, compiled by numba (the extra `fast`); importing this needs it.

The operations on each element are numpy's, one by one and in float32: nothing is reordered or
fused, so that what `golden.affine_scale` and `golden.addition` prove of theirs holds here. Sums of
products are exact in any order and with fused steps.

Loops work on flat arrays by unsigned indices: of numba's arrays with several axes the last may have
any step, and a signed index may count from the end; no loop over either is vectorised.
"""

import numba
import numba.extending
import numpy as np
from numba import boolean, float32, uintp, void

from golden.kernels import NUMPY, Kernels

_vector = float32[::1]
#: Offset, scale and half of each channel, whether half counts, zero point, clamp.
_form = (_vector, _vector, _vector, boolean, float32, float32, float32)

_inline = numba.extending.register_jitable(inline="always")


def _compile(*arguments):
    """Compile for these arguments, once for all runs where there is a folder to keep it in."""
    def decorate(function):
        try:
            return numba.njit(void(*arguments), cache=True, nogil=True)(function)
        except RuntimeError:
            return numba.njit(void(*arguments), nogil=True)(function)
    return decorate


@_inline
def _scale_pixel(sums, source, offset, scale, half, two_sided, zero_point, minimum, maximum, out,
                 target, channels):
    if two_sided:
        for c in range(channels):
            value = (sums[source + c] + offset[c]) * scale[c]
            value = np.trunc(value + np.copysign(half[c], value)) + zero_point
            value = minimum if value < minimum else value
            out[target + c] = maximum if value > maximum else value
    else:
        for c in range(channels):
            value = np.rint((sums[source + c] + offset[c]) * scale[c])
            value = minimum if value < minimum else value
            out[target + c] = maximum if value > maximum else value


@_compile(_vector, *_form, _vector, *7 * (uintp,))
def _scale(sums, offset, scale, half, two_sided, zero_point, minimum, maximum, out, images, rows,
           columns, channels, image_step, row_step, column_step):
    pixel = uintp(0)
    for image in range(images):
        for row in range(rows):
            target = image * image_step + row * row_step
            for _ in range(columns):
                _scale_pixel(sums, pixel, offset, scale, half, two_sided, zero_point, minimum,
                             maximum, out, target, channels)
                pixel  += channels
                target += column_step


@_compile(_vector, *4 * (uintp,), _vector, boolean, *_form, _vector, *4 * (uintp,))
def _filter(padded, stride, image_step, row_step, column_step, taps, scaled, offset, scale, half,
            two_sided, zero_point, minimum, maximum, out, images, rows, columns, channels):
    pixel = uintp(0)
    for image in range(images):
        for row in range(rows):
            for column in range(columns):
                top = image * image_step + (row * row_step + column * column_step) * stride
                middle, bottom = top + row_step, top + row_step + row_step
                for c in range(channels):
                    out[pixel + c] = (
                        padded[top + c] * taps[c]
                        + padded[top + column_step + c] * taps[channels + c]
                        + padded[top + uintp(2) * column_step + c] * taps[uintp(2) * channels + c]
                        + padded[middle + c] * taps[uintp(3) * channels + c]
                        + padded[middle + column_step + c] * taps[uintp(4) * channels + c]
                        + padded[middle + uintp(2) * column_step + c]
                        * taps[uintp(5) * channels + c]
                        + padded[bottom + c] * taps[uintp(6) * channels + c]
                        + padded[bottom + column_step + c] * taps[uintp(7) * channels + c]
                        + padded[bottom + uintp(2) * column_step + c]
                        * taps[uintp(8) * channels + c])
                if scaled:
                    _scale_pixel(out, pixel, offset, scale, half, two_sided, zero_point, minimum,
                                 maximum, out, pixel, channels)
                pixel += channels


@_compile(_vector, _vector, *5 * (float32,), _vector)
def _add(a, b, a_scale, b_scale, offset, minimum, maximum, out):
    for k in range(uintp(len(out))):
        value = np.rint(a[k] * a_scale + b[k] * b_scale + offset)
        value = minimum if value < minimum else value
        out[k] = maximum if value > maximum else value


def _flat(array):
    """The memory from an array's first element to its last, and its steps, in elements."""
    item  = array.itemsize
    size  = 1 + sum((length - 1) * step // item
                    for length, step in zip(array.shape, array.strides, strict=True))
    owner = array if array.base is None else array.base
    if isinstance(owner, np.ndarray) and owner.flags.c_contiguous:
        start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        view  = np.ndarray((size,), array.dtype, owner, start)
    else:
        view = np.lib.stride_tricks.as_strided(array, (size,), (item,))
    return view, [step // item for step in array.strides]


def _numbers(prepared):
    """What `_form` lists."""
    layer, form = prepared.layer, prepared.form
    half = form.offset if form.half is None else form.half
    return (form.offset, form.scale, half, form.half is not None,
            np.float32(layer.output_zero_point), np.float32(layer.minimum),
            np.float32(layer.maximum))


def _run_scale(prepared, sums, target):
    target = target.reshape((1,) * (4 - target.ndim) + target.shape)
    flat, steps = _flat(target)
    _scale(sums.reshape(-1), *_numbers(prepared), flat, *target.shape, *steps[:3])


def _run_filter(prepared, padded, out, scaled=False):
    flat, steps = _flat(padded)
    taps = prepared.weights
    if taps.ndim == 4:                           # repeated for several pixels
        taps = np.ascontiguousarray(taps[:, :, 0])
    _filter(flat, prepared.layer.stride, *steps[:3], taps.reshape(-1), scaled, *_numbers(prepared),
            out.reshape(-1), *out.shape)


def _run_filter_and_scale(prepared, padded, out):
    _run_filter(prepared, padded, out, scaled=True)


def _run_add(form, a, b):
    if len(form) == 1:
        return NUMPY.add(form, a, b)
    total = np.empty(a.shape, np.float32)
    _add(np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(b).reshape(-1),
         *map(np.float32, form), total.reshape(-1))
    return total


NUMBA = Kernels("numba", _run_scale, _run_filter, _run_filter_and_scale, _run_add)
