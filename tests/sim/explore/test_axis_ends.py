"""Ends of axes at which best designs lie are named, with the option that goes further."""

import pytest

from mnv2.sim.explore.axis_ends import axis_ends
from mnv2.sim.explore.evolution import extreme_points
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.space import AXES, choose_space, parse_values
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(prepare_small(), tmp_path_factory.mktemp("ends") / "search", workers=0)


def test_ends_are_those_of_the_best(results):
    space = results.prepared.space
    found = {(end.axis, end.value): end for end in results.axis_ends}
    fastest = results.front[0]
    assert fastest.point["pixels"] == max(space.values["pixels"])
    for axis in ("outputs", "pixels"):
        if fastest.point[axis] == max(space.values[axis]):
            end = found[axis, fastest.point[axis]]
            assert fastest.name in end.names
            assert end.further == 2 * fastest.point[axis]
    for end in results.axis_ends:
        assert end.value in (space.values[end.axis][0], space.values[end.axis][-1])
        assert AXES[end.axis].low <= end.further <= AXES[end.axis].high


def test_the_option_is_one_that_the_search_takes(results):
    for end in results.axis_ends:
        option, text = end.option.split(" ")
        assert option == "--vary"
        axis, _, values = text.partition("=")
        taken = parse_values(AXES[axis], values)
        assert set(taken) == {*results.prepared.space.values[axis], end.further}
        assert end.words.endswith(f"add {end.option}")


def test_what_costs_rule_out_lies_beyond_no_end(results):
    """With no more DSPs than the fastest has, more lanes are no way to go further."""
    limited = prepare_small(limits={"dsp": results.front[0].resources.dsp})
    ends = axis_ends(results.front, limited.space, limited.objectives, limited.judge)
    fastest = results.front[0].name
    assert not [end for end in ends if end.axis == "pixels" and fastest in end.names]


def test_ends_are_said(results):
    from rich.console import Console

    from mnv2.sim.explore.search_report import search_as_dict
    from mnv2.sim.explore.search_tables import render_front

    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_front(results))
    text = " ".join(console.export_text().split())
    assert results.axis_ends
    assert all(end.words in text for end in results.axis_ends)
    assert [one["axis"] for one in search_as_dict(results)["axis_ends"]] == [
        end.axis for end in results.axis_ends
    ]


def test_a_search_begins_with_the_ends_of_its_space():
    space = choose_space("small")
    points = extreme_points(space)
    lanes = [(one["outputs"], one["inputs"], one["pixels"]) for one in points]
    assert (9, 3, 1) in lanes
    assert (64, 32, 14) in lanes
    assert all(space.repaired(one) == one for one in points)
    assert all(one[name] in space.values[name] for one in points for name in one)


def test_the_smallest_machine_is_found_by_evolution(tmp_path):
    """It has the fewest DSPs of the space, in any number of predictions."""
    prepared = prepare_small(
        "outputs=9,12,16,20,24,32,36,64",
        "inputs=3,4,8,16,32",
        "pixels=1,2,3,4,7,14",
        "packing=none,pixels",
        "residual_lanes=1,2,4,16",
        "data_bits=64,128,256,512",
        "weight_factor=1,4,16",
        "strip_factor=1,2",
        designs=12,
        population=6,
        objectives=("fps", "dsp"),
    )
    found = run_search(prepared, tmp_path / "search", workers=0)
    assert found.method == "nsga-ii"
    least = min(found.front, key=lambda design: design.resources.dsp)
    assert (least.config.outputs, least.config.inputs, least.config.pixels) == (9, 3, 1)
