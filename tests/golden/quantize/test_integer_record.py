"""Records that cannot be made, and narrower arithmetic in those that can."""

import numpy as np
import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.network import Layer
from mnv2.golden.quantize import add_record, layer_record, mean_record


def test_add_refuses_a_scale_too_small():
    with pytest.raises(ValueError, match="output scale of sum"):
        add_record("sum", 1.0, 0, 1.0, 0, 1e-7, 0, -128, 127)


def test_mean_refuses_another_count():
    record = mean_record("pool", 4, 0.1, 0, 0.1, 0)
    with pytest.raises(ValueError, match="4 pixels"):
        record.run(np.zeros((3, 3, 1), np.int8))


@pytest.mark.parametrize("bits", [8, 12, 31])
def test_multipliers_of_fewer_bits(bits):
    rng = np.random.default_rng(1)
    layer = Layer("l", "project", 0, (2, 2, 50), (2, 2, 20), (1, 1), 1, ((0, 0), (0, 0)))
    weights = rng.normal(0, 1, (50, 20)).astype(np.float32)
    args = layer, weights, np.zeros(20, np.float32), (0.1, 0), (0.3, 0)
    wide = layer_record(*args)
    narrow = layer_record(*args, arithmetic=Arithmetic(multiplier_bits=bits))
    assert narrow.arithmetic.multiplier_bits == bits
    real = [m.multiplier * 2.0**-m.shift for m in (wide, narrow)]
    np.testing.assert_allclose(real[1], real[0], rtol=2.0 ** -(bits - 1))
    assert (real[1] != real[0]).any()
    assert not np.any(narrow.multiplier & ((1 << (32 - bits)) - 1))
