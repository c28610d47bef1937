"""Formats compared on the same pictures: paired errors, and no winner among equals."""

import numpy as np
import pytest

from mnv2.sim.pictures.decode import NO_LABEL
from mnv2.sim.sweep.comparison import (
    equal_to_best,
    measured_pictures,
    pack_hits,
    paired_difference,
    smallest_of_the_best,
    unpack_hits,
)
from mnv2.sim.sweep.evaluate import _rankings, reference_accuracy, summarize
from mnv2.sim.sweep.grid import Point
from tests.sim.sweep.small import small_model

COUNT = 100


def figures(*wrong, measure="agree_top1", count=COUNT):
    """Figures of a format that is wrong on some of the pictures."""
    hits = ~np.isin(np.arange(count), wrong)
    return {
        "pictures": count,
        "labelled": count,
        measure: float(hits.mean()),
        "hits": {measure: pack_hits(hits)},
    }


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_hits_survive(count):
    hits = np.random.default_rng(count).random(count) < 0.6
    np.testing.assert_array_equal(unpack_hits(pack_hits(hits), count), hits)


def test_error_of_a_difference_is_of_the_pictures_that_differ():
    """Both are wrong on the same ten pictures, and one on two more."""
    one, other = figures(*range(10)), figures(*range(12))
    mean, error = paired_difference(one, other, "agree_top1")
    differences = np.zeros(COUNT)
    differences[10:12] = 1
    assert mean == pytest.approx(0.02)
    assert error == pytest.approx(differences.std(ddof=1) / np.sqrt(COUNT))
    # Each on its own has an error of three points.
    assert error < 0.015


def test_equals_are_within_one_error():
    found = {
        Point(8): figures(0, 1),
        Point(7): figures(0, 1, 2),
        Point(6): figures(2, 3, 4, 5),
        Point(4): figures(*range(30)),
        Point(3): {"failure": "no"},
    }
    measure, equal = equal_to_best(found)
    assert measure == "agree_top1"
    # One picture more is one error; four against two that are others are within one, too.
    assert [point.weight_bits for point in equal] == [6, 7, 8]
    _, smallest, _ = smallest_of_the_best(found, small_model().network)
    assert smallest == Point(6)


def test_three_more_of_a_hundred_are_no_equal():
    found = {Point(8): figures(0), Point(6): figures(0, 1, 2, 3)}
    assert equal_to_best(found)[1] == [Point(8)]
    assert smallest_of_the_best(found, small_model().network)[1] == Point(8)


def test_labels_decide_where_there_are_some():
    found = {
        Point(8): {**figures(1, 2, 3, 4, 5), **figures(1, measure="label_top1")},
        Point(6): {**figures(1), **figures(*range(20), measure="label_top1")},
    }
    for one in found.values():
        one["hits"] = {"label_top1": one["hits"]["label_top1"]}
    measure, equal = equal_to_best(found)
    assert (measure, equal) == ("label_top1", [Point(8)])


def test_nothing_was_measured():
    assert equal_to_best({Point(): {"failure": "no"}}) == ("agree_top1", [])
    assert smallest_of_the_best({}, small_model().network) is None


def test_difference_to_float_is_paired():
    """Float is right on 8 of 10; the format on the same but one, and on one that float misses."""
    logits = np.eye(10)
    labels = np.arange(10)
    reference = logits.copy()
    reference[[8, 9]] = reference[[9, 8]]
    quantised = reference.copy()
    quantised[[0, 8]] = np.roll(logits, 1, axis=1)[0], logits[8]
    part = {
        **_rankings(quantised, reference, labels),
        "sqnr_db": np.zeros(10),
        "cosine": np.ones(10),
    }
    made = summarize([part])
    assert reference_accuracy([(reference, labels)])["label_top1"] == 0.8
    assert made["label_top1"] == 0.8
    assert made["label_difference"] == 0
    differences = np.array([-1, 0, 0, 0, 0, 0, 0, 0, 1, 0])
    assert made["label_difference_standard_error"] == pytest.approx(
        differences.std(ddof=1) / np.sqrt(10), abs=1e-6
    )
    np.testing.assert_array_equal(
        unpack_hits(made["hits"]["label_top1"], 10), quantised.argmax(1) == labels
    )


def test_shares_by_label_are_of_the_labelled():
    """Seven of ten pictures have a label: float is right on six of them, the format on five."""
    labels = np.arange(10)
    labels[[1, 4, 9]] = NO_LABEL
    reference = np.eye(10)
    reference[0] = reference[2]
    quantised = reference.copy()
    quantised[3] = reference[5]
    parts = [
        {
            **_rankings(quantised[part], reference[part], labels[part]),
            "sqnr_db": np.zeros(5),
            "cosine": np.ones(5),
        }
        for part in (slice(0, 5), slice(5, 10))
    ]
    made = summarize(parts)
    assert (made["pictures"], made["labelled"]) == (10, 7)
    assert made["agree_top1"] == 0.9
    assert made["label_top1"] == pytest.approx(5 / 7, abs=1e-6)
    assert made["label_top1_standard_error"] == pytest.approx(np.sqrt(10 / 7**3), abs=1e-6)
    assert made["label_difference"] == pytest.approx(-1 / 7, abs=1e-6)
    assert reference_accuracy([(reference, labels)])["label_top1"] == pytest.approx(6 / 7, abs=1e-6)
    assert measured_pictures(made, "label_top1") == 7
    better = {**made, "hits": {"label_top1": pack_hits(np.ones(7, bool))}}
    assert paired_difference(better, made, "label_top1")[0] == pytest.approx(2 / 7)


def test_chunk_without_a_label():
    """In a set with labels a chunk may have none, or all of them."""
    logits = np.eye(4)
    about = {"sqnr_db": np.zeros(4), "cosine": np.ones(4)}
    parts = [
        {**_rankings(logits, logits, labels), **about}
        for labels in (np.full(4, NO_LABEL), np.arange(4))
    ]
    assert summarize(parts)["label_top1"] == 1
    assert summarize(parts)["labelled"] == 4


@pytest.mark.parametrize(("classes", "known"), [(5, False), (6, True)])
def test_top_5_needs_six_classes(classes, known):
    logits = np.random.default_rng(0).random((4, classes))
    labels = np.zeros(4, int)
    found = _rankings(logits, logits, labels)
    assert ("agree_top5" in found) is ("label_top5" in found) is known
    assert ("label_top5" in reference_accuracy([(logits, labels)])) is known
