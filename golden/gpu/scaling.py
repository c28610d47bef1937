"""Requantisation in plain torch, on int64: the roundings of `mnv2.golden.fixed_point`."""

import numpy as np
import torch

from mnv2.golden.fixed_point import signed_range


def scale_by_multiplier(values, multiplier, shift, rounding):
    """`mnv2.golden.fixed_point.scale_by_multiplier` of torch's int64.

    Parameters
    ----------
    values, multiplier, shift : torch.Tensor int64
        Values of int32; multiplier and shift broadcast against them.
    rounding : str
        One of `mnv2.golden.arithmetic.ROUNDINGS`.

    Returns
    -------
    torch.Tensor int64
    """
    if rounding == "double":
        left, right = (-shift).clamp(min=0), shift.clamp(min=0)
        high = (wrap(values << left, 32) * multiplier + (1 << 30)) >> 31
        mask = (torch.ones_like(right) << right) - 1
        return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))
    product, total = values * multiplier, 31 + shift
    one = torch.ones_like(total)
    if rounding in ("single", "even"):
        product = product + (one << (total - 1))
    result = product >> total
    if rounding == "even":
        result = result - (result & ((product & ((one << total) - 1)) == 0).to(torch.int64))
    return result


def wrap(values, bits):
    """Integers int64 modulo 2**bits, in two's complement."""
    low, high = signed_range(bits)
    return ((values - low) & (high - low)) + low


def activation_type(bits):
    """torch's type of activations: int8 up to 8 bits, int16 above."""
    return torch.int8 if bits <= 8 else torch.int16


class Requantization:
    """Accumulators to outputs, of a record that has multiplier, shift and clamp.

    Parameters
    ----------
    record : QuantizedLayer, QuantizedMean or QuantizedAveragePool
    offset : int
        Added after the scaling.
    device : torch.device
    """

    def __init__(self, record, offset, device):
        self.multiplier, self.shift = (
            torch.tensor(np.asarray(value, np.int64), device=device)
            for value in (record.multiplier, record.shift)
        )
        self.offset, self.low, self.high = offset, record.minimum, record.maximum
        self.rounding = record.arithmetic.rounding
        self.kind = activation_type(record.activation_bits)

    def __call__(self, accumulators):
        """int8 (int16 beyond 8 bits) of int64 [..., C]."""
        scaled = scale_by_multiplier(accumulators, self.multiplier, self.shift, self.rounding)
        return (scaled + self.offset).clamp(self.low, self.high).to(self.kind)
