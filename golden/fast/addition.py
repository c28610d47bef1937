"""Residual additions in float32, tested on every pair of values that can occur."""

import itertools
import math

import numpy as np

from mnv2.golden.fast.affine_scale import nudge
from mnv2.golden.fast.kernels import NUMPY


def prepare_float_add(add):
    """The addition of two int8 tensors in float32, tried on all 65536 pairs of values.

    Returns
    -------
    (a_scale, b_scale, offset, minimum, maximum), of clamp(rint(a * a_scale + b * b_scale + offset))
    where that is right for every pair; else (float32 [65536],), the sums at
    (a + 128) * 256 + b + 128.
    """
    a, b = np.divmod(np.arange(2**16), 2**8) - np.array([[2**7], [2**7]])
    exact = add.run(a.astype(np.int8), b.astype(np.int8)).astype(np.float32)
    a, b = a.astype(np.float32), b.astype(np.float32)
    out = math.ldexp(add.multiplier, add.left_shift - 31 - add.shift)
    scales = [
        np.float32(math.ldexp(factor, -31 - shift) * out)
        for factor, shift in ((add.a_multiplier, add.a_shift), (add.b_multiplier, add.b_shift))
    ]
    for a_steps, b_steps in itertools.product((0, 1, -1, 2, -2), repeat=2):
        a_scale, b_scale = nudge(scales[0], a_steps), nudge(scales[1], b_steps)
        weighted = a * a_scale + b * b_scale
        room = exact - weighted.astype(np.float64)
        least = (room - 0.5).max(where=exact > add.minimum, initial=-np.inf)
        most = (room + 0.5).min(where=exact < add.maximum, initial=np.inf)
        if np.isfinite(least + most):
            form = (a_scale, b_scale, np.float32((least + most) / 2), add.minimum, add.maximum)
            if np.array_equal(NUMPY.add(form, a, b), exact):
                return form
    return (exact,)
