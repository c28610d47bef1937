"""Measured pieces: what is kept is what Yosys makes today, and what is not there has a stand-in."""

import pytest

from mnv2.sim.cost.pieces import gearbox_luts, load_pieces
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
