"""Predicted and measured beside each other, never in one column."""

import pytest

from golden.network import build_network
from hw.config import PRESETS
from sim.model.comparison import compare
from sim.model.predict import predict_network
from sim.page.page import render_page
from sim.page.validate_page import validate_page
from tests.sim.report.example import example_network_report

NETWORK = build_network([(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32,
                        classes=10, input_size=33)


def comparison(latency):
    """Predictions for two memories, the second in place of a run."""
    rows = [predict_network(NETWORK, PRESETS["tiny"], latency=cycles) for cycles in (100, latency)]
    return compare(NETWORK, PRESETS["tiny"], *rows)


def page(latency):
    return validate_page(comparison(latency), example_network_report(), "mnv2 validate --html",
                         paused=latency != 100)


@pytest.fixture(scope="module")
def shown(visit):
    with visit(page(150)) as seen:
        yield seen


def test_bars_stand_beside_each_other(shown):
    assert shown.drawn(f"{shown.plot('comparison')} .barlayer path") == 12
    text = shown.hover("comparison", ".barlayer path", 0)
    found = comparison(150)
    assert found.predicted[0].cycles != found.measured[0].cycles
    assert f"predicted by the model: {found.predicted[0].cycles:,} cycles" in text
    assert f"measured in RTL: {found.measured[0].cycles:,} cycles" in text
    assert f"(computed): {found.scale_sim[0]:,} cycles" in text
    assert shown.page.locator(f"{shown.plot('differences')} .scatterlayer .point").count() == 12


def test_columns_say_what_they_are(shown):
    heads = shown.page.locator("#layers thead th").all_text_contents()
    assert heads[1:4] == ["predicted cycles", "measured cycles", "difference, cycles"]
    for predicted, measured, difference in zip(
            *(shown.column("layers", number) for number in (2, 3, 4)), strict=True):
        one, other, less = (int(text.replace(",", ""))
                            for text in (predicted, measured, difference))
        assert one - other == less


def test_every_figure_is_listed_and_sorts(shown):
    shown.page.locator("summary").click()
    assert len(shown.column("figures", 1)) == 6 * 18
    shown.page.locator("#figures thead button").nth(4).click()
    values = [int(text.replace(",", "")) for text in shown.column("figures", 5)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0 > values[-1]


def test_differences_are_said_first(shown):
    lead = shown.page.locator(".lead").text_content()
    assert "of 108 figures are not equal" in lead
    assert "paused at random" in lead
    assert shown.page.locator(".tiles .bad").count() == 2


def test_phone(shown):
    with shown.resized(375):
        assert shown.overflow() == 0


def test_equality():
    made = render_page(page(100))
    assert "All 108 figures are equal" in made
    assert 'class="bad"' not in made
