"""Figures, files and words of an accuracy, on answers made up so that they are known."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.sim.accuracy.accuracy_files import accuracy_as_dict, write_accuracy
from mnv2.sim.accuracy.accuracy_plots import draw_confusion, shown_classes
from mnv2.sim.accuracy.accuracy_tables import render_accuracy, render_runs
from mnv2.sim.accuracy.figures import (
    Confusion,
    accuracy_figures,
    accuracy_warnings,
    changed,
    confusion,
)
from mnv2.sim.accuracy.hardware import PictureRun
from mnv2.sim.accuracy.judge import AccuracyResults, PreparedAccuracy
from mnv2.sim.accuracy.request import AccuracyRequest
from mnv2.sim.pictures.class_names import ClassNames
from mnv2.sim.pictures.image_sets import ImageSet, Picture
from mnv2.sim.pictures.resizing import CROP

NAMES = ("tulip", "daisy", "rose", "lily", "pansy", "poppy")


def made_results(labels, integers, floats=None, *, classes=6, skipped=()):
    """Results whose first classes are given; the others follow in order."""
    forms = ("integer",) if floats is None else ("float", "integer")
    rows = []
    for number, label in enumerate(labels):
        row = {"picture": f"{number}.png", "sha256": "0" * 64, "label": label}
        for form, answers in (("integer", integers), ("float", floats)):
            if answers is None:
                continue
            others = [one for one in range(classes) if one != answers[number]]
            order = [answers[number], *others]
            row[form] = order[:5]
            if label is not None:
                row[f"{form}_place"] = order.index(label)
        if floats is not None:
            row["sqnr_db"] = 20.0 + number % 2
        rows.append(row)
    pictures = tuple(Picture(None, row["picture"], row["label"]) for row in rows)
    prepared = PreparedAccuracy(
        AccuracyRequest(),
        SimpleNamespace(forms=forms, model=None, normalization=IMAGENET_NORMALIZATION),
        "a network",
        ClassNames(NAMES[:classes], "flowers.txt", given=True),
        (96, 96),
        CROP,
        ImageSet("set", "folders", "the labels of the list", pictures),
        {"request": {}},
    )
    return AccuracyResults(prepared, tuple(rows), tuple(skipped))


@pytest.fixture
def results():
    """Twenty pictures: float right on 16, integer on 15; it loses 3 of those and gains 2."""
    labels = [number % 5 for number in range(20)]
    floats = [label if number < 16 else 5 for number, label in enumerate(labels)]
    integers = [5 if number < 3 else label for number, label in enumerate(labels)]
    integers[18:] = [5, 5]
    skipped = [("broken.png", "it is broken")]
    return made_results(labels, integers, floats, skipped=skipped)


def text_of(renderable):
    console = Console(width=150)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_shares_have_binomial_errors(results):
    figures = accuracy_figures(results)
    assert figures["float_top1"].value == 16 / 20
    assert figures["integer_top1"].value == 15 / 20
    assert figures["integer_top1"].error == pytest.approx(np.sqrt(0.75 * 0.25 / 20))
    assert figures["agree_top1"].value == 15 / 20
    assert figures["sqnr_db"].value == 20.5


def test_difference_is_paired(results):
    """It is -1 on three pictures and 1 on two: less than both errors together say."""
    difference = accuracy_figures(results)["difference"]
    values = np.array([-1] * 3 + [1] * 2 + [0] * 15)
    assert changed(results) == (3, 2)
    assert difference.value == pytest.approx(-0.05)
    assert difference.error == pytest.approx(values.std(ddof=1) / np.sqrt(20))
    apart = np.hypot(
        *(accuracy_figures(results)[f"{form}_top1"].error for form in ("float", "integer"))
    )
    assert difference.error < apart


def test_pictures_without_a_label_count_for_agreement_alone(tmp_path):
    """Two of six have none: on one of them the forms differ, on the labelled they agree."""
    labels = [0, None, 2, 3, None, 4]
    floats = [0, 1, 2, 4, 4, 4]
    made = made_results(labels, [0, 2, 2, 4, 4, 4], floats)
    figures = accuracy_figures(made)
    assert figures["float_top1"].value == figures["integer_top1"].value == 3 / 4
    assert figures["agree_top1"].value == 5 / 6
    assert figures["difference"].value == 0
    assert changed(made) == (0, 0)
    assert confusion(made, "integer").counts.sum() == 4
    assert "on 6 pictures, 4 of them with a label" in text_of(render_accuracy(made))
    assert accuracy_as_dict(made)["labelled"] == 4
    write_accuracy(made, tmp_path)
    rows = list(csv.DictReader((tmp_path / "pictures.csv").open()))
    assert [row["label"] for row in rows] == ["0", "", "2", "3", "", "4"]
    assert [row["integer_right"] for row in rows] == ["1", "", "1", "0", "", "1"]


@pytest.mark.parametrize(("classes", "known"), [(5, False), (6, True)])
def test_top_5_needs_six_classes(classes, known):
    labels = [0, 1, 2, 3, 4]
    made = made_results(labels, [1, 1, 2, 3, 0], classes=classes)
    assert ("integer_top5" in accuracy_figures(made)) is known
    assert ("top-5" in text_of(render_accuracy(made))) is known


def test_top_5_is_a_share_of_places():
    made = made_results([5, 4], [0, 0])
    assert accuracy_figures(made)["integer_top5"].value == 0.5


def test_confusion_counts_every_picture(results):
    matrix = confusion(results, "integer")
    assert matrix.labels == (0, 1, 2, 3, 4)
    assert matrix.answers == (0, 1, 2, 3, 4, 5)
    assert matrix.counts.sum() == 20
    assert np.trace(matrix.counts) == 15
    assert matrix.counts[:, 5].tolist() == [1, 1, 1, 1, 1]


def test_table(results):
    text = text_of(render_accuracy(results))
    assert "a network on 20 pictures" in text
    assert "80.0 ±8.9" in text
    assert "75.0 ±9.7" in text
    assert (
        "Integer minus float, the same pictures: -5.0 ± 11.4 points; float alone is right on 3"
        in text
    )
    assert "1 picture was left out, 'broken.png' first: it is broken" in text
    assert "Pixels: shorter side resized to 110, centre of 96 x 96 cropped" in text
    assert f"{100 / 21:.1f} points with 20 pictures" in text
    assert "Warning" not in text


def test_classes_in_another_order_are_noticed():
    """The network knows the classes, and the folders are numbered otherwise."""
    labels = [number % 5 for number in range(60)]
    answers = [(label + 1) % 5 if number < 50 else label for number, label in enumerate(labels)]
    made = made_results(labels, answers, classes=5)
    first, second = accuracy_warnings(made)
    assert "right on 16.7% of 60 pictures, near chance (20.0%)" in first
    assert second.startswith(
        "With the classes in another order 83.3% would be right: tulip as daisy"
    )
    assert "Warning: The network is right on 16.7%" in text_of(render_accuracy(made))
    right = made_results(labels, labels, classes=5)
    assert accuracy_warnings(right) == []


def test_nothing_is_guessed_from_noise():
    """Answers at random have no better order that means anything."""
    rng = np.random.default_rng(1)
    labels = [number % 5 for number in range(60)]
    for _ in range(200):
        made = made_results(labels, rng.integers(0, 5, 60).tolist(), classes=5)
        assert not [line for line in accuracy_warnings(made) if line.startswith("With the")]


def test_files(results, tmp_path):
    runs = [PictureRun("3.png", "lily", "lily", 1000, 2000, exact=True)]
    write_accuracy(results, tmp_path, runs)
    assert {file.name for file in tmp_path.iterdir()} == {
        "report.json",
        "pictures.csv",
        "confusion.csv",
        "confusion-float.csv",
        "confusion.png",
    }
    with (tmp_path / "pictures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    assert rows[0]["label_name"] == "tulip"
    assert (rows[0]["float_right"], rows[0]["integer_right"]) == ("1", "0")
    assert rows[0]["integer_name"] == "poppy"
    assert rows[0]["integer_top5"] == "5 0 1 2 3"
    assert rows[0]["integer_place"] == "2"
    assert rows[0]["agree"] == "0"
    assert rows[3]["rtl"] == "equal"
    assert (rows[20]["picture"], rows[20]["left_out"]) == ("broken.png", "it is broken")
    assert sum(int(row["integer_right"] or 0) for row in rows) == 15
    with (tmp_path / "confusion.csv").open(newline="", encoding="utf-8") as file:
        heads, *lines = csv.reader(file)
    assert heads == ["label", "label_name", *(f"{i} {name}" for i, name in enumerate(NAMES))]
    assert lines[1] == ["1", "daisy", "0", "3", "0", "0", "0", "1"]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report == json.loads(json.dumps(accuracy_as_dict(results, runs)))
    assert report["figures"]["difference"] == -0.05
    assert (report["figures"]["lost"], report["figures"]["gained"]) == (3, 2)
    assert report["images"]["skipped"] == [{"name": "broken.png", "reason": "it is broken"}]
    assert report["preparation"].startswith("Pixels: shorter side resized to 110")
    with Image.open(tmp_path / "confusion.png") as image:
        assert len(image.convert("L").getcolors(256)) > 20


def test_without_labels(tmp_path):
    made = made_results([None] * 3, [0, 1, 2], [0, 1, 1])
    figures = accuracy_figures(made)
    assert set(figures) == {"agree_top1", "sqnr_db"}
    assert figures["agree_top1"].value == 2 / 3
    write_accuracy(made, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"report.json", "pictures.csv"}
    assert "No labels: the labels of the list." in text_of(render_accuracy(made))


def test_one_picture_has_no_error():
    made = made_results([0], [0], [0])
    assert accuracy_as_dict(made)["figures"]["difference_standard_error"] is None
    assert "+0.0 points" in text_of(render_accuracy(made))


def test_many_classes_show_what_is_mistaken():
    classes = 50
    labels = list(range(classes))
    answers = [7 if label in (3, 40) else label for label in labels]
    counts = np.zeros((classes, classes), int)
    counts[labels, answers] = 1
    matrix = Confusion("integer", tuple(labels), tuple(labels), counts)
    shown = shown_classes([matrix])
    assert len(shown) == 30
    assert {3, 7, 40} <= set(shown)
    names = ClassNames(tuple(f"kind {number}" for number in labels), "x")
    figure = draw_confusion([matrix], names)
    assert "of 50" in figure._suptitle.get_text()


def test_runs(results):
    runs = [
        PictureRun("a.png", "lily", "lily", 1000, 2000, exact=True),
        PictureRun("b.png", "rose", reason="The RTL differs"),
    ]
    text = text_of(render_runs(runs))
    assert "1 of 2 pictures equal golden" in text
    assert "b.png: The RTL differs." in text
