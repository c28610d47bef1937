"""One pass over the pictures, and statistics that add up."""

import numpy as np
import pytest

from mnv2.golden.quantize.histogram import histogram
from mnv2.golden.quantize.range_statistics import collect_statistics
from tests.golden.quantize.networks import small_model, small_pictures


@pytest.fixture(scope="module")
def model():
    return small_model(np.random.default_rng(1), normalized=True)


def test_statistics_are_those_of_the_tensors(model):
    pictures = small_pictures(np.random.default_rng(2), 3)
    steps = []
    seen = collect_statistics(model, pictures, lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    tensors = [model.folded().run(x) for x in pictures]
    assert list(seen.minima) == list(tensors[0])
    for name in tensors[0]:
        np.testing.assert_array_equal(seen.minima[name], [t[name].min() for t in tensors])
        np.testing.assert_array_equal(seen.maxima[name], [t[name].max() for t in tensors])
        whole = histogram(np.concatenate([t[name].reshape(-1) for t in tensors]))
        assert whole.exponent == seen.histograms[name].exponent
        assert np.array_equal(whole.counts, seen.histograms[name].counts)
    assert seen.moments["block2.project"].gram is None
    mean = np.mean([t["block2.depthwise"].mean(axis=(0, 1)) for t in tensors], axis=0)
    np.testing.assert_allclose(seen.moments["block2.project"].mean()[0], mean, rtol=1e-5)


def test_statistics_add_up(model):
    pictures = small_pictures(np.random.default_rng(3), 5)
    whole = collect_statistics(model, pictures, gram=True)
    parts = collect_statistics(model, pictures[:2], gram=True) + collect_statistics(
        model, pictures[2:], gram=True
    )
    for name in whole.minima:
        assert np.array_equal(whole.minima[name], parts.minima[name])
        assert np.array_equal(whole.maxima[name], parts.maxima[name])
        assert np.array_equal(whole.histograms[name].counts, parts.histograms[name].counts)
    for name, moments in whole.moments.items():
        assert moments.count == parts.moments[name].count
        np.testing.assert_allclose(parts.moments[name].gram, moments.gram, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="both have a Gram matrix"):
        whole + collect_statistics(model, pictures[:1])


def test_no_pictures(model):
    with pytest.raises(ValueError, match="at least one picture"):
        collect_statistics(model, [])
