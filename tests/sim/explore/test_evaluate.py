"""A design is its prediction, its costs and what it misses; rows come back as layers."""

import json

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.energy import frame_energy, load_energies
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.explore.evaluate import Task, predict_rows
from mnv2.sim.explore.lanes import lane_use
from tests.sim.explore.small import prepare_small, small_network


@pytest.fixture(scope="module")
def prepared():
    return prepare_small(device="ZU9EG", limits={"fps": 1.0})


def candidate_of(prepared, **values):
    point = {**next(iter(prepared.space.points())), **values}
    return prepared.judge.candidate(point)


def complete(prepared, candidate, bytes_per_cycle=0):
    # As the journal gives them back.
    text = json.dumps(
        predict_rows(prepared.network, prepared.judge.task(candidate, bytes_per_cycle))
    )
    return prepared.judge.complete(candidate, json.loads(text)["rows"], bytes_per_cycle)


@pytest.mark.parametrize(
    "values", [{}, {"outputs": 24, "inputs": 8, "pixels": 4}, {"map_share": 1.0, "data_bits": 128}]
)
def test_design_has_the_layers_of_the_model(prepared, values):
    candidate = candidate_of(prepared, **values)
    design = complete(prepared, candidate)
    layers = predict_network(prepared.network, design.config, latency=100)
    assert design.layers == layers
    assert design.cycles == sum(layer.cycles for layer in layers)
    assert design.dram_bytes == sum(layer.dram_bytes for layer in layers)
    assert design.frames_per_second * design.latency_seconds == pytest.approx(1)
    assert design.bandwidth == pytest.approx(design.dram_bytes / design.latency_seconds)
    assert design.resources == estimate_resources(design.config, "xcup")
    assert design.energy == frame_energy(
        layers, design.config, load_energies(), network=prepared.network
    )
    assert design.feasible


def test_slow_memory_is_predicted_as_such(prepared):
    candidate = candidate_of(prepared)
    design = complete(prepared, candidate, 2)
    assert design.layers == predict_network(
        prepared.network, design.config, latency=100, bytes_per_cycle=2
    )
    assert design.memory == {"latency": 100, "bytes_per_cycle": 2}
    assert prepared.judge.task(candidate, 2).key != prepared.judge.task(candidate).key


@pytest.mark.parametrize("preset", ["small", "base", "large"])
def test_no_frame_takes_less_than_its_ideal_cycles(preset):
    """Limits rule designs out before they are predicted."""
    config, network = PRESETS[preset], mobilenet_v2()
    ideal = sum(cycles for _, cycles, _ in lane_use(network, config))
    for latency in (2, 300):
        assert (
            sum(layer.cycles for layer in predict_network(network, config, latency=latency))
            >= ideal
        )


def test_what_is_missed_before_a_prediction_is_missed_after():
    for limits in (
        {"fps": 1e6},
        {"latency": 1e-6},
        {"dsp": 10.0},
        {"memory": 1000.0},
        {"luts": 100.0},
        {"bram": 5.0},
    ):
        prepared = prepare_small(limits=limits)
        candidate = candidate_of(prepared)
        assert set(candidate.violations) == set(limits)
        design = complete(prepared, candidate)
        assert not design.feasible
        for name, share in candidate.violations.items():
            assert design.violations[name] >= share > 0


def test_what_a_prediction_shows_is_missed_then():
    for limits in ({"bandwidth": 1e6}, {"energy": 1e-9}):
        prepared = prepare_small(limits=limits)
        candidate = candidate_of(prepared)
        assert candidate.violations == {}
        assert set(complete(prepared, candidate).violations) == set(limits)


def test_clock_of_a_point_is_its_own():
    prepared = prepare_small("clock_mhz=100,150")
    slow, fast = (candidate_of(prepared, clock_mhz=clock) for clock in (100.0, 150.0))
    assert (slow.clock_hz, slow.clock_from) == (100e6, "given")
    assert slow.key != fast.key
    assert prepared.judge.task(slow).key == prepared.judge.task(fast).key
    assert complete(prepared, fast).frames_per_second == pytest.approx(
        1.5 * complete(prepared, slow).frames_per_second
    )


def test_what_does_not_fit_has_a_reason():
    task = Task(PRESETS["tiny"], 100)
    assert "needs" in predict_rows(mobilenet_v2(), task)["failure"]
    assert "rows" in predict_rows(small_network(), task)
