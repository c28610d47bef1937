"""A sweep's page: panels to choose from, formats to click on."""

import pytest

from mnv2.sim.page.kit.page import render_page
from mnv2.sim.page.sweep_page import sweep_page
from mnv2.sim.sweep.grid import Point, position
from mnv2.sim.sweep.hardware import HardwareRun
from mnv2.sim.sweep.sweep_records import SweepResults
from tests.sim.sweep.small import made_results, prepare_small, write_sets


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder)
    (folder / "images" / "1" / "<b>broken.png").write_bytes(b"lorem ipsum")
    found = made_results(
        prepare_small(
            folder, weight_bits=(3, 8), activation_bits=(6, 8), granularity=("tensor", "channel")
        )
    )
    found.figures[Point(3, 6)] = {"failure": "The scale is <b>wrong</b>"}
    return found


@pytest.fixture(scope="module")
def page(results):
    runs = [
        HardwareRun("W8A8", 8, 8, 770_322, 3_802_552, "espresso", "espresso", True),
        HardwareRun("W8A16", reason="the accelerator has no such format"),
    ]
    return sweep_page(results, runs, "mnv2 sweep --html")


@pytest.fixture(scope="module")
def shown(page, visit):
    with visit(page) as seen:
        yield seen


def test_a_panel_for_each_way(shown, results):
    panels = shown.page.locator(".panels:visible .plot")
    assert panels.count() == 2
    points = shown.page.locator(".panels:visible .scatterlayer .point")
    assert points.count() == 7
    text = shown.hover("label_top1-0", ".scatterlayer .point")
    first = results.figures[min(results.figures, key=position)]
    assert "W3A6" in text
    # There are labels, so that they are shown first.
    assert f"first class is the label's: {first['label_top1']:.1%}" in text


def test_another_measure_is_chosen(shown):
    shown.page.locator("select[data-shows]").select_option("sqnr_db")
    shown.wait("document.querySelectorAll('[data-figure=sqnr_db-1] .point').length === 3")
    assert shown.page.locator(".panels:visible").get_attribute("data-choice") == "sqnr_db"
    assert "dB" in shown.hover("sqnr_db-0", ".scatterlayer .point")


def test_a_click_shows_a_format(shown, results):
    marks = shown.page.locator(f"{shown.plot('costs')} .scatterlayer .point")
    assert marks.count() == 8
    text = shown.hover("costs", ".scatterlayer .point", 1)
    shown.page.mouse.down()
    shown.page.mouse.up()
    name = shown.page.locator("#detail h3").first.text_content()
    assert text.startswith(name)
    assert shown.page.locator("tr.chosen .pick").text_content() == name
    point = next(point for point in results.figures if point.name == name)
    assert (
        f"{results.figures[point]['sqnr_db']:.1f}" in shown.page.locator("#detail").text_content()
    )
    assert shown.page.locator("#detail .barlayer .point").count() == 8


def test_axes_are_chosen(shown):
    plot = shown.plot("costs")
    shown.page.locator("#pick-x").select_option("product_bits")
    assert "bits of the widest multiplier" in shown.page.locator(f"{plot} .xtitle").text_content()
    xs = shown.page.evaluate(
        "document.querySelector('[data-figure=costs]').data.slice(0, -1)"
        ".flatMap(trace => [...trace.x])"
    )
    assert set(xs) == {3 * 6, 3 * 8, 8 * 6, 8 * 8}


def test_failures_and_runs_are_listed(shown):
    row = shown.page.locator("#formats tbody tr").filter(has_text="W3A6").filter(has_text="wrong")
    assert row.count() == 1
    assert "The scale is <b>wrong</b>" in row.text_content()
    assert row.locator("button").count() == 0
    assert "<b>broken.png" in shown.page.locator("#formats-section").text_content()
    assert "770,322" in shown.page.locator("#hardware").text_content()
    assert shown.page.locator("#hardware .good").text_content() == "equal"


def test_layers_have_colours(shown):
    # One picture of all cells.
    assert shown.page.locator(f"{shown.plot('heat')} .hm image").count() == 1
    assert " dB" in shown.hover("heat", ".hm image")


def test_phone(shown):
    with shown.resized(375):
        assert shown.overflow() == 0
        assert shown.page.locator(f"{shown.plot('costs')} .scatterlayer .point").count() == 8
        # Names have no room; they stay under the pointer.
        assert shown.page.locator(f"{shown.plot('heat')} .ytick text").count() == 0
        assert "W8A8" in shown.hover("heat", ".hm image")
    assert shown.page.locator(f"{shown.plot('heat')} .ytick text").count() > 0


def test_only_failures(results):
    failed = SweepResults(results.prepared, {Point(): {"failure": "reason"}}, {})
    assert "W8A8" in render_page(sweep_page(failed))
