"""A pair of products is one multiplier of each family, as wide as it is said to be."""

import pytest

from mnv2.hw.config import OPERAND_BITS, packed_products
from mnv2.hw.mac_array import MacArray
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.yosys import FAMILIES, synthesize

# Family, bits of the wider operand, of weights and of activations; activations are the widest that
# have pairs.
WIDTHS = [
    ("xcup", 27, 8, 8),
    ("xc7", 25, 8, 8),
    ("ecp5", 18, 8, 4),
    ("ecp5", 18, 4, 4),
    ("ecp5", 18, 4, 6),
]


def count(family, operand_bits, weight_bits, activation_bits, pixels, inputs):
    """Multipliers of the device in an array of as many outputs as inputs."""
    array = MacArray(
        outputs=inputs,
        inputs=inputs,
        pixels=pixels,
        packing="pixels",
        operand_bits=operand_bits,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        depthwise=False,
    )
    return synthesize(convert(array, name="accelerator"), family)["total"]["dsp"]


@pytest.mark.parametrize(("family", "operand_bits", "weight_bits", "activation_bits"), WIDTHS)
def test_a_pair_is_one_multiplier(family, operand_bits, weight_bits, activation_bits):
    assert count(family, operand_bits, weight_bits, activation_bits, 2, 1) == 1


def test_products_that_are_added_are_one_multiplier_each():
    # Four sums of four pairs, and the last pixel alone.
    assert count("xcup", 27, 8, 8, 3, 4) == 16 + 16


def test_every_family_has_its_widths():
    assert {family for family, *_ in WIDTHS} == set(FAMILIES)
    assert {operand_bits for _, operand_bits, *_ in WIDTHS} == set(OPERAND_BITS)
    for _, operand_bits, weight_bits, activation_bits in WIDTHS:
        assert packed_products(operand_bits, activation_bits, weight_bits)
        assert activation_bits == 8 or not packed_products(operand_bits, 8, weight_bits)


def test_a_wider_pair_takes_more():
    """The count does see it: a pair for UltraScale+ on the 7 series."""
    assert count("xc7", 27, 8, 8, 2, 1) == 2
