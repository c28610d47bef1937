"""The picture of a cost shows the report's numbers."""

import pytest

from mnv2.golden.network import build_network
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.cost_plots import draw_cost
from mnv2.sim.cost.cost_report import make_cost_report
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.energy import load_energies

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)
LARGE = build_network(
    [(6, 4000, 1, 1)], stem_channels=8, head_channels=32, classes=10, input_size=33
)


@pytest.fixture
def report():
    return make_cost_report(
        NETWORK, PRESETS["tiny"], [find_device("ZU3EG")], energies=load_energies()
    )


def test_bars_add_up_to_the_shares(report):
    axes = draw_cost(report).axes[0]
    uses = [use for use in report.devices[0].uses if use.used][::-1]
    ends = [sum(bars[place].get_width() for bars in axes.containers) for place in range(len(uses))]
    assert ends == pytest.approx([use.share for use in uses])
    assert [label.get_text() for label in axes.get_yticklabels()] == [use.resource for use in uses]
    assert "Fits ZU3EG" in axes.get_title(loc="left")


def test_array_takes_its_dsps(report):
    axes = draw_cost(report).axes[0]
    (array,) = [bars for bars in axes.containers if bars.get_label() == "multiplier array"]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert array[names.index("DSPs")].get_width() == pytest.approx(48 / 360)


def test_energy_is_sorted(report):
    axes = draw_cost(report).axes[1]
    widths = [bar.get_width() for bar in axes.containers[0]]
    assert widths == sorted(widths)
    assert sum(widths) == pytest.approx(report.energy.total)


def test_without_a_prediction_there_is_no_energy():
    report = make_cost_report(
        LARGE, PRESETS["tiny"], [find_device("ZU3EG")], energies=load_energies()
    )
    assert report.misfit
    assert len(draw_cost(report).axes) == 1
