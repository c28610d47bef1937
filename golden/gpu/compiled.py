"""The layers of the integer model as launches of the kernels in `mnv2.golden.gpu.kernels`."""

from functools import cached_property

import numpy as np
import torch
import triton

from mnv2.golden.gpu import kernels
from mnv2.golden.gpu.eager import EagerLayer, gather_windows
from mnv2.golden.gpu.numbers import layer_numbers
from mnv2.golden.gpu.scaling import activation_type

#: Widest accumulator that the kernels add up with a clamp after every product: two more bits hold
#: the sum before it is clamped.
SATURATING_BITS = 30


def kernel_layer(layer, low, high, device, *, add=None, place=0):
    """The layer as a kernel, or in plain torch where no kernel is right for it.

    The latter are stems of other than three channels, and layers of accumulators for which 32 bits
    do not hold what is counted or clamped: no network that was calibrated has them.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    low, high : int
        Every value that its input can hold.
    device : torch.device
    add : mnv2.golden.quantized_layer.QuantizedAdd, optional
        The addition that the kernel can do as well.
    place : int
        Of the layer in the array of counts.

    Returns
    -------
    KernelLayer or EagerLayer
    """
    made = KernelLayer(layer, low, high, device, add, place)
    if layer.kind == "stem" and layer.input_channels != 3:
        return EagerLayer(layer, low, high, device)
    saturates = made.saturates
    if made.facts.overflows and (
        (saturates and layer.arithmetic.accumulator_bits > SATURATING_BITS)
        or (not saturates and not made.facts.fits_32 and made.input_kind == torch.int8)
    ):
        return EagerLayer(layer, low, high, device)
    return made


def _power(value, low, high):
    """The power of two from low to high that is the least not below a value."""
    return min(high, max(low, 1 << (int(value) - 1).bit_length()))


class KernelLayer(EagerLayer):
    """A convolution, perhaps with the residual addition that follows it; see `kernel_layer`.

    Inputs hold 8 bits where low..high does, else 16.
    """

    def __init__(self, layer, low, high, device, add=None, place=0):
        super().__init__(layer, low, high, device)
        self.input_kind = torch.int8 if -128 <= low and high <= 127 else torch.int16
        self.output_kind = activation_type(layer.activation_bits)
        self.add, self.device = add, device
        wide = self.input_kind == torch.int16
        weights = layer.weights.reshape(-1, layer.output_channels)
        correction = self.facts.correction
        if self.saturates:
            correction, wide = layer.bias.astype(np.int64), False
        elif wide and layer.kind != "depthwise":
            correction = correction + 128 * weights.astype(np.int64).sum(axis=0)
        if layer.kind == "stem" and not self.saturates:
            rest = np.zeros((max(0, kernels.STEM_INNER - len(weights)), len(correction)), np.int8)
            weights = np.concatenate([weights, rest])
        self.wide = wide
        arrays = (
            np.ascontiguousarray(weights),
            correction if wide else correction.astype(np.int32),
            layer.multiplier,
            layer.shift,
        )
        self.parameters = tuple(torch.tensor(array, device=device) for array in arrays)
        self.numbers = torch.tensor(
            layer_numbers(layer, add, self.facts.overflows, place), device=device
        )

    @cached_property
    def saturates(self):
        """Whether additions must clamp one by one."""
        return self.facts.overflows and self.layer.arithmetic.overflow == "saturate"

    def launch(self, x, counts, shortcut=None, raw=False):
        """Output [N, H', W', M] of a contiguous [N, H, W, C].

        Parameters
        ----------
        counts : torch.Tensor int64
            The layer adds at its place how many accumulators left their range.
        shortcut : torch.Tensor, optional
            Added to the output, as `add` says.
        raw : bool
            Whether to give the accumulators themselves, int32.
        """
        if self.layer.kind == "depthwise" or (self.layer.kind == "stem" and not self.saturates):
            return self._launch_window(x, counts)
        if self.layer.kind == "stem":
            x = gather_windows(x, self.layer)
        if self.saturates:
            return self._launch_saturating(x, counts, raw)
        return self._launch_pointwise(x, counts, shortcut, raw)

    def _launch_window(self, x, counts):
        layer = self.layer
        (top, bottom), (left, right) = layer.padding
        images, height, width, _ = x.shape
        rows = (height + top + bottom - 3) // layer.stride + 1
        columns = (width + left + right - 3) // layer.stride + 1
        channels, pixels = layer.output_channels, images * rows * columns
        out = x.new_empty((images, rows, columns, channels), dtype=self.output_kind)
        numbers = (pixels, height, width, channels, rows, columns, layer.stride, top, left)
        given = (x, *self.parameters, out, counts, self.numbers, *numbers)
        if layer.kind == "stem":
            block, part = 128, _power(channels, 16, 64)
            grid = (triton.cdiv(pixels, block) * triton.cdiv(channels, part),)
            kernels.stem[grid](*given, WIDE=self.wide, INNER=kernels.STEM_INNER, BP=block, BN=part)
            return out
        part = _power(channels, 16, 64)
        block = 2048 // part
        grid = (triton.cdiv(pixels, block) * triton.cdiv(channels, part),)
        kernels.depthwise[grid](*given, SATURATE=self.saturates, WIDE=self.wide, BP=block, BC=part)
        return out

    def _shapes(self, x, kind):
        """(pixels, inner, channels) of a product, and its output of a type."""
        channels, inner = self.layer.output_channels, x.shape[-1]
        out = x.new_empty((*x.shape[:-1], channels), dtype=kind)
        return (x.numel() // inner, inner, channels), out

    def _launch_pointwise(self, x, counts, shortcut, raw):
        kind = torch.int32 if raw else self.output_kind
        if shortcut is not None:
            kind = activation_type(self.add.activation_bits)
        (pixels, inner, channels), out = self._shapes(x, kind)
        block, part = 128 if pixels >= 4096 else 64, _power(channels, 16, 128)
        if self.wide:  # two sums for each output
            part = min(part, 64)
        kernels.pointwise[(triton.cdiv(channels, part) * triton.cdiv(pixels, block),)](
            x,
            *self.parameters,
            out,
            x if shortcut is None else shortcut,
            counts,
            self.numbers,
            pixels,
            inner,
            channels,
            ADD=shortcut is not None,
            RAW=raw,
            WIDE=self.wide,
            BP=block,
            BN=part,
            BK=_power(inner, 32, 64),
        )
        return out

    def _launch_saturating(self, x, counts, raw):
        kind = torch.int32 if raw else self.output_kind
        (pixels, inner, channels), out = self._shapes(x, kind)
        part = _power(channels, 16, 64)
        block = 2048 // part
        grid = (triton.cdiv(channels, part) * triton.cdiv(pixels, block),)
        kernels.saturating_pointwise[grid](
            x,
            *self.parameters,
            out,
            counts,
            self.numbers,
            pixels,
            inner,
            channels,
            RAW=raw,
            BP=block,
            BN=part,
        )
        return out


def look_up(pixels, table):
    """The integer images [N, H, W, 3] of uint8 pixels; see `mnv2.golden.gpu.pixels`."""
    out = torch.empty(pixels.shape, dtype=table.dtype, device=pixels.device)
    block = 1024
    grid = (triton.cdiv(pixels.numel(), block),)
    kernels.look_up[grid](pixels, table, out, pixels.numel(), BLOCK=block)
    return out
