"""The clock is given, placed, modelled from placed ones, a bound or a setting, and says so."""

import dataclasses
import json
import math

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.clock import (
    SPEED,
    UNMEASURED_HZ,
    estimate_clock,
    load_unit_clocks,
    model_clock,
)
from mnv2.sim.cost.families import FAMILIES
from tests.sim.cost.placed_results import write_placed

TINY = dataclasses.replace(PRESETS["tiny"], packing="none", operand_bits=18)


@pytest.fixture
def none_placed(tmp_path):
    return tmp_path / "none.json"


@pytest.fixture
def placed(tmp_path):
    """Three accelerators that were placed: one of 10,000 LUTs at 80 MHz, one of them at speed 6."""
    path = tmp_path / "placed.json"
    write_placed(
        path,
        (TINY, 10_000, {6: 62.0, 8: 80.0}),
        (dataclasses.replace(TINY, pixels=1), 8_100, {8: 84.0}),
        (dataclasses.replace(TINY, outputs=24), 22_500, {8: 66.0}),
    )
    return path


def test_given():
    clock = estimate_clock("ecp5", 123e6)
    assert (clock.hz, clock.limited_by, clock.source) == (123e6, "", "given")
    assert clock.kind == "given"
    board = estimate_clock("xcup", 300e6, source="a setting, not placed")
    assert (board.source, board.kind) == ("a setting, not placed", "given")


def test_a_placed_one_comes_first(placed):
    clock = estimate_clock("ecp5", config=TINY, device="ECP5-85", luts=11_000, placed=placed)
    assert (clock.hz, clock.kind, clock.error) == (80e6, "placed", None)
    assert clock.source == (
        "placed and routed: ECP5-85 speed 8, seed 3, the fastest of 4, by nextpnr-ecp5 0.11.1"
    )
    # It was not placed on another device, nor is another design it.
    for changes in (
        {"device": "ECP5-45"},
        {"config": dataclasses.replace(TINY, tap_words=9)},
    ):
        options = {"config": TINY, "device": "ECP5-85", **changes}
        assert estimate_clock("ecp5", **options, luts=11_000, placed=placed).kind == "model"


def test_a_model_of_placed_ones_comes_second(placed):
    clock = estimate_clock("ecp5", luts=11_000, placed=placed)
    model = model_clock(placed)
    assert (clock.hz, clock.kind, clock.error) == (model.clock_hz(11_000), "model", model.error)
    assert 66e6 < clock.hz < 84e6
    assert "a model of 3 accelerators placed and routed at speed 8" in clock.source
    assert f"{model.error:.1%}" in clock.source
    assert estimate_clock("ecp5", luts=30_000, placed=placed).hz < clock.hz


def test_measured_units_are_taken_in_place_of_the_model(placed):
    units = {"Issue": {"megahertz": 90.0, "device": "D"}}
    assert estimate_clock("ecp5", luts=11_000, unit_clocks=units, placed=placed).kind == "bound"
    known = {"config": TINY, "device": "ECP5-85", "luts": 11_000}
    assert estimate_clock("ecp5", **known, unit_clocks=units, placed=placed).kind == "placed"


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_placed_ones_make_no_model(placed, count, tmp_path):
    content = json.loads(placed.read_text())
    fewer = tmp_path / "fewer.json"
    fewer.write_text(json.dumps(dict(list(content.items())[:count])))
    clock = estimate_clock("ecp5", luts=11_000, placed=fewer)
    assert clock.kind == "bound"
    assert clock.source.endswith("an upper bound")


def test_the_slowest_unit_limits(none_placed):
    clock = estimate_clock("ecp5", placed=none_placed)
    assert clock.hz == 1e6 * min(unit["megahertz"] for unit in load_unit_clocks().values())
    assert load_unit_clocks()[clock.limited_by]["megahertz"] * 1e6 == clock.hz
    assert "nextpnr" in clock.source
    assert "of base" in clock.source
    assert clock.kind == "bound"
    assert f"speed {SPEED}" in clock.source


def test_clocks_of_the_configuration_itself(none_placed):
    clocks = {
        "Issue": {"megahertz": 90.0, "device": "D"},
        "Pool": {"megahertz": 80.5, "device": "D"},
    }
    clock = estimate_clock("ecp5", unit_clocks=clocks, placed=none_placed)
    assert (clock.hz, clock.limited_by) == (80.5e6, "Pool")
    assert "of this configuration" in clock.source


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "ecp5"])
def test_nothing_is_measured_elsewhere(family, placed):
    clock = estimate_clock(family, config=TINY, device="ECP5-85", luts=10_000, placed=placed)
    assert clock.hz == UNMEASURED_HZ[family]
    assert clock.limited_by == ""
    assert "nothing was placed and routed" in clock.source
    assert clock.kind == "setting"


@pytest.mark.parametrize("hz", [0, -1.0, math.inf, math.nan])
def test_bad_clock(hz):
    with pytest.raises(ValueError, match="The clock must be positive and finite"):
        estimate_clock("xcup", hz)


def test_bad_family():
    with pytest.raises(ValueError, match="not 'virtex'"):
        estimate_clock("virtex")
