"""The depthwise unit against the golden arithmetic."""

import numpy as np
import pytest

from mnv2.hw.standalone.depthwise import Depthwise
from tests.hw.convolutions import depthwise_case
from tests.hw.harness import check_conversion, simulate
from tests.hw.maps import Geometry

# channels, pixels, tile_words
LANES = [(1, 1, 1), (2, 2, 2), (4, 1, 1)]
MAPS = [
    Geometry(1, 1),
    Geometry(3, 5, 3),
    Geometry(4, 6, 1, 2, False, False),
    Geometry(5, 3, 2, 2),
    Geometry(4, 4, 3, 1, strips=(2, 1, 1)),
    Geometry(6, 7, 2, 2, strips=(1, 2)),
]


def check(seed, geometries, *, pixels, stall=0.0, reluctant=False, **parameters):
    """Compare random maps with golden; returns unit, case and trace."""
    unit = Depthwise(
        pixels=pixels,
        depth=max(map_.groups(pixels) * map_.words for map_ in geometries),
        words=max(map_.words for map_ in geometries),
        **parameters,
    )
    case = depthwise_case(unit, geometries, seed)
    trace = simulate(
        unit,
        case.inputs,
        case.outputs,
        seed=seed,
        deadline=case.deadline,
        stall=stall,
        reluctant=reluctant,
    )
    case.check(trace)
    return unit, case, trace


@pytest.mark.parametrize("stall", [0.4, {"i_weights": 0.9}, {"o": 0.7}])
@pytest.mark.parametrize(("channels", "pixels", "tile_words"), LANES)
def test_equal_to_golden(channels, pixels, tile_words, stall):
    check(1, MAPS, channels=channels, pixels=pixels, tile_words=tile_words, stall=stall)


def test_more_channels_than_taps():
    check(2, MAPS[:3], channels=10, pixels=1, stall=0.2)


@pytest.mark.parametrize(("weight_bits", "activation_bits"), [(4, 4), (4, 8), (8, 5)])
def test_bits(weight_bits, activation_bits):
    check(
        3,
        MAPS[1:4],
        channels=2,
        pixels=2,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        stall=0.2,
    )


@pytest.mark.parametrize(
    "parameters",
    [
        dict(packing="pixels", pixels=3),
        dict(packing="frames", frames=2, pixels=2),
        dict(frames=2, pixels=1),
        dict(packing="pixels", pixels=2, operand_bits=25),
        dict(packing="pixels", pixels=2, operand_bits=18, activation_bits=4),
        dict(packing="pixels", pixels=2, accumulator_bits=18),
    ],
)
@pytest.mark.parametrize("channels", [2, 4])
def test_products_that_share_a_multiplier(channels, parameters):
    check(10, MAPS[1:5], channels=channels, stall=0.2, **parameters)


def test_valid_does_not_wait_for_ready():
    check(4, MAPS[:4], channels=1, pixels=2, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize(("channels", "pixels", "tile_words"), LANES)
def test_latency_and_rate(channels, pixels, tile_words):
    unit, case, trace = check(5, MAPS, channels=channels, pixels=pixels, tile_words=tile_words)
    assert unit.latency == 7
    # One step a cycle, from the second cycle after the command on.
    first = trace.cycles["i_command"][case.command_of] + 2
    assert set(trace.cycles["o"] - first - case.step_of) == {unit.latency}


def test_latency_of_several_packed_sums():
    # Nine products of a channel: four, four and one.
    unit, case, trace = check(11, MAPS, channels=9, pixels=2, packing="pixels")
    assert unit.latency == 8
    first = trace.cycles["i_command"][case.command_of] + 2
    assert set(trace.cycles["o"] - first - case.step_of) == {8}


def test_one_word_a_cycle():
    *_, trace = check(6, [Geometry(4, 9, 2)], channels=1, pixels=1, tile_words=2)
    # In a row, an output word in every cycle; between rows, only the step that fills the windows.
    assert (np.diff(trace.cycles["o"].reshape(4, 9 * 2)) == 1).all()
    assert set(np.diff(trace.cycles["o"][:: 9 * 2])) == {(9 + 1) * 2}


def test_next_kernels_load_meanwhile():
    # The second map's kernels are in before the first map is; the last windows leave the line
    # buffer before the kernels change, and nothing else is lost.
    *_, trace = check(7, [Geometry(6, 6, 2)] * 2, channels=1, pixels=1)
    assert trace.cycles["i_weights"][-1] < trace.cycles["i_command"][0] + 10
    steps = 2 * 7 * 7
    assert np.diff(trace.cycles["i_command"]) == [steps + 5]


def test_command_waits_for_its_kernels():
    *_, trace = check(8, MAPS[:3], channels=1, pixels=2, stall={"i_weights": 0.95})
    last = np.cumsum([map_.words for map_ in MAPS[:3]]) - 1
    assert (trace.cycles["i_command"] > trace.cycles["i_weights"][last]).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (dict(channels=0), ValueError, "Channels must be a positive integer, not 0"),
        (dict(pixels="7"), TypeError, "Pixels must be a positive integer, not '7'"),
        (dict(tile_words=0), ValueError, "Tile words must be a positive integer, not 0"),
        (dict(depth=0), ValueError, "Depth must be a positive integer, not 0"),
        (dict(words=4097), ValueError, "Words must be an integer from 1 to 4096, not 4097"),
        (dict(weight_bits=9), ValueError, "Weight bits must be an integer from 4 to 8, not 9"),
        (
            dict(activation_bits=3),
            ValueError,
            "Activation bits must be an integer from 4 to 8, not 3",
        ),
        (dict(frames=3), ValueError, "Frames must be an integer from 1 to 2, not 3"),
        (
            dict(packing="frames"),
            ValueError,
            "Packing can be frames only with 2 frames, not 1",
        ),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Depthwise(**{**dict(channels=2, pixels=2, depth=4, words=2), **parameters})


def test_missing_kernels_stop_the_simulation():
    unit = Depthwise(channels=1, pixels=1, depth=4, words=2)
    case = depthwise_case(unit, [Geometry(2, 2, 2)], 9)
    layout = unit.i_command.payload.shape()
    command = layout.from_bits(case.inputs["i_command"][0])
    line = {name: command.line[name] for name, _ in command.line.shape()} | {"words": 3}
    case.inputs["i_command"][0] = layout.const({"line": line, "release": 1}).as_bits()
    case.inputs["i"].extend([0] * 4)
    with pytest.raises(AssertionError, match="No kernels for channel word 2"):
        simulate(unit, case.inputs, {"o": 12}, seed=9, deadline=400)


def test_conversion_and_multipliers():
    text = check_conversion(lambda: Depthwise(channels=1, pixels=2, depth=8, words=4))
    assert text.count(" * ") == 9 * 1 * 2
