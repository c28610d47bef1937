"""Single changes: one axis, the next value on either side, each predicted."""

from dataclasses import replace

import pytest

from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.sensitivity import single_changes
from mnv2.sim.explore.space import AXES, SPACES
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(
        prepare_small(limits={"dsp": 80.0}), tmp_path_factory.mktemp("found") / "search", workers=0
    )


def test_a_change_differs_in_one_axis(results):
    middle, space = results.balanced, results.prepared.space
    changes = single_changes(middle, space)
    seen = set()
    for axis, value, point in changes:
        assert {name for name in point if point[name] != middle.point[name]} == {axis}
        assert point[axis] == value
        seen.add((axis, value))
        if AXES[axis].choices:
            continue
        values = space.values[axis] if axis in space.varied else (*SPACES["full"].get(axis, ()), 7)
        assert value in values
        between = [
            other
            for other in values
            if min(value, middle.point[axis]) < other < max(value, middle.point[axis])
        ]
        # Lanes in between do not fit together.
        assert axis in ("outputs", "inputs", "weight_bits", "activation_bits") or not between
    assert len(seen) == len(changes)
    assert {"pixels", "weight_bits", "data_bits", "outstanding"} <= {axis for axis, _ in seen}
    # Of words every other one, whether it fits the lanes or not.
    assert {value for axis, value in seen if axis == "packing"} == {"pixels", "frames"}
    assert {value for axis, value in seen if axis == "requantize"} == {"single"}
    lanes = middle.config.inputs * middle.config.pixels
    assert all(lanes % value == 0 for axis, value in seen if axis == "residual_lanes")


def test_every_change_is_predicted(results):
    base = results.sensitivity.base
    assert base.config == results.balanced.config
    assert len(results.sensitivity.changes) > 8
    for change in results.sensitivity.changes:
        assert change.design.cycles > 0
        assert change.design.config != base.config
        if change.axis == "data_bits":
            assert replace(change.design.config, data_bits=base.config.data_bits) == base.config


def test_changes_are_not_on_the_front(results):
    keys = {design.key for design in results.designs}
    outside = [change for change in results.sensitivity.changes if change.axis == "outstanding"]
    assert outside
    assert not any(change.design.key in keys for change in outside)


def test_changes_that_miss_what_is_asked_say_so(results):
    missing = [change for change in results.sensitivity.changes if not change.design.feasible]
    assert all(change.design.resources.dsp > 80 for change in missing)
    assert missing
