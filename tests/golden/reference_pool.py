"""AVERAGE_POOL_2D written out, to hold the faster forms to."""

import numpy as np

from mnv2.golden.fixed_point import divide_rounding_half_away, saturate


def average_pool2d(activation, kernel_shape, stride, padding, minimum=-128, maximum=127):
    """The mean of the taps inside the image, in the input's own scale: int8 [H', W', C]."""

    def sums(values):
        padded = np.pad(values.astype(np.int32), (*padding, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel_shape, axis=(0, 1))
        return windows[::stride, ::stride].sum(axis=(-2, -1))

    count = sums(np.ones((*activation.shape[:2], 1)))
    return saturate(divide_rounding_half_away(sums(activation), count), minimum, maximum)
