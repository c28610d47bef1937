"""The float32 form of an addition equals the integers for all pairs of values."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fast.addition import prepare_float_add
from mnv2.golden.fast.choice import load_compiled
from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.quantize import add_record
from mnv2.golden.quantized_layer import with_arithmetic


@pytest.mark.parametrize("ratio", [1.0, 0.37, 1e-3])
def test_additions(ratio):
    """All pairs of values, through whichever form was proven."""
    add = add_record("sum", 0.05, 7, 0.03, -40, 0.08, 3, -128, 127)
    for rounding in ("double", "single", "truncate"):
        made = with_arithmetic(
            replace(add, a_multiplier=max(2**30, int(add.a_multiplier * ratio))),
            Arithmetic(rounding=rounding, multiplier_bits=14),
        )
        a, b = (part.astype(np.int8).ravel() for part in np.meshgrid(*[np.arange(-128, 128)] * 2))
        for form in (
            prepare_float_add(made),
            (made.run(*np.divmod(np.arange(2**16), 2**8) - np.int64(128)).astype(np.float32),),
        ):
            for kernels in (NUMPY, load_compiled()):
                result = kernels.add(form, a.astype(np.float32), b.astype(np.float32))
                np.testing.assert_array_equal(result, made.run(a, b), err_msg=kernels.name)


def test_additions_that_float32_cannot_hold_come_from_a_table():
    rng = np.random.default_rng(0)
    values = np.arange(-128, 128, dtype=np.int8)
    a, b = (part.ravel() for part in np.meshgrid(values, values))
    adds = [add_record("ties", 1.0, 0, 1.0, 0, 2.0, 0, -128, 127)]  # half away, of either sign
    for number in range(24):
        scales, zeros = rng.uniform(0.01, 0.1, 2), rng.integers(-128, 128, 3)
        adds.append(
            add_record(
                str(number),
                scales[0],
                zeros[0],
                scales[1],
                zeros[1],
                scales.max() * rng.uniform(0.8, 2),
                zeros[2],
                -128,
                127,
            )
        )
    forms = [prepare_float_add(add) for add in adds]
    assert [len(form) for form in forms[:2]] == [1, 5]
    for add, form in zip(adds, forms, strict=True):
        for kernels in (NUMPY, load_compiled()):
            result = kernels.add(form, a.astype(np.float32), b.astype(np.float32))
            np.testing.assert_array_equal(result, add.run(a, b), err_msg=kernels.name)
