"""The stages of the integer model in plain torch, on any device: the obvious form.

Sums of products are matrix products of floats, exact because no partial sum passes the mantissa
(`mnv2.golden.fast.ops`); requantisation is in int64. `mnv2.golden.gpu.compiled` has the same in
kernels that are many times faster on a GPU.
"""

import numpy as np
import torch

from mnv2.golden.exact_mean import QuantizedExactMean
from mnv2.golden.fixed_point import signed_range
from mnv2.golden.gpu.bounds import find_accumulators
from mnv2.golden.gpu.scaling import Requantization, activation_type, scale_by_multiplier, wrap


def windows(x, layer):
    """(dy, dx, [N, H', W', C]) of each tap of a 3x3 layer, as it sees the padded map."""
    (top, bottom), (left, right) = layer.padding
    images, height, width, channels = x.shape
    padded = x.new_full(
        (images, height + top + bottom, width + left + right, channels), layer.input_zero_point
    )
    padded[:, top : top + height, left : left + width] = x
    stride = layer.stride
    rows, columns = ((size - 3) // stride + 1 for size in padded.shape[1:3])
    for dy in range(3):
        for dx in range(3):
            yield (
                dy,
                dx,
                padded[
                    :,
                    dy : dy + (rows - 1) * stride + 1 : stride,
                    dx : dx + (columns - 1) * stride + 1 : stride,
                ],
            )


def gather_windows(x, layer):
    """[N, H', W', 9 * C] of a map: what a stem's matrix product takes."""
    return torch.cat([tap for _, _, tap in windows(x, layer)], dim=-1)


class EagerLayer:
    """A convolution.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    low, high : int
        Every value that its input can hold.
    device : torch.device
    """

    def __init__(self, layer, low, high, device):
        self.layer, self.facts = layer, find_accumulators(layer, low, high)
        # A GPU may round the factors of float32 products, if its user lets it.
        narrow = self.facts.exact is np.float32 and device.type == "cpu"
        self.kind = torch.float32 if narrow else torch.float64
        self.weights = torch.tensor(layer.weights, device=device)
        self.correction = torch.tensor(self.facts.correction, device=device)
        self.bias = torch.tensor(layer.bias.astype(np.int64), device=device)
        self.requantize = Requantization(layer, layer.output_zero_point, device)

    def accumulate(self, x, overflows=None):
        """Accumulators int64 [N, H', W', M] of int8 or int16 [N, H, W, C].

        Parameters
        ----------
        overflows : dict of str to torch.Tensor, optional
            Gets, by the layer's name, how many of them left their range.
        """
        arithmetic = self.layer.arithmetic
        if self.facts.overflows and arithmetic.overflow == "saturate":
            total, left = self._saturating(x)
        else:
            total = self._sums(x).to(torch.int64) + self.correction
            low, high = signed_range(arithmetic.accumulator_bits)
            left = (total < low) | (total > high) if overflows is not None else None
            total = wrap(total, arithmetic.accumulator_bits)
        if overflows is not None:
            overflows[self.layer.name] = left.sum()
        return total

    def _sums(self, x):
        """Sums of x * weight, exact floats."""
        weights = self.weights.to(self.kind)
        if self.layer.kind == "depthwise":
            return sum(
                tap.to(self.kind) * weights[dy, dx] for dy, dx, tap in windows(x, self.layer)
            )
        if self.layer.kind == "stem":
            x = gather_windows(x, self.layer)
        return x.to(self.kind) @ weights.reshape(-1, weights.shape[-1])

    def _products(self, x):
        """Each product (x - zero_point) * weight, int64, in the order in which they are added."""
        zero, weights = self.layer.input_zero_point, self.weights.to(torch.int64)
        if self.layer.kind == "depthwise":
            for dy, dx, tap in windows(x, self.layer):
                yield (tap.to(torch.int64) - zero) * weights[dy, dx]
            return
        if self.layer.kind == "stem":
            x = gather_windows(x, self.layer)
        for place, row in enumerate(weights.reshape(-1, weights.shape[-1])):
            yield (x[..., place, None].to(torch.int64) - zero) * row

    def _saturating(self, x):
        """(accumulators, whether each left its range), added up one product after the other."""
        low, high = signed_range(self.layer.arithmetic.accumulator_bits)
        total, left = self.bias, (self.bias < low) | (self.bias > high)
        total = total.clamp(low, high)
        for product in self._products(x):
            total = total + product
            left = left | (total < low) | (total > high)
            total = total.clamp(low, high)
        return total, left

    def __call__(self, x, overflows=None):
        """Output int8 (int16 beyond 8 bits) [N, H', W', M]."""
        return self.requantize(self.accumulate(x, overflows))


class EagerAdd:
    """A residual addition, of a `mnv2.golden.quantized_layer.QuantizedAdd`."""

    def __init__(self, add, device):
        self.add = add

        def numbers(multiplier, shift):
            return (
                torch.tensor(int(multiplier), dtype=torch.int64, device=device),
                torch.tensor(int(shift), dtype=torch.int64, device=device),
            )

        self.a_scale = numbers(add.a_multiplier, add.a_shift)
        self.b_scale = numbers(add.b_multiplier, add.b_shift)
        self.scale = numbers(add.multiplier, add.shift)

    def __call__(self, a, b):
        """int8 (int16 beyond 8 bits) of two tensors of one shape."""
        add, rounding = self.add, self.add.arithmetic.rounding
        total = 0
        for values, zero, scale in (
            (a, add.a_zero_point, self.a_scale),
            (b, add.b_zero_point, self.b_scale),
        ):
            lifted = (values.to(torch.int64) - zero) << add.left_shift
            total = total + scale_by_multiplier(lifted, scale[0], scale[1], rounding)
        scaled = scale_by_multiplier(wrap(total, 32), self.scale[0], self.scale[1], rounding)
        return (
            (scaled + add.output_zero_point)
            .clamp(add.minimum, add.maximum)
            .to(activation_type(add.activation_bits))
        )


class EagerPool:
    """The global average pool, of any of golden's records of it."""

    def __init__(self, pool, device):
        self.pool = pool
        self.requantize = Requantization(pool, pool.offset, device)

    def __call__(self, x):
        """[N, 1, 1, C] of [N, H, W, C]."""
        pool = self.pool
        if x.shape[1] * x.shape[2] != pool.count:
            raise ValueError(
                f"The input of {pool.name} must have {pool.count} pixels, "
                f"not {tuple(x.shape[1:])!r}"
            )
        total = x.sum(dim=(1, 2), keepdim=True, dtype=torch.int64) + pool.sum_bias
        if isinstance(pool, QuantizedExactMean):
            return self._divide(total)
        return self.requantize(wrap(total, 32))

    def _divide(self, total):
        """`mnv2.golden.exact_mean.QuantizedExactMean.requantize` of torch's int64."""
        pool = self.pool
        product = total * pool.numerator
        whole = torch.div(product, pool.denominator, rounding_mode="floor")
        twice = 2 * (product - whole * pool.denominator)
        odd_half = (twice == pool.denominator) & (whole % 2 == 1)
        whole = whole + ((twice > pool.denominator) | odd_half) + pool.output_zero_point
        return whole.clamp(pool.minimum, pool.maximum).to(torch.int8)
