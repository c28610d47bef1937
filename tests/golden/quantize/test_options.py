"""Every option's limits, and overrides by name."""

import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.quantize import QuantizationOptions, first_and_last
from tests.golden.quantize.networks import small_network


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight_bits": 1}, "weight_bits must be 2 to 8, not 1"),
        ({"weight_bits": 9}, "weight_bits must be 2 to 8"),
        ({"weight_bits": True}, "weight_bits must be 2 to 8"),
        ({"activation_bits": 9}, "activation_bits must be 4 to 8 or 16, not 9"),
        ({"activation_bits": 3}, "activation_bits must be 4 to 8 or 16"),
        ({"granularity": "row"}, "granularity must be one of channel, tensor, not 'row'"),
        ({"scales": "float"}, "scales must be one of real, power-of-two"),
        ({"range_method": "best"}, "percentile, least-squares, entropy, not 'best'"),
        ({"weight_range_method": "entropy"}, "weight_range_method must be one of minmax"),
        ({"percentile": 50}, "percentile must be above 50"),
        ({"percentile": float("nan")}, "percentile must be above 50"),
        ({"logits_headroom": 0.5}, "at least 1"),
        ({"overrides": {"stem": (9, None)}}, "weight_bits of stem must be 2 to 8, not 9"),
        (
            {"overrides": {"stem": (None, 12)}},
            "activation_bits of stem must be 4 to 8 or 16, not 12",
        ),
    ],
)
def test_refused(options, words):
    with pytest.raises(ValueError, match=words):
        QuantizationOptions(**options)


def test_arithmetic_must_be_one():
    with pytest.raises(TypeError, match="must be an Arithmetic, not 32"):
        QuantizationOptions(arithmetic=32)


def test_equal_options_are_one_key():
    """A sweep keeps results by options; the order of overrides is no difference."""
    first = QuantizationOptions(overrides={"stem": (8, 8), "head": (6, None)})
    second = QuantizationOptions(overrides=(("head", (6, None)), ("stem", (8, 8))))
    assert first == second
    assert hash(first) == hash(second)
    assert first != QuantizationOptions(arithmetic=Arithmetic(16))


def test_bits_of_layers_and_tensors():
    options = QuantizationOptions(4, 5, first_and_last())
    assert [options.weight_bits_of(n) for n in ("stem", "block1.project", "classifier")] == [
        8,
        4,
        8,
    ]
    assert [
        options.activation_bits_of(n) for n in ("input", "stem", "head", "pool", "classifier")
    ] == [8, 5, 5, 8, 8]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"block9.expand": (8, 8)}, "must name a layer of the network, not 'block9.expand'"),
        ({"block2.add": (None, 8)}, "not 'block2.add'"),  # a block without residual
        ({"pool": (8, 8)}, "The override of pool must have no weight bits"),
    ],
)
def test_names_are_checked(overrides, words):
    with pytest.raises(ValueError, match=words):
        QuantizationOptions(overrides=overrides).check_names(small_network())
