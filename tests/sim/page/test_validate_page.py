"""Predicted and measured next to each other, never in one column."""

from dataclasses import replace

import pytest

from mnv2.golden.network import build_network
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_frames, predict_network
from mnv2.sim.page.kit.page import render_page
from mnv2.sim.page.validate_page import validate_page
from mnv2.sim.prediction.distribution import draw
from mnv2.sim.prediction.frames import FrameComparison
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.prediction.seeds import SeedComparison
from tests.sim.report.example import example_network_report

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)


def comparison(latency):
    """Predictions for two memories, the second in place of a run."""
    rows = [predict_network(NETWORK, PRESETS["tiny"], latency=cycles) for cycles in (100, latency)]
    return compare_layers(NETWORK, PRESETS["tiny"], *rows)


def about():
    """Provenance of a comparison, see `mnv2.sim.report.provenance.made_with`."""
    report = example_network_report()
    return {
        "image": report.image,
        "model": report.model,
        "versions": dict(report.versions),
        "configuration": dict(report.configuration),
        "memory": dict(report.memory),
        "commit": report.commit,
    }


def page(latency):
    return validate_page(comparison(latency), about(), "mnv2 validate --html")


@pytest.fixture(scope="module")
def shown(visit):
    with visit(page(150)) as seen:
        yield seen


def test_bars_stand_beside_each_other(shown):
    assert shown.drawn(f"{shown.plot('comparison')} .barlayer path") == 12
    text = shown.hover("comparison", ".barlayer path", 1)
    found = comparison(150)
    assert found.predicted[1].cycles != found.measured[1].cycles
    assert f"predicted by the model: {found.predicted[1].cycles:,} cycles" in text
    assert f"measured in RTL: {found.measured[1].cycles:,} cycles" in text
    assert f"(computed): {found.scale_sim[1]:,} cycles" in text
    assert shown.page.locator(f"{shown.plot('differences')} .scatterlayer .point").count() == 12


def test_columns_say_what_they_are(shown):
    heads = shown.page.locator("#layers thead th").all_text_contents()
    assert heads[1:4] == ["predicted cycles", "measured cycles", "difference, cycles"]
    for predicted, measured, difference in zip(
        *(shown.column("layers", number) for number in (2, 3, 4)), strict=True
    ):
        one, other, less = (
            int(text.replace(",", "")) for text in (predicted, measured, difference)
        )
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
    assert "of 108 figures differ" in lead
    assert shown.page.locator(".tiles .bad").count() == 2


def test_phone(shown):
    with shown.resized(375):
        assert shown.overflow() == 0


def test_equality():
    made = render_page(page(100))
    assert "All 108 figures are equal" in made
    assert 'class="bad"' not in made


def test_frames_have_a_table_of_their_own(visit):
    one, other = predict_frames(NETWORK, PRESETS["tiny"], 3, latency=100), comparison(100)
    frames = FrameComparison((other, comparison(150), other), one.ends, one.ends)
    with visit(validate_page(frames, about())) as seen:
        assert "of 324 figures differ" in seen.page.locator(".lead").text_content()
        ends = [int(text.replace(",", "")) for text in seen.column("frames-table", 3)]
        assert tuple(ends) == one.ends
        unequal = [int(text) for text in seen.column("frames-table", 7)]
        assert unequal[0] == unequal[2] == 0 < unequal[1]
        # The second, which has a frame before and one after it.
        assert seen.page.locator("h2", has_text="frame 2").count() == 1


def test_frames_that_end_in_another_cycle_are_said_first(visit):
    """Though every figure of every row is equal."""
    one, other = predict_frames(NETWORK, PRESETS["tiny"], 3, latency=100), comparison(100)
    later = (*one.ends[:-1], one.ends[-1] + 7)
    frames = FrameComparison((other, other, other), one.ends, later)
    with visit(validate_page(frames, about())) as seen:
        lead = seen.page.locator(".lead").text_content()
        assert "1 of 3 frames end in another cycle." in lead
        assert seen.page.locator(".tiles .bad").count() == 1
        predicted, measured = (
            [int(text.replace(",", "")) for text in seen.column("frames-table", number)]
            for number in (2, 3)
        )
        assert (tuple(predicted), tuple(measured)) == (one.ends, later)


def test_runs_with_seeds_lie_beside_their_distribution(visit):
    memory = {"latency": 40, "bytes_per_cycle": 0}
    draws = draw(NETWORK, PRESETS["tiny"], **memory, stall_percent=30, seeds=range(9))
    runs = tuple(compare_layers(NETWORK, PRESETS["tiny"], rows, rows) for rows in draws[:3])
    steady = predict_network(NETWORK, PRESETS["tiny"], **memory)
    found = SeedComparison((0, 1, 2), runs, tuple(draws[3:]), steady)
    wrong = replace(
        found, comparisons=(*runs[:2], compare_layers(NETWORK, PRESETS["tiny"], draws[2], draws[3]))
    )
    assert "3 runs in RTL, of which 2 equal" in render_page(validate_page(wrong, about()))
    with visit(validate_page(found, about())) as seen:
        assert "of 3 runs in RTL, of which 3 equal" in seen.page.content()
        assert seen.page.locator(f"{seen.plot('seeds')} .scatterlayer .point").count() == 3 * 6
        text = seen.hover("seeds", ".scatterlayer .point", 1)
        assert f"measured, seed 0: {draws[0][1].cycles:,} cycles" in text
        means = [float(text.replace(",", "")) for text in seen.column("seeds-table", 2)]
        assert means[1] == round(found.predicted["block1"]["cycles"].mean)


def test_pairs_of_frames_are_named_together():
    config = replace(PRESETS["tiny"], frames=2)
    one = predict_frames(NETWORK, config, 3, latency=100)
    rows = predict_network(NETWORK, config, latency=100)
    other = compare_layers(NETWORK, config, rows, rows)
    later = (*one.ends[:-1], one.ends[-1] + 7)
    frames = FrameComparison((other, other, other), one.ends, later)
    made = render_page(validate_page(frames, {**about(), "second_image": "cup.jpg"}))
    assert "1 of 3 pairs of frames end in another cycle." in made
    assert "frames 3 and 4" in made
    assert "5 and 6" in made
    assert "cup.jpg" in made
    assert "and each of 2 frames" in made
