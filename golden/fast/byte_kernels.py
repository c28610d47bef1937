"""The inner loops of a batch on bytes: layers packed for `mnv2.golden.fast.vector_code`."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import boolean, float32, uintp, void

from mnv2.golden.fast import vector_code
from mnv2.golden.fast.prepared import aligned
from mnv2.golden.fast.vector_code import LANES, TILE_PIXELS, TILE_VECTORS, VERSION, tiles
from mnv2.golden.summary import short_repr

__all__ = ["ByteLayer", "pack_layer", "run_add", "run_filter", "run_pointwise"]

#: Added to a value to make it an unsigned byte.
SHIFT = 128
_NO_SUM = np.iinfo(np.int32).min

# mypy counts the argument with which numba calls an intrinsic.
filter_row: Any = vector_code.filter_row
load_count: Any = vector_code.load_count
_tile_1_1, _tile_1_2, _tile_1_3 = (tiles[1, vectors] for vectors in (1, 2, 3))
_tile_7_1, _tile_7_2, _tile_7_3 = (tiles[TILE_PIXELS, vectors] for vectors in (1, 2, 3))


@dataclass(frozen=True, eq=False)
class ByteLayer:
    """A layer packed for the loops; arrays of channels are filled up to whole vectors.

    Attributes
    ----------
    weights : int8 [panels of vectors, words, vectors, 16, 4], flat; depthwise int32 [9, C]
    starts : int32 [C]
        -128 times the sum of each output's weights.
    offset, scale, half : float32 [C]
    exceptions, replacements : int32 [n, C]
        Of each channel at most n sums; the least integer where there are fewer.
    counts : uint64 [panels]
        Of them in each panel: depthwise, in each vector.
    numbers : (bool, float, float, float)
        Whether half counts; zero point, clamp.
    channels, words : int
        Outputs; groups of four inputs.
    """

    weights: np.ndarray
    starts: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    half: np.ndarray
    exceptions: np.ndarray
    replacements: np.ndarray
    counts: np.ndarray
    numbers: tuple[bool, float, float, float]
    channels: int
    words: int

    __repr__ = short_repr


def _address(array):
    return array.__array_interface__["data"][0]


def _filled(values, kind, fill=0):
    """An array with its last axis filled up to whole vectors, and a vector after its end."""
    width = -(-values.shape[-1] // LANES) * LANES
    raw = np.full(int(np.prod(values.shape[:-1])) * width + LANES, fill, kind)
    full = raw[:-LANES].reshape(*values.shape[:-1], width)
    full[..., : values.shape[-1]] = values
    return full


def pack_layer(prepared) -> ByteLayer:
    """The ByteLayer of a mnv2.golden.fast.prepared.PreparedLayer whose channels are all proven."""
    layer, form = prepared.layer, prepared.form
    channels, weights = layer.output_channels, layer.weights
    depthwise = layer.kind == "depthwise"
    sums = weights.astype(np.int64).reshape(-1, channels).sum(axis=0)
    exceptions, replacements = _exceptions(form, channels)
    panel = LANES if depthwise else LANES * TILE_VECTORS
    counts = [
        int(np.count_nonzero((part != _NO_SUM).any(axis=1)))
        for part in np.split(exceptions, range(panel, exceptions.shape[1], panel), axis=1)
    ]
    words = 0
    if depthwise:
        packed = _filled(weights.reshape(9, channels), np.int32)
    else:
        packed, words = _pack_matrix(weights.reshape(-1, channels))
    half = np.zeros(channels) if form.half is None else form.half[:channels]
    return ByteLayer(
        packed,
        _filled(-SHIFT * sums, np.int32),
        _filled(form.offset[:channels], np.float32),
        _filled(form.scale[:channels], np.float32),
        _filled(half, np.float32),
        exceptions,
        replacements,
        np.array(counts, np.uint64),
        (
            form.half is not None,
            float(layer.output_zero_point),
            float(layer.minimum),
            float(layer.maximum),
        ),
        channels,
        words,
    )


def _exceptions(form, channels):
    """Sums with their replacements, int32 [n, C] each: the n-th of each channel."""
    numbers = form.exception_channels
    most = int(np.bincount(numbers, minlength=1).max()) if len(numbers) else 0
    pair = [np.full((most, channels), _NO_SUM, np.int32) for _ in range(2)]
    used = np.zeros(channels, np.intp)
    for channel, before, after in zip(numbers, form.exception_sums, form.replacements, strict=True):
        for table, value in zip(pair, (before, after), strict=True):
            table[used[channel], channel] = int(value)
        used[channel] += 1
    return [_filled(table, np.int32, _NO_SUM) for table in pair]


def _pack_matrix(matrix):
    """int8 weights [K, M] by panels of vectors, each by words of four inputs; and the words."""
    inputs, outputs = matrix.shape
    words, vectors = -(-inputs // 4), -(-outputs // LANES)
    full = np.zeros((4 * words, LANES * vectors), np.int8)
    full[:inputs, :outputs] = matrix
    blocks = full.reshape(words, 4, vectors, LANES).transpose(0, 2, 3, 1)
    panels = [
        np.ascontiguousarray(blocks[:, start : start + TILE_VECTORS]).reshape(-1)
        for start in range(0, vectors, TILE_VECTORS)
    ]
    return np.concatenate(panels), words


_form = (*(uintp,) * 3, boolean, *(float32,) * 3, *(uintp,) * 4)


def _compile(*arguments):
    """As `mnv2.golden.fast.compiled` compiles."""

    def decorate(function):
        try:
            return numba.njit(void(*arguments), cache=True, nogil=True)(function)
        except RuntimeError:
            return numba.njit(void(*arguments), nogil=True)(function)

    return decorate


def _loops(version):
    """The loops, which numba keeps until the version of the vectors' code is another."""

    @_compile(*(uintp,) * 7, *_form, *(uintp,) * 8)
    def _pointwise(
        source,
        image_step,
        row_step,
        pixel_step,
        words,
        weights,
        starts,
        offset,
        scale,
        half,
        two_sided,
        zero_point,
        low,
        high,
        exceptions,
        replacements,
        exception_step,
        counts,
        output,
        output_image_step,
        output_row_step,
        output_step,
        images,
        rows,
        pixels,
        channels,
    ):
        if version < 0:  # never; numba keeps loops by what they close over
            return
        vectors = (channels + uintp(LANES - 1)) // uintp(LANES)
        first, panel = uintp(0), uintp(0)
        while first < vectors:
            some = min(uintp(TILE_VECTORS), vectors - first)
            lanes = min(uintp(LANES), channels - (first + some - uintp(1)) * uintp(LANES))
            place = first * uintp(4 * LANES)
            count = load_count(counts + panel * uintp(8))
            for image in range(images):
                for row in range(rows):
                    begin = source + image * image_step + row * row_step
                    target = (
                        output
                        + image * output_image_step
                        + row * output_row_step
                        + first * uintp(LANES)
                    )
                    done = uintp(0)
                    while done < pixels:
                        wide = done + uintp(TILE_PIXELS) <= pixels
                        arguments = (
                            begin + done * pixel_step,
                            pixel_step,
                            words,
                            weights,
                            starts + place,
                            offset + place,
                            scale + place,
                            half + place,
                            two_sided,
                            zero_point,
                            low,
                            high,
                            exceptions + place,
                            replacements + place,
                            exception_step,
                            count,
                            target + done * output_step,
                            output_step,
                            lanes,
                        )
                        if wide:
                            if some == uintp(3):
                                _tile_7_3(arguments)
                            elif some == uintp(2):
                                _tile_7_2(arguments)
                            else:
                                _tile_7_1(arguments)
                            done += uintp(TILE_PIXELS)
                        else:
                            if some == uintp(3):
                                _tile_1_3(arguments)
                            elif some == uintp(2):
                                _tile_1_2(arguments)
                            else:
                                _tile_1_1(arguments)
                            done += uintp(1)
            weights += words * some * uintp(4 * LANES)
            first += some
            panel += uintp(1)

    @_compile(*(uintp,) * 8, *_form, *(uintp,) * 5)
    def _filter(
        source,
        image_step,
        row_step,
        column_step,
        stride,
        taps,
        tap_step,
        starts,
        offset,
        scale,
        half,
        two_sided,
        zero_point,
        low,
        high,
        exceptions,
        replacements,
        exception_step,
        counts,
        output,
        images,
        rows,
        pixels,
        channels,
    ):
        if version < 0:  # never; numba keeps loops by what they close over
            return
        vectors = (channels + uintp(LANES - 1)) // uintp(LANES)
        for image in range(images):
            for row in range(rows):
                begin = source + image * image_step + row * stride * row_step
                target = output + (image * rows + row) * pixels * channels
                for vector in range(vectors):
                    bytes_before, place = vector * uintp(LANES), vector * uintp(4 * LANES)
                    filter_row(
                        (
                            begin + bytes_before,
                            row_step,
                            column_step,
                            column_step * stride,
                            taps + place,
                            tap_step,
                            starts + place,
                            offset + place,
                            scale + place,
                            half + place,
                            two_sided,
                            zero_point,
                            low,
                            high,
                            exceptions + place,
                            replacements + place,
                            exception_step,
                            load_count(counts + vector * uintp(8)),
                            target + bytes_before,
                            channels,
                            min(uintp(LANES), channels - bytes_before),
                            pixels,
                        )
                    )

    return _pointwise, _filter


_run_tiles, _run_rows = _loops(VERSION)
_bytes = numba.uint8[::1]


@_compile(_bytes, _bytes, *5 * (float32,), _bytes)
def _add(a, b, a_scale, b_scale, offset, low, high, out):
    for k in range(uintp(len(out))):
        first, second = float32(a[k]) - float32(SHIFT), float32(b[k]) - float32(SHIFT)
        value = np.rint(first * a_scale + second * b_scale + offset)
        value = low if value < low else value
        value = high if value > high else value
        out[k] = numba.uint8(numba.int32(value) + numba.int32(SHIFT))


@_compile(_bytes, _bytes, _bytes, _bytes)
def _look_up(a, b, table, out):
    for k in range(uintp(len(out))):
        out[k] = table[(uintp(a[k]) << uintp(8)) | uintp(b[k])]


def _form_numbers(packed):
    step = packed.exceptions.shape[1] * 4
    return (
        _address(packed.offset),
        _address(packed.scale),
        _address(packed.half),
        *packed.numbers,
        _address(packed.exceptions),
        _address(packed.replacements),
        step,
        _address(packed.counts),
    )


def run_pointwise(packed, source, target):
    """Outputs uint8 [N, H, W, M] of uint8 [N, H, W, K]; the channels of each contiguous."""
    images, rows, pixels, _ = source.shape
    _run_tiles(
        _address(source),
        *source.strides[:3],
        packed.words,
        _address(packed.weights),
        _address(packed.starts),
        *_form_numbers(packed),
        _address(target),
        *target.strides[:3],
        images,
        rows,
        pixels,
        packed.channels,
    )


def run_filter(packed, stride, padded, out):
    """Outputs uint8 [N, H', W', C], contiguous, of a padded map uint8 [N, H, W, C]."""
    images, rows, pixels, channels = out.shape
    _run_rows(
        _address(padded),
        *padded.strides[:3],
        stride,
        _address(packed.weights),
        packed.weights.strides[0],
        _address(packed.starts),
        *_form_numbers(packed),
        _address(out),
        images,
        rows,
        pixels,
        channels,
    )


def run_add(form, a, b):
    """uint8 of the shape of two maps: as `mnv2.golden.fast.addition.prepare_float_add` adds."""
    out = aligned(a.shape, np.uint8)
    flat = [np.ascontiguousarray(one).reshape(-1) for one in (a, b)]
    if len(form) == 1:
        table = (form[0] + SHIFT).astype(np.uint8)
        _look_up(*flat, table, out.reshape(-1))
    else:
        _add(*flat, *map(np.float32, form), out.reshape(-1))
    return out
