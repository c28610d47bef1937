"""How maps are held between the layers of a batch: as float32, or as bytes where the CPU has more.

Both hold the integers as they are. What runs a batch (`mnv2.golden.fast.batch`) asks for the steps
by these names, and is the same for both.
"""

import math

import numpy as np

from mnv2.golden.fast.kernels import Kernels
from mnv2.golden.fast.prepared import aligned, filter_window, scale_sums

__all__ = ["ByteMaps", "FloatMaps"]


class FloatMaps:
    """Maps of float32, sums by BLAS, all else by a set of kernels.

    Parameters
    ----------
    kernels : mnv2.golden.fast.kernels.Kernels
    """

    kind = np.float32
    #: Elements of a block's widest map that are worked on at a time: 1 MiB, half of many caches.
    elements = 2**18

    def __init__(self, kernels: Kernels) -> None:
        self.kernels = kernels
        self._sums = aligned(0)

    def value(self, integer):
        """An integer as maps hold it."""
        return integer

    def of_integers(self, integers):
        """Integers as maps hold them."""
        return integers.astype(np.float32)

    @staticmethod
    def keep(target, values):
        """Write the integers that a map holds."""
        np.copyto(target, values, casting="unsafe")

    def pointwise(self, prepared, source, target, overflows):
        """Outputs [N, H, W, M] of a layer that is a product of matrices, for [N, H, W, K]."""
        shape = math.prod(source.shape[:-1]), target.shape[-1]
        if self._sums.size < math.prod(shape):
            self._sums = aligned(math.prod(shape))
        sums = self._sums[: math.prod(shape)].reshape(shape)
        np.matmul(source.reshape(shape[0], -1), prepared.weights, out=sums)
        scale_sums(self.kernels, prepared, sums, target, overflows)

    def window(self, prepared, padded, out, overflows):
        """Outputs [N, H', W', C] of a depthwise layer for a padded map."""
        filter_window(self.kernels, prepared, padded, out, overflows)

    def add(self, form, a, b):
        """A residual addition."""
        return self.kernels.add(form, a, b)

    def totals(self, x):
        """int64 [N, C], sums over the pixels of [N, H, W, C]."""
        pixels = x.shape[1] * x.shape[2]
        # Sums of int8 are exact in float32 up to 2**17 pixels, of int16 up to 2**9.
        exact = np.float32 if pixels <= 2**9 else np.float64
        return x.reshape(len(x), pixels, -1).sum(axis=1, dtype=exact).astype(np.int64)


class ByteMaps:
    """Maps of unsigned bytes, each value plus 128; all layers are plain.

    See `mnv2.golden.fast.byte_kernels`; no accumulator can overflow.
    """

    kind = np.uint8
    #: As for `FloatMaps`, 1 MiB.
    elements = 2**20

    def __init__(self):
        from mnv2.golden.fast import byte_kernels

        self.loops = byte_kernels

    def value(self, integer):
        """An integer as maps hold it."""
        return integer + 128

    def of_integers(self, integers):
        """Integers as maps hold them."""
        held = aligned(integers.shape, np.uint8)
        return np.bitwise_xor(integers.view(np.uint8), np.uint8(128), out=held)

    @staticmethod
    def keep(target, values):
        """Write the integers that a map holds."""
        np.bitwise_xor(values, np.uint8(128), out=target.view(np.uint8))

    def pointwise(self, prepared, source, target, overflows):
        """Outputs [N, H, W, M] of a layer that is a product of matrices, for [N, H, W, K]."""
        self.loops.run_pointwise(prepared.packed, source, target)

    def window(self, prepared, padded, out, overflows):
        """Outputs [N, H', W', C] of a depthwise layer for a padded map."""
        self.loops.run_filter(prepared.packed, prepared.layer.stride, padded, out)

    def add(self, form, a, b):
        """A residual addition."""
        return self.loops.run_add(form, a, b)

    def totals(self, x):
        """int64 [N, C], sums over the pixels of [N, H, W, C]."""
        pixels = x.shape[1] * x.shape[2]
        return x.reshape(len(x), pixels, -1).sum(axis=1, dtype=np.int64) - 128 * pixels
