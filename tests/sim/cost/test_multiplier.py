"""Products that Yosys maps to several multipliers, one or none; the cuts are its own."""

import pytest

from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.unit_cost import Product

# Elaborated from Yosys 0.68's mul2dsp.v, with the widths that each family's script gives it.
CUTS = [
    # first, second and product bits; multipliers on xcup, xc7, ecp5, ice40
    (9, 8, None, 1, 1, 1, 1),
    (5, 4, 8, 0, 0, 1, 0),  # too small a product
    (5, 4, 9, 1, 1, 1, 0),
    (1, 12, None, 0, 0, 0, 0),
    (2, 12, None, 1, 1, 1, 1),
    (18, 18, None, 1, 1, 1, 3),
    (25, 18, None, 1, 1, 2, 4),
    (27, 18, None, 1, 2, 2, 4),
    (28, 18, None, 2, 2, 2, 4),
    (27, 8, 34, 1, 2, 2, 2),
    (32, 9, None, 2, 2, 2, 2),
    (27, 31, None, 4, 4, 4, 4),
    (32, 32, None, 4, 4, 4, 4),
    (32, 17, None, 2, 2, 2, 2),
    (19, 9, None, 1, 1, 1, 2),  # a last slice of one bit is made of LUTs
    (19, 19, None, 2, 2, 1, 3),
    (20, 19, None, 2, 2, 2, 3),
    (45, 44, None, 9, 9, 9, 9),
]


@pytest.mark.parametrize(("first", "second", "product", *FAMILIES), CUTS)
def test_cuts(first, second, product, xcup, xc7, ecp5, ice40):
    expected = {"xcup": xcup, "xc7": xc7, "ecp5": ecp5, "ice40": ice40}
    for operands in ((first, second), (second, first)):
        found = {
            name: family.multiplier.count(*operands, product) for name, family in FAMILIES.items()
        }
        assert found == expected


def test_products_of_one_shape_are_counted_together():
    assert Product(28, 32, 32).dsps("xcup") == 28 * 4
    assert Product(0, 32, 32).dsps("xcup") == 0
