"""Measured pieces: what is kept is what Yosys makes today, and what is not there has a stand-in."""

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.pieces import gearbox_luts, load_pieces, tree_levels, tree_luts
from mnv2.sim.cost.synthesised import load_designs
from mnv2.sim.cost.unit_list import list_units
from mnv2.sim.synthesis.measure_pieces import measure_gearboxes


@pytest.mark.parametrize("shape", [(4, 3, "drop"), (5, 2, "emit")])
def test_kept_gearboxes_are_those_of_hw(shape):
    found = measure_gearboxes([shape], "ecp5")
    for name, luts in found.items():
        assert luts == pytest.approx(load_pieces()["ecp5"]["gearboxes"][name], rel=0.05)


def test_a_gearbox_grows_with_the_bits_of_its_unit():
    one = load_pieces()["xcup"]["gearboxes"]["4:3 drop"]
    assert gearbox_luts(128, 96, "drop", "xcup") == 32 * one
    assert gearbox_luts(4, 3, "drop", "xcup") == one


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_unmeasured_shapes_are_like_measured_ones(family):
    """Each measured shape is near its estimate from the others: within a factor at the median."""
    known = load_pieces()[family]["gearboxes"]
    assert "97:89 drop" not in known
    assert 0 < gearbox_luts(97, 89, "drop", family) < 100_000
    larger = gearbox_luts(2 * 97, 2 * 89, "drop", family)
    assert larger == pytest.approx(2 * gearbox_luts(97, 89, "drop", family))


def test_levels_of_compressors():
    """Dadda's numbers: 2, 3, 4, 6, 9, 13, 19 terms are the most for 0 to 6 levels."""
    most = [2, 3, 4, 6, 9, 13, 19]
    assert [tree_levels(terms) for terms in most] == list(range(7))
    assert [tree_levels(terms + 1) for terms in most] == list(range(1, 8))


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_a_tree_with_slack_is_smaller(family):
    for terms in (4, 6, 8, 16):
        assert tree_luts(terms, 16, family, slack=True) < tree_luts(terms, 16, family)
    for terms in (2, 3):
        assert tree_luts(terms, 16, family, slack=True) == pytest.approx(
            tree_luts(terms, 16, family)
        )


def test_the_deepest_tree_of_an_array_has_no_slack():
    """Six lanes a channel are deeper than four inputs, whose 72 trees then have slack."""
    config = load_designs()["24x4x3"].config
    (array,) = [unit for unit in list_units(config, "ecp5") if unit.kind == "array"]
    assert array.luts[0] == pytest.approx(
        72 * tree_luts(4, 16, "ecp5", slack=True) + 12 * tree_luts(6, 18, "ecp5")
    )
    (array,) = [unit for unit in list_units(PRESETS["base"], "ecp5") if unit.kind == "array"]
    assert array.luts[0] == pytest.approx(
        112 * tree_luts(4, 16, "ecp5") + 28 * tree_luts(4, 18, "ecp5")
    )


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_trees(family):
    trees = load_pieces()[family]["trees"]
    assert tree_luts(1, 16, family) == 0
    assert tree_luts(4, 18, family) == trees["4"] * 18
    assert "14" not in trees
    assert tree_luts(14, 16, family) > tree_luts(9, 16, family)
    assert tree_luts(40, 16, family) == pytest.approx(tree_luts(16, 16, family) * 39 / 15)
