"""The front of a search, clicked in."""

import dataclasses

import pytest

from mnv2.golden.network import build_network
from mnv2.sim.explore.objectives import FIGURES
from mnv2.sim.explore.prove import Proof
from mnv2.sim.explore.request import SearchRequest, prepare_search
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.space import choose_space
from mnv2.sim.page.explore_page import explore_page
from mnv2.sim.report.quantities import format_quantity

NETWORK = build_network(
    [(1, 8, 1, 1), (6, 16, 2, 2)], stem_channels=8, head_channels=32, classes=10, input_size=33
)
VARIED = (
    "outputs=16,32",
    "inputs=4,8",
    "pixels=1,2",
    "frames=1,2",
    "packing=none,pixels",
    "residual_lanes=4",
    "multipliers_in_luts=false",
    "padded_words=false",
    "map_share=1",
    "strip_factor=1",
    "weight_factor=1",
    "data_bits=64,128",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    request = SearchRequest(
        space=choose_space("small", VARIED, {}).values,
        objectives=("fps", "dsp", "bram"),
        limits={"dsp": 400.0},
        device="ZU3EG",
    )
    folder = tmp_path_factory.mktemp("search") / "found"
    return run_search(prepare_search(request, NETWORK), folder, workers=0)


@pytest.fixture(scope="module")
def page(results):
    name, key = results.front[0].name, results.front[0].key
    proofs = [
        Proof(name, key, 1000, 2000, 1000, 2000, 110),
        Proof("design-002", "key", 1000, 2000, 1010, 2000, 110, {"block1": {"cycles": [500, 510]}}),
        Proof("design-003", "key", 1000, 2000, reason="the <b>outputs</b> differ"),
    ]
    return explore_page(results, proofs, "mnv2 explore --html")


@pytest.fixture(scope="module")
def shown(page, visit):
    with visit(page) as seen:
        yield seen


def marks(seen):
    return seen.page.locator(f"{seen.plot('front')} .scatterlayer .point")


def panel(seen):
    return seen.page.locator("#detail")


def test_every_predicted_design_has_a_point(shown, results):
    assert len(results.front) >= 3
    # And one of them a ring.
    assert marks(shown).count() == len(results.predicted) + 1


def test_the_balanced_design_is_shown_first(shown, results):
    name = panel(shown).locator("h3").first.text_content()
    assert f"{name} is the balanced one" in shown.page.locator("#designs-section").text_content()


def test_a_click_shows_configuration_cost_layers_and_command(shown, results):
    number = marks(shown).count() - 1 - len(results.front)
    text = shown.hover("front", ".scatterlayer .point", number)
    shown.page.mouse.down()
    shown.page.mouse.up()
    name = panel(shown).locator("h3").first.text_content()
    assert text.startswith(name)
    design = next(one for one in results.front if one.name == name)
    content = panel(shown).text_content()
    assert f"{name}.toml" in panel(shown).locator("pre").text_content()
    assert panel(shown).locator("pre").text_content().startswith("mnv2 run --config ")
    assert f"outputs {design.config.outputs}, inputs {design.config.inputs}" in content
    assert format_quantity(FIGURES["fps"].of(design), "1/s") in content
    assert f"{design.resources.dsp:,}" in panel(shown).locator(f"#{name}-device").text_content()
    rows = panel(shown).locator(f"#{name}-layers tbody tr")
    assert rows.count() == len(design.layers)
    assert f"{design.layers[0].cycles:,}" in rows.first.text_content()
    assert panel(shown).locator(".barlayer .point").count() >= 2 * len(design.layers)


def test_a_key_on_a_row_shows_the_design(shown, results):
    button = shown.page.locator("#designs .pick").nth(1)
    button.focus()
    shown.page.keyboard.press("Enter")
    name = results.front[1].name
    assert panel(shown).locator("h3").first.text_content() == name
    assert button.get_attribute("aria-pressed") == "true"
    assert shown.page.evaluate("document.activeElement.id") == "detail"
    head = panel(shown).locator(f"#{name}-layers thead button").nth(2)
    head.click()
    cycles = [int(text.replace(",", "")) for text in shown.column(f"{name}-layers", 3)]
    assert cycles == sorted(cycles, reverse=True)


def test_objectives_are_chosen(shown, results):
    shown.page.locator("#pick-y").select_option("energy")
    shown.page.locator("#pick-x").select_option("bandwidth")
    assert (
        "relative energy of a frame (estimated)"
        in shown.page.locator(f"{shown.plot('front')} .ytitle").text_content()
    )
    ys = shown.page.evaluate(
        "document.querySelector('[data-figure=front]').data"
        ".find(one => one.name === 'Pareto front').y.map(Number)"
    )
    assert ys == pytest.approx([design.energy.total for design in results.front])


def test_the_limit_is_drawn(shown):
    shown.page.locator("#pick-x").select_option("dsp")
    shapes = shown.page.evaluate("document.querySelector('[data-figure=front]').layout.shapes")
    assert [(shape["x0"], shape["x1"]) for shape in shapes] == [(400, 400)]


def test_the_front_sorts(shown, results):
    shown.page.locator("#designs thead button").filter(has_text="bram").click()
    order = sorted(results.front, key=lambda design: -design.block_ram_18k)
    shares = [int(text.replace(",", "")) for text in shown.column("designs", 5)]
    assert shares == [design.block_ram_18k for design in order]


def test_predicted_and_measured_stand_apart(shown):
    heads = shown.page.locator("#proofs thead th").all_text_contents()
    assert [head.split()[0] for head in heads[1:4]] == ["predicted", "measured", "difference,"]
    assert shown.column("proofs", 4) == ["0", "-10", ""]
    assert shown.column("proofs", 9) == ["0", "1", "failed"]
    text = shown.page.locator("#proofs-section").text_content()
    assert "design-002, block1: cycles 500 predicted, 510 measured" in text
    assert "design-003: the <b>outputs</b> differ" in text


def test_single_changes(shown, results):
    changes = results.sensitivity.changes
    assert shown.column("sensitivity", 1) == [change.axis for change in changes]
    base = results.sensitivity.base
    shares = [change.design.frames_per_second / base.frames_per_second - 1 for change in changes]
    assert shown.column("sensitivity", 5) == [
        f"{share * 100:+.1f} %" if share else "0" for share in shares
    ]
    # More frames per second are better, and less of the objectives after them.
    for place, sign in ((5, 1), (7, -1)):
        cells = shown.page.locator(f"#sensitivity tbody td:nth-child({place})")
        for text, kind in cells.evaluate_all(
            "cells => cells.map(cell => [cell.textContent, cell.className])"
        ):
            better = sign * float(text.rstrip(" %"))
            assert ("good" in kind, "bad" in kind) == (better > 0, better < 0), text


def test_without_a_front(results, visit):
    empty = dataclasses.replace(
        results,
        front=[],
        sensitivity=None,
        designs=[
            dataclasses.replace(design, violations={"fps": 0.5}) for design in results.predicted
        ],
    )
    with visit(explore_page(empty)) as seen:
        assert "misses fps by 50.0%" in seen.page.locator(".lead").text_content()
        assert marks(seen).count() == len(results.predicted)
        assert panel(seen).is_hidden()


def test_nothing_offers_to_send_a_chart(shown):
    titles = shown.page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(one => one.dataset.title)"
    )
    assert {"Zoom", "Reset axes"} < set(titles)
    assert not [title for title in titles if "hare" in title or "loud" in title]


def test_phone(shown):
    with shown.resized(375):
        assert shown.overflow() == 0
        shown.page.locator("#designs .pick").last.click()
        assert shown.overflow() == 0


def test_paper(shown):
    """As wide as a landscape sheet: every table fits, and its headings can be repeated."""
    with shown.resized(966, media="print"):
        shown.wait("document.querySelector('.main-svg').getBoundingClientRect().width === 940")
        assert shown.overflow() == 0
        assert shown.page.evaluate(
            "[...document.querySelectorAll('.detail table')].some(one => one.style.fontSize !== '')"
        )
        assert shown.page.locator("#designs thead th").first.inner_text() == "design"


def test_two_designs_are_pinned(shown, results):
    front = results.front
    shown.page.locator("#pin-a").select_option(front[0].name)
    shown.page.locator(".pick", has_text=front[-1].name).first.click()
    shown.page.locator("#detail button[data-pin=b]").click()
    heads = shown.page.locator("#pinned thead th").all_text_contents()
    assert heads[1:3] == [front[0].name, front[-1].name]
    rows = {
        cells[0]: cells[1:]
        for cells in (
            row.locator("th, td").all_text_contents()
            for row in shown.page.locator("#pinned tbody tr").all()
        )
        if len(cells) == 4
    }
    dsps = [front[0].resources.dsp, front[-1].resources.dsp]
    change = f"{(dsps[1] / dsps[0] - 1) * 100:+.1f} %"
    assert rows["DSP blocks"] == [f"{dsps[0]:,}", f"{dsps[1]:,}", change]
    layer = front[0].layers[0].name
    assert layer in rows
    # Of the options only those that differ are shown.
    options = [
        name
        for name, value in dataclasses.asdict(front[0].config).items()
        if value != getattr(front[-1].config, name)
    ]
    assert [name for name in dataclasses.asdict(front[0].config) if name in rows] == options
    better = shown.page.locator("#pinned tr", has_text="DSP blocks").first.locator("td").last
    assert "good" in better.get_attribute("class")
