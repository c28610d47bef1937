"""The convolution units, with line buffer and array inside, in Verilator against golden."""

import numpy as np
import pytest

from mnv2.hw.standalone.depthwise import Depthwise
from mnv2.hw.standalone.pointwise import Pointwise
from tests.hw.convolutions import depthwise_case, pointwise_case
from tests.hw.maps import Geometry
from tests.hw.verilator.harness import compare, simulate

MAPS = [
    Geometry(1, 1),
    Geometry(9, 14, 3),
    Geometry(10, 16, 2, 2, False, False),
    Geometry(7, 3, 2, 2),
    Geometry(8, 8, 3, 1, strips=(2, 1, 5)),
    Geometry(6, 15, 1, 2, strips=(1, 2)),
]
# (groups of each command), input words, output words
LAYERS = [((2,), 1, 1), ((4, 7), 4, 5), ((5,), 2, 6), ((3, 2), 9, 8)]

# One lane, many of few bits, and pairs of products.
DEPTHWISE = [
    pytest.param(dict(channels=1, pixels=1, depth=42), id="1x1"),
    pytest.param(
        dict(channels=2, pixels=3, depth=15, tile_words=2, weight_bits=4, activation_bits=5),
        id="2x3",
    ),
    pytest.param(dict(channels=4, pixels=3, depth=15, packing="pixels"), id="pixels"),
    pytest.param(
        dict(channels=4, pixels=3, depth=15, frames=2, packing="frames", accumulator_bits=24),
        id="frames",
    ),
]
POINTWISE = [
    pytest.param(dict(inputs=1, outputs=1, pixels=1, weight_words=72), id="1x1x1"),
    pytest.param(
        dict(inputs=2, outputs=6, pixels=3, weight_words=27, weight_bits=4, activation_bits=5),
        id="2x6x3",
    ),
    pytest.param(
        dict(inputs=4, outputs=8, pixels=3, weight_words=36, packing="pixels"), id="pixels"
    ),
    pytest.param(
        dict(
            inputs=8,
            outputs=16,
            pixels=2,
            weight_words=36,
            frames=2,
            packing="frames",
            accumulator_bits=24,
        ),
        id="frames",
    ),
]
STALLS = {
    "free": {},
    "stalls": {"stall": 0.4},
    "slow_weights": {"stall": {"i_weights": 0.8}},
    "reluctant": {"stall": {"o": 0.5}, "reluctant": True},
}


def run(unit, make_case, stimulus, directory):
    """Run a unit with each kind of stalls; returns case and trace of the run without."""
    runs = {}
    for seed, (name, options) in enumerate(STALLS.items()):
        case = make_case(unit, stimulus, seed)
        trace = simulate(
            unit,
            case.inputs,
            case.outputs,
            seed=seed,
            directory=directory / name,
            deadline=case.deadline,
            **options,
        )
        case.check(trace)
        runs[name] = case, trace
    return runs["free"]


@pytest.mark.parametrize("parameters", DEPTHWISE)
def test_depthwise(parameters, tmp_path):
    unit = Depthwise(words=3, **parameters)
    case, trace = run(unit, depthwise_case, MAPS, tmp_path)
    first = trace.cycles["i_command"][case.command_of] + 2
    assert set(trace.cycles["o"] - first - case.step_of) == {unit.latency}


@pytest.mark.parametrize("parameters", POINTWISE)
def test_pointwise(parameters, tmp_path):
    unit = Pointwise(**parameters)
    run(unit, pointwise_case, LAYERS, tmp_path)
    # Tiles of no more words than the sum has steps, and weights that load meanwhile.
    words = unit.tile_words
    case = pointwise_case(unit, [((6, 4), 2 * words, 2 * words), ((5,), words, words)], 9)
    trace = simulate(
        unit, case.inputs, case.outputs, seed=9, directory=tmp_path / "rate", deadline=case.deadline
    )
    case.check(trace)
    assert set(np.diff(trace.cycles["i"])) == {1}


def test_simulators_agree_cycle_by_cycle(tmp_path):
    def make():
        return Depthwise(channels=1, pixels=1, depth=42, words=3)

    case = depthwise_case(make(), MAPS[:2], 10)
    compare(
        make,
        case.inputs,
        case.outputs,
        seed=10,
        directory=tmp_path,
        stall=0.3,
        deadline=case.deadline,
    )
