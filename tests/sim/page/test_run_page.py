"""The page of a run, in a browser: drawn, pointed at, sorted, on a phone, on paper, in the dark."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.page.kit.page import render_page
from mnv2.sim.page.run_page import run_page
from mnv2.sim.prediction.prediction_report import make_prediction
from mnv2.sim.report.run_report import FrameSequence
from tests.sim.report.example import (
    example_network_report,
    example_pair_report,
    example_report,
)

COMMAND = "mnv2 run cat.jpg --html"


@pytest.fixture(scope="module")
def network_page():
    return run_page(example_network_report(image="<img src=x onerror=alert(1)>.jpg"), COMMAND)


@pytest.fixture(scope="module")
def shown(network_page, visit):
    with visit(network_page) as seen:
        yield seen


def test_figures_are_drawn(shown):
    assert (
        shown.drawn(
            f"{shown.plot('frame')} .scatterlayer .fills path, "
            f"{shown.plot('frame')} .scatterlayer .js-fill"
        )
        >= 3
    )
    # A bar for each series of each layer that has any.
    report = example_network_report()
    bars = sum(
        bool(value)
        for result in report.layers
        for value in (result.pointwise_cycles, result.depthwise_cycles, *result.stalls.values())
    )
    assert shown.drawn(f"{shown.plot('cycles')} .barlayer path") == bars
    assert shown.drawn(f"{shown.plot('bytes')} .barlayer path") > 40
    assert shown.drawn(f"{shown.plot('roofline')} .scatterlayer .point") == 21


def test_numbers_are_under_the_pointer(shown):
    text = shown.hover("cycles", ".barlayer path", 3)
    block3 = example_network_report().layers[3]
    assert "B3" in text
    assert f"{block3.pointwise_cycles:,} cycles" in text
    assert "waits: weights: 300 cycles" in text
    assert f"ideal (computed): {block3.ideal_cycles:,} cycles" in text
    text = shown.hover("frame", ".bglayer .bg, .draglayer .nsewdrag")
    assert "works: pointwise: 58.6%" in text
    assert "waits for weights" in text
    assert "beats read: 50.0%" in text
    assert "MACs a byte" in shown.hover("roofline", ".scatterlayer .point", 5)


def test_series_are_switched_off(shown):
    legend = shown.page.locator(f"figure:has({shown.plot('bytes')}) .legend button")
    before = shown.drawn(f"{shown.plot('bytes')} .barlayer path")
    weights = legend.filter(has_text="weights")
    weights.focus()
    shown.page.keyboard.press("Enter")
    assert weights.get_attribute("aria-pressed") == "false"
    assert shown.drawn(f"{shown.plot('bytes')} .barlayer path") == before - 20
    shown.page.keyboard.press("Enter")
    assert shown.drawn(f"{shown.plot('bytes')} .barlayer path") == before


def test_tables_sort_and_come_back(shown):
    first = shown.column("time", 6)
    numbers = [int(text.replace(",", "")) for text in first]
    head = shown.page.locator("#time thead th").nth(5)
    head.locator("button").focus()
    shown.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert shown.column("time", 6) == [f"{value:,}" for value in sorted(numbers, reverse=True)]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown.column("time", 6) == [f"{value:,}" for value in sorted(numbers)]
    assert shown.page.locator("#time tfoot th").text_content() == "total"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "none"
    assert shown.column("time", 6) == first


def test_thousands_are_more_than_hundreds(shown):
    heads = shown.page.locator("#waits thead th").all_text_contents()
    number = heads.index("waits: weights")
    shown.page.locator("#waits thead button").nth(number).click()
    assert shown.column("waits", number + 1)[:3] == ["30,000", "900", "300"]


def test_names_sort_as_numbers_in_them(shown):
    shown.page.locator("#waits thead button").first.click()
    assert shown.column("waits", 1)[:4] == ["block1", "block2", "block3", "block4"]


def test_what_was_run_stands_on_top(shown):
    assert shown.page.locator("#command").text_content() == COMMAND
    header = shown.page.locator("header").text_content()
    assert "<img src=x onerror=alert(1)>.jpg" in header
    assert "0123456789abcdef" in header
    assert "749,398 cycles" in header
    assert shown.page.locator("img").count() == 0
    assert "verilator" in shown.page.locator("#made-with").text_content()


def test_phone(network_page, visit):
    with visit(network_page, width=375, height=700, has_touch=True, is_mobile=True) as seen:
        assert seen.overflow() == 0
        boxes = seen.page.evaluate(
            "[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth"
            " > one.clientWidth && getComputedStyle(one).overflowX === 'auto')"
        )
        assert any(boxes)
        assert seen.drawn(f"{seen.plot('roofline')} .scatterlayer .point") == 21
        assert [
            text.strip()
            for text in seen.page.locator(f"{seen.plot('cycles')} .xtick").all_text_contents()
        ][:3] == ["stem", "B1", "B2"]
        bar = seen.page.locator(f"{seen.plot('cycles')} .barlayer .point path").nth(2)
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        seen.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        seen.wait("document.querySelectorAll('[data-figure=cycles] .hoverlayer text').length > 0")
        shown = seen.page.locator(f"{seen.plot('cycles')} .hoverlayer")
        assert "B2" in shown.text_content()
        assert "waits: weights: 300 cycles" in shown.text_content()
        widest = seen.page.evaluate(
            "Math.max(...[...document.querySelectorAll('.plot svg')].map("
            "one => one.getBoundingClientRect().width))"
        )
        assert widest <= 375


def plot_widths(seen):
    """Widths of all plots, pixels."""
    return seen.page.evaluate(
        "[...document.querySelectorAll('.plot .main-svg:first-child')].map("
        "one => one.getBoundingClientRect().width)"
    )


def test_dark_and_paper(network_page, visit):
    with visit(network_page) as seen:
        light = seen.colors()
        bar = "document.querySelector('[data-figure=cycles] .barlayer path').style.fill"
        fill = seen.page.evaluate(bar)
        seen.page.emulate_media(color_scheme="dark")
        seen.wait(f"{bar} !== {fill!r}")
        dark = seen.colors()
        assert light[0] == "rgb(255, 255, 255)"
        assert all(one != other for one, other in zip(light, dark, strict=True))
        # Paper is white whatever the screen is.
        seen.page.emulate_media(color_scheme="dark", media="print")
        seen.wait(f"{bar} === {fill!r}")
        assert seen.colors() == light
        assert set(plot_widths(seen)) == {940}
        cut = seen.page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter("
            "one => getComputedStyle(one).overflowX !== 'visible').length"
        )
        assert cut == 0
        assert seen.page.locator("nav").is_hidden()
        assert seen.drawn(".plot .main-svg") > 0
        text = seen.page.pdf(prefer_css_page_size=True)
        assert text.startswith(b"%PDF")
        seen.page.emulate_media(media="screen")
        seen.wait(f"{bar} !== {fill!r}")
        assert set(plot_widths(seen)) == {1168}


def test_bottlenecks_alone(visit):
    report = example_report(slice(2, 4))
    with visit(run_page(report, COMMAND)) as seen:
        assert seen.page.locator(seen.plot("frame")).count() == 0
        assert seen.page.locator(f"{seen.plot('limits')} .scatterlayer .point").count() == 6
        shown = seen.hover("limits", ".scatterlayer .point")
        computed = report.block_limits[0]
        assert f"layer by layer (computed): {computed.layer_by_layer_bytes:,} bytes" in shown
        assert f"block fused (computed): {computed.fused_bytes:,} bytes" in shown
        assert f"measured in RTL: {report.layers[0].dram_bytes:,} bytes" in shown
        assert "block fused (computed)" in seen.page.locator("#memory thead").text_content()


def test_predicted_is_said_everywhere(visit):
    network = mobilenet_v2()
    report = example_network_report()
    from mnv2.hw.config import PRESETS

    page = run_page(
        make_prediction(
            network,
            report.layers,
            PRESETS["base"],
            latency=100,
            bytes_per_cycle=0,
            clock_hz=200e6,
            seconds=0.01,
        ),
        "mnv2 predict",
    )
    with visit(page) as seen:
        text = seen.page.locator("body").inner_text()
        assert "measured" not in text.lower()
        assert "mismatches" not in text
        assert "clock cycles, predicted" in text
        assert "SCALE-Sim cycles (computed)" in text
        assert "predicted" in seen.page.locator(f"{seen.plot('cycles')} .ytitle").text_content()
        for caption in seen.page.locator(".caption").all_text_contents():
            assert "predicted" in caption


def test_two_frames_abreast():
    """Both pictures, their classes, and figures of one frame next to those of both."""
    frames = FrameSequence((1000, 801_000, 1_601_000, 2_500_000), 601_548_544, 896, 40_000, 2)
    report = example_pair_report(frames=frames)
    text = render_page(run_page(report, COMMAND))
    assert "MobileNetV2 in RTL: two frames abreast" in text
    assert "frames per second, 2 abreast" in text
    assert f"{2 * 200e6 / 749_398:,.1f}" in text
    assert f"{report.total.dram_bytes // 2:,}" in text
    assert "bytes of DRAM a frame, measured" in text
    assert "cycles from a pair of frames to the next, 500.0 frames/s" in text
    assert "cup.jpg" in text
    assert "Likeliest classes of the second picture" in text
    assert "espresso" in text
    alone = render_page(run_page(example_network_report(), COMMAND))
    assert "abreast" not in alone
    assert "second picture" not in alone


def test_wide_tables_take_the_margins(network_page, visit):
    """On 1,400 pixels no table of a run is cut, and the page itself does not scroll sideways."""
    for width in (1400, 390):
        with visit(network_page, width=width) as seen:
            page = "document.documentElement"
            assert seen.page.evaluate(f"{page}.scrollWidth <= {page}.clientWidth")
            cut = seen.page.evaluate(
                "[...document.querySelectorAll('.scroll')]"
                ".filter(one => one.scrollWidth > one.clientWidth + 1).length"
            )
            assert (cut == 0) == (width == 1400)
            boxes = seen.page.evaluate(
                "[...document.querySelectorAll('.table')].map(one => one.getBoundingClientRect())"
                ".map(box => [box.left, box.right])"
            )
            assert all(left >= 0 and right <= width for left, right in boxes)
