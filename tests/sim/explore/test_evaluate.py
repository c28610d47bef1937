"""A design is its prediction, its costs and what it misses; rows come back as layers."""

import dataclasses
import json

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.energy import frame_energy, load_energies
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.explore.design import design_key
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


def test_a_part_is_predicted_at_the_clock_of_each_design():
    prepared = prepare_small(memory="sdr-sdram-x16", clock_mhz=150)
    designs = [
        complete(prepared, candidate_of(prepared, **clock)) for clock in ({}, {"clock_mhz": 60})
    ]
    for design, clock_hz in zip(designs, (150e6, 60e6), strict=True):
        assert design.memory["part"] == "sdr-133x16"
        assert design.memory["part_clock_hz"] == design.clock_hz == clock_hz
        assert design.layers == predict_network(
            prepared.network, design.config, part="sdr-133x16", part_clock_hz=clock_hz
        )
        assert prepared.judge.short_bandwidth(design) == 0
    assert designs[0].cycles > designs[1].cycles
    assert prepared.judge.task(designs[0]).key != prepared.judge.task(designs[1]).key


def test_a_part_that_is_not_one_is_refused():
    with pytest.raises(UserError, match="no memory part 'sdr-9'"):
        prepare_small(memory="sdr-9")


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


def test_two_frames_abreast_take_the_cycles_of_one_program(prepared):
    values = {"data_bits": 512, "map_share": 1.0}
    one, two = (
        complete(prepared, candidate_of(prepared, frames=frames, **values)) for frames in (1, 2)
    )
    assert two.frames_per_second == pytest.approx(2 * two.clock_hz / two.cycles)
    assert two.frames_per_second > 1.8 * one.frames_per_second
    assert two.latency_seconds == pytest.approx(two.cycles / two.clock_hz)
    assert two.dram_bytes == pytest.approx(two.total.dram_bytes / 2, abs=1)
    assert two.bandwidth == pytest.approx(two.total.dram_bytes / two.latency_seconds)
    assert two.lanes == f"{one.lanes}x2"
    # Weights, parameters and kernels are read once for both.
    both, alone = (design.energy.by_operation for design in (two, one))
    for name in ("read weights", "read 3x3 kernels", "read parameters"):
        assert both[name] == pytest.approx(alone[name] / 2)
    for name in ("multiply-accumulate", "requantise", "residual addition", "write results"):
        assert both[name] == pytest.approx(alone[name])


def test_frames_abreast_count_before_a_prediction():
    prepared = prepare_small(limits={"fps": 1e6})
    one, two = (candidate_of(prepared, frames=frames).violations["fps"] for frames in (1, 2))
    assert 1 - two == pytest.approx(2 * (1 - one))


@pytest.mark.parametrize(
    ("device", "operand_bits", "packs"),
    [
        ("ZU9EG", 27, True),
        (None, 27, True),
        ("Zynq-7045", 25, True),
        ("ECP5-85", 18, False),
        ("iCE40UP5K", 18, False),
    ],
)
def test_pairs_are_packed_for_the_device(device, operand_bits, packs):
    prepared = prepare_small(device=device)
    values = {"pixels": 4, "residual_lanes": 4}
    plain = candidate_of(prepared, **values)
    assert plain.config.operand_bits == operand_bits
    if packs:
        packed = candidate_of(prepared, packing="pixels", **values)
        assert plain.resources.dsp - packed.resources.dsp == 12 * 4 * 2
    else:
        with pytest.raises(ValueError, match="18 x 18 bits holds no two products"):
            candidate_of(prepared, packing="pixels", **values)
        with pytest.raises(
            ValueError, match="^the multipliers of Lattice .* pairs are packed into 27"
        ):
            candidate_of(prepared, packing="pixels", operand_bits=27, **values)


def test_every_field_is_in_the_name():
    """Designs that differ are two designs, in the journal too."""
    config = dataclasses.replace(PRESETS["tiny"], outputs=24, queue_words=64)
    other = {
        "packing": "none",
        "operand_bits": 25,
        "requantize": "single",
        "map_ram": "ultra",
        "weight_ram": "ultra",
        "frames": 2,
        "outputs": 32,
        "weight_bits": 7,
        "activation_bits": 7,
        "accumulator_bits": 28,
        "data_bits": 128,
        "lut_outputs": 3,
    }
    for name, value in dataclasses.asdict(config).items():
        changed = not value if isinstance(value, bool) else other.get(name, 2 * value)
        two = dataclasses.replace(config, **{name: changed})
        assert design_key(config, 1e8) != design_key(two, 1e8), name
        assert Task(config, 100).key != Task(two, 100).key, name


def test_what_does_not_fit_has_a_reason():
    task = Task(PRESETS["tiny"], 100)
    assert "needs" in predict_rows(mobilenet_v2(), task)["failure"]
    assert "rows" in predict_rows(small_network(), task)
