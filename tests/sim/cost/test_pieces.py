"""Measured pieces: what is kept is what Yosys makes today, and what is not there has a stand-in."""

import pytest

from sim.cost.measure_pieces import measure_gearboxes
from sim.cost.pieces import gearbox_luts, gearbox_shape, load_pieces, tree_luts


@pytest.mark.parametrize("shape", [(4, 3, "drop"), (4, 3, "emit")])
def test_kept_gearboxes_are_those_of_hw(shape):
    found = measure_gearboxes([shape], "ecp5")
    for name, luts in found.items():
        assert luts == pytest.approx(load_pieces()["ecp5"]["gearboxes"][name], rel=0.05)


def test_a_gearbox_grows_with_the_bits_of_its_unit():
    one = load_pieces()["xcup"]["gearboxes"]["4:3 drop"]
    assert gearbox_shape(128, 96) == (4, 3, 32)
    assert gearbox_luts(128, 96, "drop", "xcup") == 32 * one
    assert gearbox_luts(4, 3, "drop", "xcup") == one


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_unmeasured_shapes_are_like_measured_ones(family):
    """Of each measured shape, what would stand in if it were not; within a factor in the middle."""
    known  = load_pieces()[family]["gearboxes"]
    assert "97:89 drop" not in known
    assert 0 < gearbox_luts(97, 89, "drop", family) < 100_000
    larger = gearbox_luts(2 * 97, 2 * 89, "drop", family)
    assert larger == pytest.approx(2 * gearbox_luts(97, 89, "drop", family))


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_trees(family):
    trees = load_pieces()[family]["trees"]
    assert tree_luts(1, 16, family) == 0
    assert tree_luts(4, 18, family) == trees["4"] * 18
    assert "14" not in trees
    assert tree_luts(14, 16, family) > tree_luts(9, 16, family)
    assert tree_luts(40, 16, family) == pytest.approx(tree_luts(16, 16, family) * 39 / 15)
