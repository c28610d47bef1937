"""The measures against their definitions, and a point's figures whatever the chunks."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.quantize import quantize_image
from mnv2.sim.pictures.images import normalize
from mnv2.sim.sweep import evaluate
from mnv2.sim.sweep.evaluate import Failure, evaluate_chunk, make_chunk, make_model, summarize
from mnv2.sim.sweep.grid import Point
from tests.sim.sweep.small import prepare_small, write_sets


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder)
    return prepare_small(folder)


def figures_of(prepared, point, size):
    chunks = [
        make_chunk(prepared.workload, pixels, labels, () if number else (False, True))
        for number, (pixels, labels) in enumerate(prepared.pictures.chunks(size))
    ]
    model = make_model(prepared.workload, point)
    return summarize([evaluate_chunk(point, model, chunk) for chunk in chunks])


def test_rankings():
    reference = np.array([[0, 9, 1, 2, 3, 4, 5], [9, 0, 0, 0, 0, 0, 0]], np.float32)
    logits = np.array([[0, 4, 9, 8, 7, 6, 5], [1, 2, 3, 4, 5, 6, 7]], np.float64)
    hits = evaluate._rankings(logits, reference, np.array([2, 2]))
    assert {name: values.tolist() for name, values in hits.items()} == {
        "agree_top1": [False, False],
        "agree_top5": [False, False],
        "label_top1": [True, False],
        "label_top5": [True, True],
        "float_top1": [False, False],
    }
    hits = evaluate._rankings(reference, reference, None)
    assert hits["agree_top1"].all()
    assert set(hits) == {"agree_top1", "agree_top5"}


def test_sqnr_and_cosine():
    reference = np.array([[3.0, 4.0], [1.0, 0.0]], np.float32)
    value = np.array([[3.0, 4.5], [0.0, 2.0]])
    np.testing.assert_allclose(
        evaluate.sqnr_db_by_picture(reference, value),
        [10 * math.log10(25 / 0.25), 10 * math.log10(1 / 5)],
    )
    np.testing.assert_allclose(
        evaluate.cosine(reference, value), [(9 + 18) / (5 * math.hypot(3, 4.5)), 0]
    )
    assert evaluate.sqnr_db_by_picture(reference, reference).tolist() == [200, 200]
    assert evaluate.cosine(reference, np.zeros((2, 2))).tolist() == [0, 0]


@pytest.mark.parametrize("point", [Point(), Point(6, 5, equalization="on"), Point(4, 16)])
def test_figures_do_not_depend_on_chunks(prepared, point):
    whole, cut = figures_of(prepared, point, 30), figures_of(prepared, point, 7)
    assert whole["pictures"] == 30
    # Layers are of the first chunk alone.
    assert {**whole, "layers": None} == {**cut, "layers": None}


def test_figures_by_hand(prepared):
    """One point again, picture by picture, by the plain forms of the integer model."""
    point = Point(weight_bits=5)
    figures = figures_of(prepared, point, 20)
    model, float_model = make_model(prepared.workload, point), prepared.workload.model
    agree, decibels, right = [], [], []
    for pixels, label in zip(prepared.pictures.pixels, prepared.pictures.labels, strict=True):
        image = normalize(pixels)
        reference = float_model.run(image)["classifier"].reshape(-1).astype(np.float64)
        logits = model.logits(model.run(quantize_image(image, model), exact_loops=True))
        agree.append(logits.argmax() == reference.argmax())
        right.append(logits.argmax() == label)
        decibels.append(10 * math.log10((reference**2).sum() / ((reference - logits) ** 2).sum()))
    assert figures["agree_top1"] == pytest.approx(np.mean(agree), abs=1e-6)
    assert figures["label_top1"] == pytest.approx(np.mean(right), abs=1e-6)
    assert figures["sqnr_db"] == pytest.approx(np.mean(decibels), abs=1e-3)
    assert figures["sqnr_db_standard_error"] == pytest.approx(
        np.std(decibels, ddof=1) / math.sqrt(30), abs=1e-3
    )
    share = figures["agree_top1"]
    assert figures["agree_top1_standard_error"] == pytest.approx(
        math.sqrt(share * (1 - share) / 30), abs=1e-5
    )


@pytest.mark.parametrize("equalization", ["off", "on"])
def test_more_bits_are_nearer_to_float_after_each_block(prepared, equalization):
    few, many = (
        figures_of(prepared, Point(bits, activations, equalization=equalization), 30)
        for bits, activations in ((4, 5), (8, 16))
    )
    # Absorbed biases leave the equalised network a little off itself.
    assert many["sqnr_db"] > few["sqnr_db"] + (6 if equalization == "on" else 10)
    assert list(few["layers"]) == [
        "stem",
        "block1.add",
        "block2.add",
        "block3.add",
        "block4.project",
        "head",
        "pool",
        "classifier",
    ]
    for name, figure in few["layers"].items():
        # The equalised network's own tensors: its channels have other scales.
        assert many["layers"][name]["sqnr_db"] > max(figure["sqnr_db"] + 3, 15), name


def test_narrow_accumulators_are_counted(prepared):
    assert "overflows" not in figures_of(prepared, Point(), 30)
    narrow = figures_of(prepared, Point(accumulator_bits=12), 30)
    assert narrow["overflows"] > 100
    assert figures_of(prepared, Point(accumulator_bits=31), 30)["overflows"] == 0


def test_what_cannot_be_made_is_a_reason(prepared):
    model = make_model(prepared.workload, Point(weight_bits=1))
    assert model == Failure("weight_bits must be 2 to 8, not 1")
    ((pixels, labels),) = prepared.pictures.chunks(30)
    chunk = make_chunk(prepared.workload, pixels, labels)
    assert evaluate_chunk(Point(), model, chunk) is model
    assert summarize([model]) == {"failure": model.reason}


def test_what_cannot_run_is_a_reason(prepared):
    ((pixels, labels),) = prepared.pictures.chunks(30)
    chunk = make_chunk(prepared.workload, pixels, labels)
    model = make_model(prepared.workload, Point())
    wrong = evaluate_chunk(Point(), model, replace(chunk, logits=chunk.logits[:, :3]))
    assert isinstance(wrong, Failure)
    assert "\n" not in wrong.reason
