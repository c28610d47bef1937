"""Tables, pictures and the report show the figures, and say what is missing."""

import dataclasses
import io
import json

import numpy as np
import pandas
import pytest
from PIL import Image
from rich.console import Console

from mnv2.sim.sweep import sweep_plots, sweep_series
from mnv2.sim.sweep.comparison import smallest_of_the_best
from mnv2.sim.sweep.grid import AXES, Point, position
from mnv2.sim.sweep.hardware import HardwareRun
from mnv2.sim.sweep.sweep_records import SweepResults, best_points
from mnv2.sim.sweep.sweep_report import sweep_as_dict, write_report
from mnv2.sim.sweep.sweep_tables import point_frame, render_hardware, render_points, write_tables
from mnv2.sim.sweep.uncertainty import wilson_interval
from tests.sim.sweep.small import made_results, prepare_small, write_sets


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder)
    (folder / "images" / "1" / "broken.png").write_bytes(b"lorem ipsum")
    return prepare_small(
        folder,
        weight_bits=(3, 5, 8),
        activation_bits=(6, 8),
        granularity=("tensor", "channel"),
        equalization=("off", "on"),
    )


@pytest.fixture
def results(prepared):
    return made_results(prepared)


def text_of(renderable):
    console = Console(width=170, file=io.StringIO(), highlight=False)
    console.print(renderable)
    return console.file.getvalue()


def test_files_hold_the_same(results, tmp_path):
    write_tables(results, tmp_path)
    csv = pandas.read_csv(tmp_path / "sweep.csv")
    parquet = pandas.read_parquet(tmp_path / "sweep.parquet")
    assert list(csv.columns) == list(parquet.columns)
    assert csv["name"].tolist() == parquet["name"].tolist()
    np.testing.assert_array_equal(csv["agree_top1"], parquet["agree_top1"])
    assert parquet["pictures"].tolist() == [30] * 24
    assert parquet["failure"].isna().all()
    layers = pandas.read_csv(tmp_path / "layers.csv")
    assert len(layers) == 24 * 8
    point, figures = next(iter(results.figures.items()))
    row = layers[(layers.name == point.name) & (layers.layer == "head")]
    assert row["sqnr_db"].tolist() == [figures["layers"]["head"]["sqnr_db"]]


def test_rows_state_their_format(results):
    frame = point_frame(results)
    for point, (_, row) in zip(
        sorted(results.figures, key=position), frame.iterrows(), strict=True
    ):
        assert {axis.field: row[axis.field] for axis in AXES} == {
            axis.field: getattr(point, axis.field) for axis in AXES
        }
    assert frame["product_bits"].tolist() != frame["multiplier_bits"].tolist()


def test_rows_are_in_order(results):
    shuffled = SweepResults(
        results.prepared, dict(reversed(results.figures.items())), results.reference
    )
    pandas.testing.assert_frame_equal(point_frame(shuffled), point_frame(results))
    assert point_frame(results)["weight_bits"].is_monotonic_increasing


def test_best_points(prepared):
    def figures(share, decibels):
        return {"agree_top1": share, "sqnr_db": decibels}

    results = SweepResults(
        prepared,
        {
            Point(8): figures(0.9, 20.0),
            Point(7): figures(0.9, 21.0),
            Point(6): figures(1.0, 5.0),
            Point(5): {"failure": "no"},
            Point(4): figures(0.9, 20.0),
        },
        {},
    )
    assert [point.weight_bits for point in best_points(results, 9)] == [6, 7, 4, 8]
    assert len(best_points(results, 2)) == 2


def test_terminal(results):
    results.figures[Point(3, 6)] = {"failure": "The scale must be above 1"}
    text = text_of(render_points(results))
    assert "24 formats on 30 pictures; float is right on 90.0% ± 5.0%" in text
    assert "Failed: W3A6: The scale must be above 1." in text
    assert "1 pictures were left out, '1/broken.png' first" in text
    assert f"{100 / 31:.1f} points with 30 pictures" in text
    point = Point(8, 8, "tensor", equalization="on")
    figures = results.figures[point]
    row = next(
        line
        for line in text.splitlines()
        if line.split()[:5] == ["8", "8", "per", "tensor,", "equalization"]
    )
    assert f"{100 * figures['agree_top1']:.1f} ±5.0" in row
    assert f"{figures['sqnr_db']:.1f} ±0.5" in row


def test_no_winner_among_equals(results, tmp_path):
    """The smallest format within one error of the best, by labels, is what is named."""
    measure, smallest, equal = smallest_of_the_best(
        results.figures, results.prepared.workload.model.network
    )
    assert measure == "label_top1"
    text = " ".join(text_of(render_points(results)).split())
    assert f"Smallest within one error of the best, by labels, paired: {smallest.name}," in text
    write_report(results, tmp_path / "report.json")
    best = json.loads((tmp_path / "report.json").read_text())["best"]
    assert best["within_one_error"][0] == smallest.name
    assert sorted(best["within_one_error"]) == sorted(point.name for point in equal)


def test_what_was_done_is_said(results):
    text = " ".join(text_of(render_points(results)).split())
    assert "Pixels: shorter side resized to 18, centre of 16 x 16 cropped; normalised as" in text
    assert "classes: class indices that folders are called by: 0 0, 1 1, 2 2" in text
    assert "Warning" not in text
    near = dataclasses.replace(results, reference={**results.reference, "label_top1": 0.3})
    text = " ".join(text_of(render_points(near)).split())
    assert "Warning: The network is right on 30.0% of 30 pictures, near chance (33.3%)" in text


def test_top_5_is_left_out_where_there_is_none(results):
    figures = {
        point: {name: value for name, value in one.items() if "top5" not in name}
        for point, one in results.figures.items()
    }
    reference = {name: value for name, value in results.reference.items() if "top5" not in name}
    few = SweepResults(results.prepared, figures, reference)
    assert "top-5" not in text_of(render_points(few))
    assert point_frame(few)["agree_top5"].isna().all()


def test_long_tables_show_the_best(results):
    text = text_of(render_points(results, limit=5))
    assert "the best 5 of 24, sweep.csv has all" in text
    assert (
        len([line for line in text.splitlines() if line.lstrip()[:1] in "358" and "±" in line]) == 5
    )


def test_report(results, tmp_path):
    results.figures[Point(3, 6)] = {"failure": "reason"}
    runs = [HardwareRun("W8A8", 8, 8, 1000, 2000, "class 1", "class 1", True)]
    write_report(results, tmp_path / "report.json", runs)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == json.loads(json.dumps(sweep_as_dict(results, runs)))
    assert len(report["points"]) == 24
    assert report["points"][0]["failure"] is None
    failed = [point for point in report["points"] if point["failure"]]
    assert [(point["name"], point["agree_top1"]) for point in failed] == [("W3A6", None)]
    assert report["images"]["pictures"] == 30
    assert [one["name"] for one in report["images"]["skipped"]] == ["1/broken.png"]
    assert report["images"]["sha256"] == results.prepared.pictures.content_hash
    assert report["configuration"]["request"]["seed"] == report["seed"] == 1
    assert report["hardware"][0]["exact"] is True
    assert len(report["commit"].removesuffix("-dirty")) == 40 or report["commit"] == "unknown"
    assert set(report["versions"]) >= {"numpy", "dask", "python"}


def test_hardware_table():
    text = text_of(
        render_hardware(
            [
                HardwareRun("W8A16", reason="the accelerator has no such format: 16 bits"),
                HardwareRun("W8A8", 8, 8, 770_322, 3_802_552, "espresso", "espresso", True),
                HardwareRun("W3A8", 4, 8, golden_class="cup", reason="the RTL differs"),
            ]
        )
    )
    assert "W8A16: the accelerator has no such format: 16 bits." in text
    assert "770,322" in text
    assert "W3A8: the RTL differs." in text
    assert [line.split()[-1] for line in text.splitlines() if "passed over" in line] == ["over"]


def test_pictures_are_written(results, tmp_path):
    sweep_plots.write_plots(results, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "accuracy.png",
        "costs.png",
        "layers.png",
    ]
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert len(image.convert("L").getcolors(256)) > 20


def test_nothing_to_draw(prepared, tmp_path):
    failed = SweepResults(prepared, dict.fromkeys(prepared.points, {"failure": "no"}), {})
    sweep_plots.write_plots(failed, tmp_path)
    assert not list(tmp_path.iterdir())
    assert "Failed: W3A6" in text_of(render_points(failed))


def test_accuracy_has_a_line_for_each_width(results):
    figure = sweep_plots.draw_accuracy(results)
    axes = figure.axes
    assert len(axes) == 2 * 4
    # Labels first, where there are some.
    assert axes[0].get_ylabel() == "first class is the label's"
    assert [ax.get_title(loc="left") for ax in axes[:4]] == [
        "per tensor",
        "per tensor\nequalization",
        "per channel",
        "per channel\nequalization",
    ]
    labels = [container.get_label() for container in axes[0].containers]
    assert labels == ["6-bit activations", "8-bit activations"]
    line = axes[0].containers[1]
    points = [Point(bits, 8, "tensor") for bits in (3, 5, 8)]
    shares = [results.figures[point]["agree_top1"] for point in points]
    assert list(line.lines[0].get_ydata()) == shares
    ends = line.lines[2][0].get_segments()
    for share, segment in zip(shares, ends, strict=True):
        np.testing.assert_allclose(segment[:, 1], wilson_interval(share, 30))
        assert segment[1, 1] > segment[0, 1]


def test_layers_show_each_block(results):
    axes = sweep_plots.draw_layers(results).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "stem",
        "B1",
        "B2",
        "B3",
        "B4",
        "head",
        "pool",
        "class.",
    ]
    assert "W3A8 per tensor" in names
    assert "W3A6 per tensor" not in names
    row = names.index("W3A8 per tensor")
    figures = results.figures[Point(3, 8, "tensor")]["layers"]
    assert axes.images[0].get_array()[row].tolist() == [
        figure["sqnr_db"] for figure in figures.values()
    ]


def test_frontier_only_rises(results):
    for axes in sweep_plots.draw_costs(results).axes:
        line = axes.containers[0].lines[0]
        costs, shares = line.get_data()
        assert (np.diff(shares) > 0).all()
        assert (np.diff(costs) >= 0).all()
        assert max(shares) == max(f["agree_top1"] for f in results.figures.values())


def test_sweep_of_one_format_is_drawn(prepared, tmp_path):
    one = {
        point: figures
        for point, figures in made_results(prepared).figures.items()
        if point == Point()
    }
    sweep_plots.write_plots(SweepResults(prepared, one, {}), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_plain_sweep_has_its_whole_title(results):
    """One way of quantising is one panel: title and legend are within the picture all the same."""
    points = next(iter(sweep_series.panels(sweep_series.found_points(results)).values()))
    plain = dataclasses.replace(
        results, figures={point: results.figures[point] for point in points}
    )
    figure = sweep_plots.draw_accuracy(plain)
    figure.draw_without_rendering()
    assert len(figure.axes) == 2
    (title,) = [text for text in figure.texts if text.get_text().startswith("What bits cost")]
    for part in (title, *figure.legends):
        box = part.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
