"""Reports side by side: every difference is that of their rows, and nothing else is compared."""

import copy
import csv
import json

import pytest
from typer.testing import CliRunner

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim import cli
from mnv2.sim.comparison.comparison import ReportComparison
from mnv2.sim.comparison.comparison_files import comparison_rows
from mnv2.sim.comparison.comparison_tables import verdict
from mnv2.sim.comparison.subject import Subject, name_subjects, read_subject
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.errors import UserError
from mnv2.sim.report.run_files import report_as_dict, write_report
from tests.sim.report.example import example_network_report, example_report


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "160"})


def predicted(folder, *options):
    """Folder of a prediction of a small network."""
    result = invoke("predict", "--width", "0.35", "--size", "32", "--output", folder, *options)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def content():
    return json.loads(json.dumps(report_as_dict(example_network_report())))


@pytest.fixture
def slower(content):
    """The same report, but that block 3 waits 1,000 cycles more, and reads 64 bytes more."""
    changed = copy.deepcopy(content)
    for row in (changed["layers"][3], changed["total"]):
        row["cycles"] += 1000
        row["stalls"]["weights"] += 1000
        row["dram_bytes"] += 64
        row["dram_read_bytes_by_kind"]["weights"] += 64
    return changed


def test_differences_are_those_of_the_rows(content, slower):
    comparison = ReportComparison((Subject("a", content), Subject("b", slower)))
    rows = {(row["layer"], row["report"]): row for row in comparison_rows(comparison)}
    assert len(rows) == 2 * (len(content["layers"]) + 1)
    for (layer, report), row in rows.items():
        changed = report == "b" and layer in ("block3", "total")
        assert row["difference_cycles"] == (1000 if changed else 0)
        assert row["difference_dram_bytes"] == (64 if changed else 0)
    assert comparison.largest_change(comparison.others[0]) == ("block3", 1000)
    assert comparison.settings == {}
    (sentence,) = verdict(comparison)
    assert sentence.startswith("b against a: +1,000 cycles (+")
    assert sentence.endswith("most in block3, +1,000 cycles")


def test_worst_wait_is_that_of_the_row(content, slower):
    comparison = ReportComparison((Subject("a", content), Subject("b", slower)))
    rows = {(row["layer"], row["report"]): row for row in comparison_rows(comparison)}
    # Of the example: activations 700, weights 300 before the 1,000 more.
    assert rows["block3", "a"]["worst_wait"] == "activations"
    assert rows["block3", "b"]["worst_wait"] == "weights"
    share = 1300 / slower["layers"][3]["cycles"]
    assert rows["block3", "b"]["worst_wait_share"] == pytest.approx(share)


def test_settings_that_differ_are_named(content):
    other = copy.deepcopy(content)
    other["configuration"]["pixels"] = 14
    other["memory"]["latency_cycles"] = 40
    other["clock_hz"] = 100e6
    comparison = ReportComparison((Subject("a", content), Subject("b", other)))
    assert comparison.settings == {
        "clock_hz": ("200,000,000", "100,000,000"),
        "pixels": ("7", "14"),
        "memory: latency cycles": ("100", "40"),
    }
    assert ", 0.500 x the frames" not in verdict(comparison)[0]  # its rate is the report's own
    for family, device in (("xcup", None), ("ecp5", find_device("ECP5-85"))):
        counted = ReportComparison(comparison.subjects, device).resources
        assert counted == tuple(
            estimate_resources(AcceleratorConfig(pixels=pixels), family) for pixels in (7, 14)
        )


def test_layers_that_only_one_has(content):
    blocks = json.loads(json.dumps(report_as_dict(example_report(slice(1, 3)))))
    comparison = ReportComparison((Subject("a", blocks), Subject("b", content)))
    assert comparison.rows[:2] == ("block2", "block3")
    assert set(comparison.rows) == {row["name"] for row in content["layers"]}
    assert comparison.cells("stem", "cycles")[0] is None
    rows = {(row["layer"], row["report"]): row for row in comparison_rows(comparison)}
    assert ("stem", "a") not in rows
    assert rows["stem", "b"]["difference_cycles"] is None


def test_names_are_as_short_as_can_be(content):
    def names(*paths):
        return [one.name for one in name_subjects([Subject(path, content) for path in paths])]

    assert names("runs/x/small", "runs/x/base/report.json") == ["small", "base"]
    assert names("a/run", "b/run") == ["a/run", "b/run"]
    assert names("same", "same") == ["same", "same (2)"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(mode="explore"), "it is one of mode 'explore'"),
        (lambda c: c.pop("mode"), "it has no mode"),
        (lambda c: c.update(clock_hz=0), "it has no clock_hz"),
        (lambda c: c.update(layers=[]), "it has no layers"),
        (lambda c: c["layers"].append(3), "a layer is no object"),
        (lambda c: c["layers"][0].pop("stalls"), "a layer has no stalls"),
        (lambda c: c["layers"][0].update(cycles=1.5), "a count of 'stem' is no integer"),
        (lambda c: c["total"]["stalls"].update(weights="x"), "a count of 'total' is no integer"),
    ],
)
def test_what_is_no_report(change, words, content, tmp_path):
    change(content)
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=words):
        read_subject(tmp_path)


def test_a_configuration_of_another_version(content):
    content["configuration"]["colour"] = 3
    with pytest.raises(UserError, match=r"of a is not one of this version of mnv2: .*'colour'"):
        Subject("a", content).config  # noqa: B018


def test_command(tmp_path):
    small = predicted(tmp_path / "small", "--config", "small")
    base = predicted(tmp_path / "base")
    out = tmp_path / "out"
    result = invoke("compare", small, base / "report.json", "--device", "ZU3EG", "--output", out)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    cycles = [
        json.loads((one / "report.json").read_text())["total"]["cycles"] for one in (small, base)
    ]
    assert lines[-1].startswith(f"base against small: {cycles[1] - cycles[0]:+,} cycles (")
    assert any(line.split()[:3] == ["pixels", "2", "7"] for line in lines)
    assert (out / "compare.png").stat().st_size > 10_000
    content = json.loads((out / "report.json").read_text())
    assert [one["name"] for one in content["reports"]] == ["small", "base"]
    energies = [one["relative_energy"] for one in content["reports"]]
    assert energies == pytest.approx(
        [json.loads((one / "report.json").read_text())["relative_energy"] for one in (small, base)]
    )
    assert 0 < energies[0] != energies[1] > 0
    dsps = [one["estimated_resources"]["dsp"] for one in content["reports"]]
    assert dsps == [estimate_resources(PRESETS[name]).dsp for name in ("small", "base")]
    with (out / "report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 21
    assert [int(row["cycles"]) for row in rows[-2:]] == cycles


def test_measured_next_to_predicted(tmp_path, content):
    """A run's report, as it is written, with tensors of its own: none are compared."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_report(example_network_report(), folder / "report.json")
    result = invoke("compare", folder, predicted(tmp_path / "predicted"))
    assert result.exit_code == 0, result.output
    assert "measured" in result.stdout
    assert "tensor" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{a}"], "name a second one"),
        (["{a}", "{npz}"], "Reports are compared with reports, and .*t.npz is none"),
        (["{npz}", "{npz}", "{npz}"], "Dumps are compared two at a time"),
        (["{npz}", "{npz}", "--html"], "are for reports, and these are dumps"),
        (["{a}", "{a}", "--html"], "add --output DIR"),
        (["{a}", "{a}", "--device", "ZU3G"], "did you mean ZU3EG"),
        (["{a}", "{bad}"], "must be JSON"),
    ],
)
def test_bad_input(arguments, words, tmp_path, content):
    import re

    import numpy as np

    np.savez(tmp_path / "t.npz", x=np.zeros(3))
    (tmp_path / "a.json").write_text(json.dumps(content))
    (tmp_path / "bad.json").write_text("{")
    paths = {"a": tmp_path / "a.json", "npz": tmp_path / "t.npz", "bad": tmp_path / "bad.json"}
    result = invoke("compare", *(one.format(**paths) for one in arguments))
    assert result.exit_code == 2
    assert re.search(words, " ".join(result.output.split())), result.output
