"""Standard errors against their closed forms and against repeated draws."""

import math

import numpy as np
import pytest

from mnv2.sim.sweep.uncertainty import mean_and_error, proportion_error, wilson_interval


@pytest.mark.parametrize(("hits", "count"), [(0, 20), (18, 20), (20, 20), (1, 3)])
def test_proportion_error(hits, count):
    """The deviation of a mean of zeros and ones, divided by sqrt(n)."""
    outcomes = np.zeros(count)
    outcomes[:hits] = 1
    assert proportion_error(hits, count) == pytest.approx(outcomes.std() / math.sqrt(count))


def test_twenty_labels_carry_eight_points():
    assert proportion_error(17, 20) == pytest.approx(0.0798, abs=1e-4)


@pytest.mark.parametrize("hits", range(0, 21, 4))
@pytest.mark.parametrize("z", [1.0, 2.0])
def test_wilson_interval_solves_its_equation(hits, z):
    """Its ends are the shares p from which the one seen is z of p's own standard errors away."""
    share = hits / 20
    for end in wilson_interval(share, 20, z):
        if end not in (0, 1):
            assert abs(share - end) == pytest.approx(z * math.sqrt(end * (1 - end) / 20))


def test_wilson_interval_at_the_ends():
    assert wilson_interval(0.0, 20) == (0.0, pytest.approx(1 / 21))
    assert wilson_interval(1.0, 20) == (pytest.approx(20 / 21), 1.0)


def test_error_of_a_mean_is_the_spread_of_means():
    rng = np.random.default_rng(3)
    means, errors = zip(*(mean_and_error(rng.normal(5, 2, 50)) for _ in range(4000)), strict=True)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.05)
    assert np.mean(errors) == pytest.approx(2 / math.sqrt(50), rel=0.02)


def test_one_picture_has_no_error():
    mean, error = mean_and_error([7.0])
    assert mean == 7.0
    assert math.isnan(error)
