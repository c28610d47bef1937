"""Datapaths are validated, and records take them on."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.archive import model_from_arrays, model_to_arrays
from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.network import build_network
from mnv2.golden.quantized_layer import with_arithmetic
from mnv2.golden.synthetic import random_model

NETWORK = build_network(
    ((1, 4, 1, 1), (2, 4, 2, 1)), stem_channels=4, head_channels=8, classes=5, input_size=9
)
NARROW = Arithmetic(multiplier_bits=11, rounding="single", accumulator_bits=20, overflow="saturate")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("multiplier_bits", 7, "multiplier_bits must be 8 to 32, not 7"),
        ("multiplier_bits", 33, "multiplier_bits must be 8 to 32, not 33"),
        ("multiplier_bits", True, "multiplier_bits must be 8 to 32, not True"),
        ("accumulator_bits", 11, "accumulator_bits must be 12 to 32, not 11"),
        ("accumulator_bits", 16.5, "accumulator_bits must be 12 to 32, not 16.5"),
        ("rounding", "odd", "rounding must be one of double, single, truncate, even, not 'odd'"),
        ("overflow", "clip", "overflow must be one of wrap, saturate, not 'clip'"),
    ],
)
def test_refuses(field, value, message):
    with pytest.raises(ValueError, match=message):
        Arithmetic(**{field: value})


def test_the_default_is_litert():
    model, _ = random_model(np.random.default_rng(0), NETWORK)
    records = [*model.layers, model.pool, *(b.add for b in model.blocks if b.add)]
    assert {record.arithmetic for record in records} == {LITERT} == {Arithmetic()}


def test_records_round_their_multipliers():
    model, _ = random_model(np.random.default_rng(1), NETWORK)
    add = next(block.add for block in model.blocks if block.add)
    for record in (model.head, model.pool, add):
        made = with_arithmetic(record, NARROW)
        assert made.arithmetic == NARROW
        names = [name for name in vars(record) if name.endswith("multiplier")]
        assert len(names) in (1, 3)
        for name in names:
            assert not np.any(np.asarray(getattr(made, name)) % 2**21)
            before, after = (
                np.ldexp(
                    np.float64(getattr(which, name)),
                    -np.asarray(getattr(which, name.replace("multiplier", "shift"))),
                )
                for which in (record, made)
            )
            np.testing.assert_allclose(after, before, rtol=2**-10)
        with pytest.raises(ValueError, match="must be rounded to 11 bits"):
            replace(record, arithmetic=NARROW)


def test_archive_keeps_every_field():
    model, image = random_model(np.random.default_rng(2), NETWORK, 5, 16, NARROW)
    again = model_from_arrays(model_to_arrays(model))
    assert again.head.arithmetic == NARROW
    assert again.pool.arithmetic == NARROW
    assert {block.add.arithmetic for block in again.blocks if block.add} == {NARROW}
    assert again.input_bits == 16
    for name, tensor in model.run(image).items():
        np.testing.assert_array_equal(again.run(image)[name], tensor)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_bits": 9}, "Weights of head must have 2 to 8 bits, not 9"),
        ({"weight_bits": 2}, "Weights of head must fit 2 bits"),
        ({"activation_bits": 12}, "Activations of head must have 4 to 8 or 16 bits, not 12"),
        ({"maximum": 200}, "The clamp of head must lie in -128..127"),
        ({"activation_bits": 16, "maximum": 2**15}, "The clamp of head must lie in -32768..32767"),
    ],
)
def test_layers_refuse(changes, message):
    model, _ = random_model(np.random.default_rng(3), NETWORK)
    with pytest.raises(ValueError, match=message):
        replace(model.head, **changes)
