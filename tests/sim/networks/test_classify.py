"""The record that `mnv2 classify` shows."""

import numpy as np
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.networks.classify import classify
from mnv2.sim.networks.compare import sqnr_db
from mnv2.sim.networks.dumps import write_dump
from mnv2.sim.networks.open import open_model
from mnv2.sim.networks.outputs import dump_tensors
from mnv2.sim.networks.ranking import rank
from mnv2.sim.pictures.class_names import class_name, class_names
from mnv2.sim.pictures.photographs import calibration_photographs, labelled_photographs


@pytest.fixture(scope="module")
def cat():
    path = next(p.path for p in calibration_photographs() if p.name == "chelsea")
    return classify(open_model(), path)


def test_a_cat_is_a_cat(cat):
    assert cat.float_top[0].name == cat.integer_top[0].name == "Egyptian cat"
    assert cat.agree
    assert cat.float_top[0].probability == pytest.approx(0.72, abs=0.01)
    assert [p.probability for p in cat.integer_top] == sorted(
        (p.probability for p in cat.integer_top), reverse=True
    )
    assert len(cat.float_top) == len(cat.integer_top) == 5


def test_quality_of_each_block(cat):
    names = [row.name for row in cat.quality]
    assert len(names) == 1 + 17 + 3
    assert names[:4] == ["stem", "block1.project", "block2.project", "block3.add"]
    assert all(row.sqnr_db > 12 for row in cat.quality)
    assert cat.quality[0].shape == (112, 112, 32)
    assert cat.logits_sqnr_db > 15


def test_dump(cat, tmp_path):
    path = tmp_path / "new" / "tensors.npz"
    write_dump(path, dump_tensors(cat.model, cat.tensors))
    with np.load(path, allow_pickle=False) as tensors:
        assert set(tensors.files) == set(cat.tensors)
        assert tensors["block17.expand"].shape == (7, 7, 960)
        assert tensors["logits_accumulator"].dtype == np.int32
        for name in tensors.files:
            assert np.array_equal(tensors[name], cat.tensors[name])
    assert [p.name for p in path.parent.iterdir()] == ["tensors.npz"]


def test_dump_that_cannot_be_written(cat, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="The dump .* cannot be written"):
        write_dump(tmp_path / "file" / "x.npz", dump_tensors(cat.model, cat.tensors))
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_dump(tmp_path / "folder", dump_tensors(cat.model, cat.tensors))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_rank():
    ranking = rank([0.0, 3.0, 3.0, 1.0], 2)
    assert [p.index for p in ranking] == [1, 2]
    assert ranking[0].name == "class 1"
    assert sum(p.probability for p in rank([1.0, 2.0, 0.5])) == pytest.approx(1)


def test_sqnr():
    assert sqnr_db([3.0, 4.0], [3.0, 4.0]) == float("inf")
    assert sqnr_db([10.0, 0.0], [9.0, 0.0]) == pytest.approx(20.0)


def test_class_names():
    names = class_names()
    assert len(names) == len(set(names)) == 1000
    assert (class_name(0), class_name(285), class_name(999)) == (
        "tench",
        "Egyptian cat",
        "toilet tissue",
    )
    assert {p.label for p in labelled_photographs()} <= set(range(1000))
