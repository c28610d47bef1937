"""The pointwise unit against the golden arithmetic."""

import numpy as np
import pytest

from mnv2.hw.standalone.pointwise import Pointwise
from tests.hw.convolutions import pointwise_case
from tests.hw.harness import check_conversion, simulate

# inputs, outputs, pixels
LANES = [(1, 1, 1), (2, 6, 1), (4, 8, 2)]
# (groups of each command), input words, output words: sums of one step, partial tiles, kept weights
LAYERS = [((2,), 1, 1), ((1, 2), 4, 5), ((3,), 2, 6), ((1, 1, 1), 3, 2), ((2,), 5, 4)]


def check(seed, layers, *, inputs, outputs, stall=0.0, reluctant=False, **parameters):
    """Compare random layers with golden; returns unit, case and trace."""
    tile_words = outputs // inputs
    unit = Pointwise(
        inputs=inputs,
        outputs=outputs,
        weight_words=max(words * -(-given // tile_words) for _, words, given in layers),
        **parameters,
    )
    case = pointwise_case(unit, layers, seed)
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
@pytest.mark.parametrize(("inputs", "outputs", "pixels"), LANES)
def test_equal_to_golden(inputs, outputs, pixels, stall):
    check(1, LAYERS, inputs=inputs, outputs=outputs, pixels=pixels, stall=stall)


def test_base_lanes():
    check(2, [((2,), 6, 10)], inputs=4, outputs=16, pixels=7, stall=0.2)


@pytest.mark.parametrize(("weight_bits", "activation_bits"), [(4, 4), (4, 8), (8, 5)])
def test_bits(weight_bits, activation_bits):
    check(
        3,
        LAYERS,
        inputs=2,
        outputs=4,
        pixels=1,
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
        dict(packing="pixels", pixels=2, accumulator_bits=16),
    ],
)
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 6), (4, 8)])
def test_products_that_share_a_multiplier(inputs, outputs, parameters):
    check(10, LAYERS, inputs=inputs, outputs=outputs, stall=0.2, **parameters)


def test_valid_does_not_wait_for_ready():
    check(4, LAYERS, inputs=2, outputs=4, pixels=1, reluctant=True, stall={"o": 0.3})


@pytest.mark.parametrize(("inputs", "outputs", "pixels"), LANES)
def test_latency(inputs, outputs, pixels):
    # Sums of at least as many steps as a tile has words: the output is never the limit.
    tile_words = outputs // inputs
    unit, case, trace = check(
        5,
        [((2, 1), tile_words + 1, 2 * tile_words), ((3,), tile_words, 1)],
        inputs=inputs,
        outputs=outputs,
        pixels=pixels,
    )
    assert unit.latency == 6
    first = trace.cycles["i_command"][case.command_of] + 1
    expected = first + case.step_of + unit.latency
    words = np.array([word for word, _, _ in case.expected])
    # The words of a tile follow each other.
    assert (trace.cycles["o"] >= expected).all()
    np.testing.assert_array_equal(trace.cycles["o"], expected + words % tile_words)


def test_latency_of_several_packed_sums():
    unit, case, trace = check(11, [((3,), 4, 1)], inputs=6, outputs=6, pixels=2, packing="pixels")
    assert unit.latency == 7
    first = trace.cycles["i_command"][case.command_of] + 1
    assert set(trace.cycles["o"] - first - case.step_of) == {7}


@pytest.mark.parametrize(("inputs", "outputs", "pixels"), LANES)
def test_one_step_a_cycle(inputs, outputs, pixels):
    # Between tiles, groups, commands, and sets of weights that were loaded meanwhile.
    tile_words = outputs // inputs
    layers = [
        ((4, 3), tile_words, 2 * tile_words),
        ((4,), tile_words + 1, tile_words + 1),
        ((2, 2), tile_words, 3 * tile_words),
    ]
    *_, trace = check(6, layers, inputs=inputs, outputs=outputs, pixels=pixels)
    assert set(np.diff(trace.cycles["i"])) == {1}


def test_one_output_word_a_cycle():
    # Tiles of more words than the sum has steps: the output is the limit, and it is never idle.
    *_, trace = check(7, [((6,), 2, 8)], inputs=1, outputs=4, pixels=1)
    assert set(np.diff(trace.cycles["o"])) == {1}


def test_command_waits_for_its_weights():
    *_, trace = check(8, LAYERS, inputs=1, outputs=1, pixels=1, stall={"i_weights": 0.95})
    last = np.cumsum([words * given for _, words, given in LAYERS]) - 1
    commands = np.cumsum([0] + [len(groups) for groups, _, _ in LAYERS[:-1]])
    assert (trace.cycles["i_command"][commands] > trace.cycles["i_weights"][last]).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (dict(inputs=0), ValueError, "Inputs must be a positive integer, not 0"),
        (dict(outputs=2.0), TypeError, "Outputs must be a positive integer, not 2.0"),
        (dict(pixels=-1), ValueError, "Pixels must be a positive integer, not -1"),
        (dict(outputs=5), ValueError, r"Outputs must be a multiple of inputs \(2\), not 5"),
        (dict(weight_words=0), ValueError, "Weight words must be a positive integer, not 0"),
        (dict(weight_bits=3), ValueError, "Weight bits must be an integer from 4 to 8, not 3"),
        (
            dict(activation_bits=True),
            TypeError,
            "Activation bits must be an integer from 4 to 8, not True",
        ),
        (dict(frames=0), ValueError, "Frames must be an integer from 1 to 2, not 0"),
        (
            dict(operand_bits=18, packing="pixels"),
            ValueError,
            (
                "Packing must be none: a multiplier of 18 x 18 bits holds no two products of "
                "8-bit activations with a 8-bit weight"
            ),
        ),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        Pointwise(**{**dict(inputs=2, outputs=4, pixels=2, weight_words=8), **parameters})


def test_missing_weights_stop_the_simulation():
    unit = Pointwise(inputs=1, outputs=1, pixels=1, weight_words=2)
    case = pointwise_case(unit, [((1,), 2, 1)], 9)
    command = {"groups": 1, "input_words": 3, "output_words": 1, "release": 1}
    case.inputs["i_command"][0] = unit.i_command.payload.shape().const(command).as_bits()
    case.inputs["i"].append(0)
    with pytest.raises(AssertionError, match="No weights at address 2"):
        simulate(unit, case.inputs, case.outputs, seed=9, deadline=100)


def test_conversion_and_multipliers():
    text = check_conversion(lambda: Pointwise(inputs=2, outputs=4, pixels=1, weight_words=8))
    assert text.count(" * ") == 4 * 2 * 1
