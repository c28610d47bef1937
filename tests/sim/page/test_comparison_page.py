"""The page of reports side by side shows every layer of each, and their changes."""

import json

import pytest

from mnv2.sim.comparison.comparison import ReportComparison
from mnv2.sim.comparison.subject import Subject
from mnv2.sim.page.comparison_page import comparison_page
from mnv2.sim.page.kit.page import render_page
from mnv2.sim.page.kit.table import change
from mnv2.sim.report.run_files import report_as_dict
from tests.sim.report.example import example_network_report


@pytest.fixture(scope="module")
def comparison():
    content = json.loads(json.dumps(report_as_dict(example_network_report())))
    other = json.loads(json.dumps(content))
    for row in (other["layers"][3], other["total"]):
        row["cycles"] += 1000
        row["stalls"]["weights"] += 1000
    other["configuration"]["pixels"] = 14
    return ReportComparison((Subject("one <b>", content), Subject("two", other)))


def test_page_is_whole(comparison, visit):
    with visit(comparison_page(comparison, "mnv2 compare one two")) as seen:
        for name in ("cycles", "dram_bytes"):
            assert seen.drawn(f"{seen.plot(name)} .bars .point path") >= 2 * 20
        assert len(seen.column("cycles-table", 1)) == 20
        row = seen.page.locator("#cycles-table tbody tr").nth(3).inner_text()
        cycles = [subject.layers[3]["cycles"] for subject in comparison.subjects]
        assert all(f"{value:,}" in row for value in cycles)
        assert f"+{cycles[1] / cycles[0] - 1:.1%}".replace("%", " %") in row
        assert "pixels" in seen.page.locator("#settings").inner_text()
        assert "one <b>" in seen.page.locator("#settings").inner_text()
        with seen.resized(390):
            assert seen.overflow() <= 0


def test_changes_are_judged_by_what_is_shown():
    assert change(0.0001, better=False).class_ == ""
    assert change(-0.0001, better=True).class_ == ""
    assert change(0.0, better=False).text == "0"
    assert change(-0.1, better=True).class_ == "good"
    assert change(0.1, better=False).class_ == "bad"
    assert change(None, better=False).text == ""


def test_names_are_text(comparison):
    assert "<b>" not in render_page(comparison_page(comparison)).split("<script")[0]
