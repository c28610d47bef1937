"""Pictures of a search: every design is in them, with the front over the others."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_plots import (
    FRONT_COLOR,
    OTHER_COLOR,
    draw_binding,
    draw_front,
    draw_sensitivity,
    write_plots,
)
from mnv2.sim.explore.search_results import SearchResults
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_search(
        prepare_small(device="ZU9EG"), tmp_path_factory.mktemp("found") / "search", workers=0
    )


def places_of(axes, color):
    return [
        tuple(place)
        for collection in axes.collections
        if to_hex(collection.get_facecolor()[0]) == color.lower()
        for place in collection.get_offsets()
    ]


def test_front_has_a_panel_for_each_pair(results):
    figure = draw_front(results)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 3
    wanted = sorted((design.resources.dsp, design.frames_per_second) for design in results.front)
    assert np.allclose(sorted(places_of(panels[0], FRONT_COLOR)), wanted)
    others = len(results.predicted) - len(results.front)
    feasible = [design for design in results.predicted if design.feasible]
    assert len(places_of(panels[0], OTHER_COLOR)) == len(feasible) - len(results.front) <= others
    assert "DSP blocks" in panels[0].get_xlabel()


def test_bars_add_up_to_the_frame(results):
    figure = draw_binding(results)
    axes = figure.axes[0]
    lengths = {}
    for bar in axes.patches:
        place = round(bar.get_y() + bar.get_height() / 2)
        lengths[place] = lengths.get(place, 0) + bar.get_width()
    assert len(lengths) == len(results.front)
    assert np.allclose(list(lengths.values()), 1)
    assert "ZU9EG" in figure.axes[1].get_title(loc="left")


def test_changes_are_drawn(results):
    figure = draw_sensitivity(results)
    drawn = sum(len(line.get_xdata()) == 1 for line in figure.axes[0].lines)
    assert drawn == len(results.sensitivity.changes)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_pictures_are_written(results, tmp_path):
    write_plots(results, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "front.png",
        "binding.png",
        "sensitivity.png",
    }
    assert all(file.stat().st_size > 10_000 for file in tmp_path.iterdir())


def test_without_a_front_there_are_none(results, tmp_path):
    write_plots(SearchResults(**{**vars(results), "front": [], "sensitivity": None}), tmp_path)
    assert list(tmp_path.iterdir()) == []
