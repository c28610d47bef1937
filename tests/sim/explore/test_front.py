"""The front: against brute force, in any order; who is chosen of it."""

import itertools
import random
from dataclasses import replace
from math import log

import pytest

from mnv2.sim.explore.evaluate import predict_rows
from mnv2.sim.explore.front import balanced, find_front, objective_values, spread_choice
from mnv2.sim.explore.objectives import FIGURES, choose_objectives
from tests.sim.explore.small import prepare_small


@pytest.fixture(scope="module")
def designs():
    """Every design of the small space, predicted one by one."""
    prepared = prepare_small()
    made = []
    for point in prepared.space.points():
        try:
            candidate = prepared.judge.candidate(point)
        except ValueError:
            continue
        rows = predict_rows(prepared.network, prepared.judge.task(candidate))["rows"]
        made.append(prepared.judge.complete(candidate, rows))
    return made


def beats(one, other, objectives):
    """By the words of the definition."""
    pairs = [(figure.of(one), figure.of(other), figure.best) for figure in objectives]
    as_good = all(a >= b if best == "most" else a <= b for a, b, best in pairs)
    return as_good and any(a != b for a, b, _ in pairs)


@pytest.mark.parametrize(
    "names",
    [
        ("fps", "dsp", "bram"),
        ("fps",),
        ("latency", "energy"),
        ("bandwidth", "luts", "memory", "fps"),
    ],
)
def test_front_is_what_brute_force_finds(designs, names):
    objectives = choose_objectives(names)
    best = [one for one in designs if not any(beats(other, one, objectives) for other in designs)]
    front = find_front(designs, objectives)
    values = {tuple(row) for row in objective_values(best, objectives)}
    assert [tuple(row) for row in objective_values(front, objectives)] == sorted(values)
    assert [design.number for design in front] == list(range(1, len(front) + 1))
    assert 0 < len(front) < len(designs)


def test_order_changes_nothing(designs):
    objectives = choose_objectives(("fps", "dsp"))
    expected = [design.key for design in find_front(designs, objectives)]
    for seed in range(5):
        mixed = random.Random(seed).sample(designs, len(designs))
        assert [design.key for design in find_front(mixed, objectives)] == expected


def test_of_equal_designs_the_cheapest_is_kept(designs):
    """By DSPs alone many are equal."""
    objectives = choose_objectives(("dsp",))
    (kept,) = find_front(designs, objectives)
    equals = [design for design in designs if design.resources.dsp == kept.resources.dsp]
    assert len(equals) > 1
    assert kept.block_ram_18k == min(design.block_ram_18k for design in equals)


def test_what_misses_a_limit_is_not_on_it(designs):
    objectives = choose_objectives(("fps", "dsp"))
    first = find_front(designs, objectives)[0]
    others = [
        replace(design, violations={"dsp": 0.1}) if design.key == first.key else design
        for design in designs
    ]
    assert first.key not in {design.key for design in find_front(others, objectives)}
    assert (
        find_front([replace(design, violations={"dsp": 1}) for design in designs], objectives) == []
    )


def test_balanced_is_nearest_to_the_best_of_everything(designs):
    objectives = choose_objectives(("fps", "dsp"))
    front = find_front(designs, objectives)
    fps, dsp = ([figure.of(design) for design in front] for figure in objectives)

    def distance(design):
        slower = log(max(fps) / FIGURES["fps"].of(design)) / log(max(fps) / min(fps))
        larger = log(FIGURES["dsp"].of(design) / min(dsp)) / log(max(dsp) / min(dsp))
        return slower**2 + larger**2

    assert distance(balanced(front, objectives)) == min(map(distance, front))


def test_choice_is_spread(designs):
    objectives = choose_objectives(("fps", "dsp"))
    front = find_front(designs, objectives)
    chosen = spread_choice(front, objectives, 3)
    assert chosen[0] is balanced(front, objectives)
    assert len({design.key for design in chosen}) == 3
    ends = {front[0].key, front[-1].key}
    assert ends & {design.key for design in chosen[1:]}
    everything = spread_choice(front, objectives, 10**6)
    assert sorted(design.number for design in everything) == [one.number for one in front]
    assert spread_choice(front, objectives, 0) == spread_choice([], objectives, 3) == []
    for one, other in itertools.pairwise(range(1, 5)):
        assert spread_choice(front, objectives, other)[:one] == spread_choice(
            front, objectives, one
        )
