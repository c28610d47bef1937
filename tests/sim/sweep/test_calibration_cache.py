"""A calibration that comes from the cache is the one that went in, and of the same things."""

import numpy as np
import pytest

from mnv2.golden.quantize import QuantizationOptions, quantize_model
from mnv2.sim.sweep import calibration_cache
from mnv2.sim.sweep.calibration_cache import cached_calibration
from tests.sim.sweep.small import SIZE, small_model

OPTIONS = [
    QuantizationOptions(4, adaptive_rounding=True, bias_correction=True),
    QuantizationOptions(5, equalization=True),
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    return tmp_path / "calibrations"


@pytest.fixture
def images():
    return list(np.random.default_rng(2).normal(size=(3, SIZE, SIZE, 3)).astype(np.float32))


@pytest.fixture
def calibration(images):
    """A function that says too how many pictures were looked at."""

    def make(model=None, hashes=("a", "b"), options=OPTIONS):
        calls = []
        made = cached_calibration(
            model or small_model().folded(),
            images,
            hashes,
            options,
            lambda done, total: calls.append(done),
        )
        return made, len(calls)

    return make


def test_it_is_collected_once(calibration, cache):
    first, looked = calibration()
    assert looked > 0
    second, again = calibration()
    assert again == 0
    assert len(list(cache.iterdir())) == 1
    assert second.input_range == first.input_range
    model = small_model().folded()
    for options in (*OPTIONS, QuantizationOptions(range_method="entropy")):
        made, same = (quantize_model(model, one, options) for one in (first, second))
        assert (made.input_scale, made.input_zero_point) == (
            same.input_scale,
            same.input_zero_point,
        )
        for mine, theirs in zip(made.layers, same.layers, strict=True):
            for what in ("weights", "bias", "multiplier", "shift"):
                np.testing.assert_array_equal(getattr(mine, what), getattr(theirs, what))


@pytest.mark.parametrize(
    "change",
    [{"hashes": ("a", "c")}, {"model": small_model(seed=7).folded()}, {"options": OPTIONS[:1]}],
)
def test_other_things_are_collected_anew(calibration, change):
    calibration()
    assert calibration(**change)[1] > 0


def test_damaged_file_is_made_again(calibration, cache):
    calibration()
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert calibration()[1] > 0
    assert calibration()[1] == 0


def test_cache_does_not_grow(calibration, cache):
    for number in range(calibration_cache.KEPT + 3):
        calibration(hashes=(str(number),))
    assert len(list(cache.iterdir())) == calibration_cache.KEPT
    assert calibration(hashes=(str(number),))[1] == 0


def test_cache_that_cannot_be_written_costs_time_alone(calibration, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "file" / "cache"))
    assert calibration()[1] > 0
