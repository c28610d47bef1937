"""The inner loops of a batch, compiled by numba (the extra `fast`); importing this needs it.

The operations on each element are numpy's, one by one and in float32: nothing is reordered or
fused, so that what `mnv2.golden.fast.affine_scale` and `mnv2.golden.fast.addition` prove of theirs
holds here. Sums of products are exact in any order and with fused steps.

Loops work on flat arrays by unsigned indices: of numba's arrays with several axes the last may have
any step, and a signed index may count from the end; no loop over either is vectorised.
"""

import numba
import numba.extending
import numpy as np
from numba import boolean, float32, intp, uintp, void

from mnv2.golden.fast.kernels import NUMPY, Kernels

_vector = float32[::1]
#: Offset, scale and half of each channel, whether half counts, zero point, clamp; sums that are
#: replaced before: their channels, themselves, what stands in for them.
_form = (_vector, _vector, _vector, boolean, float32, float32, float32, intp[::1], _vector, _vector)
#: Elements of a loop over some pixels' channels: long against its start, short against the cache.
_RUN_ELEMENTS = 512

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
def _scale_row(
    sums,
    source,
    offset,
    scale,
    half,
    two_sided,
    zero_point,
    minimum,
    maximum,
    replaced_channels,
    replaced,
    replacements,
    out,
    target,
    pixels,
    channels,
    runs,
    length,
    run_step,
):
    for k in range(uintp(len(replaced))):
        place = source + uintp(replaced_channels[k])
        for _ in range(pixels):
            if sums[place] == replaced[k]:
                sums[place] = replacements[k]
            place += channels
    for _ in range(runs):
        if two_sided:
            for c in range(length):
                value = (sums[source + c] + offset[c]) * scale[c]
                value = np.trunc(value + np.copysign(half[c], value)) + zero_point
                value = minimum if value < minimum else value
                out[target + c] = maximum if value > maximum else value
        else:
            for c in range(length):
                value = np.rint((sums[source + c] + offset[c]) * scale[c])
                value = minimum if value < minimum else value
                out[target + c] = maximum if value > maximum else value
        source += length
        target += run_step


@_compile(_vector, *_form, _vector, *8 * (uintp,))
def _scale(
    sums,
    offset,
    scale,
    half,
    two_sided,
    zero_point,
    minimum,
    maximum,
    replaced_channels,
    replaced,
    replacements,
    out,
    images,
    rows,
    pixels,
    channels,
    image_step,
    row_step,
    run_pixels,
    run_step,
):
    runs, length = pixels // run_pixels, run_pixels * channels
    source = uintp(0)
    for image in range(images):
        for row in range(rows):
            _scale_row(
                sums,
                source,
                offset,
                scale,
                half,
                two_sided,
                zero_point,
                minimum,
                maximum,
                replaced_channels,
                replaced,
                replacements,
                out,
                image * image_step + row * row_step,
                pixels,
                channels,
                runs,
                length,
                run_step,
            )
            source += pixels * channels


@_compile(_vector, *4 * (uintp,), _vector, uintp, boolean, *_form, _vector, *5 * (uintp,))
def _filter(
    padded,
    stride,
    image_step,
    row_step,
    column_step,
    taps,
    tap_step,
    scaled,
    offset,
    scale,
    half,
    two_sided,
    zero_point,
    minimum,
    maximum,
    replaced_channels,
    replaced,
    replacements,
    out,
    images,
    rows,
    pixels,
    channels,
    run_pixels,
):
    runs, length = pixels // run_pixels, run_pixels * channels
    two, run_step = uintp(2), run_pixels * column_step * stride
    begin = uintp(0)
    for image in range(images):
        for row in range(rows):
            top, target = image * image_step + row * row_step * stride, begin
            for _ in range(runs):
                middle, bottom = top + row_step, top + two * row_step
                for c in range(length):
                    out[target + c] = (
                        padded[top + c] * taps[c]
                        + padded[top + column_step + c] * taps[tap_step + c]
                        + padded[top + two * column_step + c] * taps[two * tap_step + c]
                        + padded[middle + c] * taps[uintp(3) * tap_step + c]
                        + padded[middle + column_step + c] * taps[uintp(4) * tap_step + c]
                        + padded[middle + two * column_step + c] * taps[uintp(5) * tap_step + c]
                        + padded[bottom + c] * taps[uintp(6) * tap_step + c]
                        + padded[bottom + column_step + c] * taps[uintp(7) * tap_step + c]
                        + padded[bottom + two * column_step + c] * taps[uintp(8) * tap_step + c]
                    )
                top += run_step
                target += length
            if scaled:
                _scale_row(
                    out,
                    begin,
                    offset,
                    scale,
                    half,
                    two_sided,
                    zero_point,
                    minimum,
                    maximum,
                    replaced_channels,
                    replaced,
                    replacements,
                    out,
                    begin,
                    pixels,
                    channels,
                    runs,
                    length,
                    length,
                )
            begin = target


@_compile(_vector, _vector, *5 * (float32,), _vector)
def _add(a, b, a_scale, b_scale, offset, minimum, maximum, out):
    for k in range(uintp(len(out))):
        value = np.rint(a[k] * a_scale + b[k] * b_scale + offset)
        value = minimum if value < minimum else value
        out[k] = maximum if value > maximum else value


def _flat(array):
    """The memory from an array's first element to its last, and its steps, in elements."""
    item = array.itemsize
    size = 1 + sum(
        (length - 1) * step // item for length, step in zip(array.shape, array.strides, strict=True)
    )
    owner = array if array.base is None else array.base
    if isinstance(owner, np.ndarray) and owner.flags.c_contiguous:
        start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
        view = np.ndarray((size,), array.dtype, owner, start)
    else:
        view = np.lib.stride_tricks.as_strided(array, (size,), (item,))
    return view, [step // item for step in array.strides]


def _numbers(prepared):
    """The numbers that `_form` lists."""
    layer, form = prepared.layer, prepared.form
    half = form.offset if form.half is None else form.half
    return (
        form.offset,
        form.scale,
        half,
        form.half is not None,
        layer.output_zero_point,
        layer.minimum,
        layer.maximum,
        form.exception_channels,
        form.exception_sums,
        form.replacements,
    )


def _pixels_of_run(columns, channels, repeats):
    """How many pixels of a row one loop goes over: at most as often as parameters are repeated."""
    pixels = max(1, min(columns, repeats, _RUN_ELEMENTS // channels))
    while columns % pixels:
        pixels -= 1
    return pixels


def _run_scale(prepared, sums, target):
    target = target.reshape((1,) * (4 - target.ndim) + target.shape)
    images, rows, columns, channels = target.shape
    flat, steps = _flat(target)
    pixels = 1
    if steps[2] == channels:
        pixels = _pixels_of_run(columns, channels, prepared.tile)
    _scale(
        sums.reshape(-1),
        *_numbers(prepared),
        flat,
        images,
        rows,
        columns,
        channels,
        *steps[:2],
        pixels,
        pixels * steps[2],
    )


def _run_filter(prepared, padded, out, scaled=False):
    columns, channels = out.shape[2:]
    flat, steps = _flat(padded)
    taps, pixels = prepared.weights, 1
    if taps.ndim == 4 and steps[2] == channels:  # stride 1: repeated for several pixels
        pixels = _pixels_of_run(columns, channels, min(taps.shape[2], prepared.tile))
    _filter(
        flat,
        prepared.layer.stride,
        *steps[:3],
        taps.reshape(-1),
        taps[0, 0].size,
        scaled,
        *_numbers(prepared),
        out.reshape(-1),
        *out.shape,
        pixels,
    )


def _run_filter_and_scale(prepared, padded, out):
    _run_filter(prepared, padded, out, scaled=True)


def _run_add(form, a, b):
    if len(form) == 1:
        return NUMPY.add(form, a, b)
    total = np.empty(a.shape, np.float32)
    _add(
        np.ascontiguousarray(a).reshape(-1),
        np.ascontiguousarray(b).reshape(-1),
        *map(np.float32, form),
        total.reshape(-1),
    )
    return total


NUMBA = Kernels("numba", _run_scale, _run_filter, _run_filter_and_scale, _run_add)
