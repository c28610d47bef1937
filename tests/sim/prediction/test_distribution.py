"""Distributions over seeds, and the test that a prediction of a mean passes or fails."""

import random
from statistics import NormalDist

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.prediction.distribution import (
    Spread,
    _student,
    column_spreads,
    draw,
    holds,
    seeds_from,
    spread_of,
)
from mnv2.sim.prediction.figures import figures, total_figures
from tests.sim.rtl.machines import network_of

NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 33, classes=40)
MEMORY = {"latency": 40, "bytes_per_cycle": 0, "stall_percent": 30}


def test_spread_of_known_values():
    assert spread_of(range(101)) == Spread(101, 50.0, pytest.approx(29.3002, abs=1e-4), 5.0, 95.0)
    assert spread_of([7, 7, 7]) == Spread(3, 7.0, 0.0, 7.0, 7.0)


def test_one_value_has_no_spread():
    with pytest.raises(ValueError, match="two values or more, not 1"):
        spread_of([3])


def test_draws_are_the_model_with_each_seed():
    config, done = PRESETS["tiny"], []
    draws = draw(
        NETWORK, config, **MEMORY, seeds=[5, 6, 7], drawn=lambda *progress: done.append(progress)
    )
    assert draws == [predict_network(NETWORK, config, **MEMORY, seed=seed) for seed in (5, 6, 7)]
    assert done == [(1, 3), (2, 3), (3, 3)]
    spreads = column_spreads(draws)
    assert list(spreads) == [*(row.name for row in draws[0]), "total"]
    cycles = [sum(row.cycles for row in rows) for rows in draws]
    assert spreads["total"]["cycles"] == spread_of(cycles)
    assert spreads["total"]["cycles"].deviation > 0
    assert list(spreads["stem"]) == list(figures(draws[0][0])) == list(total_figures(draws[0]))


def test_behind_the_last_seed_comes_the_first():
    assert seeds_from(7, 3) == [7, 8, 9]
    assert seeds_from(2**32 - 2, 4) == [2**32 - 2, 2**32 - 1, 1, 2]
    for seed in seeds_from(2**32 - 1, 2):
        assert predict_network(NETWORK, PRESETS["tiny"], **MEMORY, seed=seed)


@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [
        # Tables of Student's distribution.
        (0.995, 10, 3.169),
        (0.995, 31, 2.744),
        (0.9995, 30, 3.646),
        (0.975, 60, 2.000),
    ],
)
def test_student(probability, freedom, value):
    assert _student(probability, freedom) == pytest.approx(value, abs=0.002)


def test_means_of_one_law_hold_and_another_law_does_not():
    """1,000 times the same law: at most some 1 % fail. Three deviations off: nearly all do."""
    rng = random.Random(1)
    law = NormalDist(1000, 20)
    fail = {0: 0, 60: 0}
    for _ in range(1000):
        values = [round(law.inv_cdf(rng.random())) for _ in range(40)]
        for shift, count in fail.items():
            other = spread_of([value + shift for value in values[32:]])
            fail[shift] = count + (not holds(spread_of(values[:32]), other, 1))
    assert fail[0] <= 25
    assert fail[60] >= 990


def test_what_does_not_vary_must_be_equal():
    fixed = spread_of([100] * 12)
    assert holds(fixed, spread_of([100, 100]), 20)
    assert not holds(fixed, spread_of([100, 101]), 20)
