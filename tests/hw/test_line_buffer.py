"""The line buffer against windows cut from a padded map by numpy."""

import itertools

import numpy as np
import pytest

from mnv2.hw.line_buffer import LineBuffer
from tests.hw.harness import check_conversion, pack_items, simulate, unpack_items
from tests.hw.maps import Geometry, line_commands, map_words, output_words, windows


def check(geometries, seed, *, channels, pixels, tile_words, bits=8, stall=0.0, line=0):
    """Take in random maps one after the other and compare every window; returns the trace."""
    rng = np.random.default_rng(seed)
    depth = line + max(geometry.groups(pixels) * geometry.words for geometry in geometries)
    lanes = dict(channels=channels, pixels=pixels, tile_words=tile_words)
    unit = LineBuffer(depth=depth, activation_bits=bits, **lanes)
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    commands, words, expected = [], [], []
    for geometry in geometries:
        padding = int(rng.integers(low, high + 1))
        activation = rng.integers(
            low, high + 1, (geometry.rows, geometry.columns, geometry.words * channels)
        )
        commands += line_commands(geometry, pixels, padding, line)
        words += map_words(geometry, activation, filler=rng, **lanes)
        expected += output_words(geometry, windows(geometry, activation, padding), **lanes)

    inputs = {
        "i_command": [
            unit.i_command.payload.shape().const(command).as_bits() for command in commands
        ],
        "i": pack_items(unit.i.payload.shape(), np.concatenate(words)),
    }
    count = sum(map(len, expected))
    trace = simulate(
        unit,
        inputs,
        {"o": count},
        seed=seed,
        stall=stall,
        watch=unit.busy,
        deadline=200 + 6 * (count + len(inputs["i"])),
    )
    outputs = unpack_items(unit.o.payload.shape(), trace.items["o"])

    position = 0
    for index, command_outputs in enumerate(expected):
        for step, word, address, window in command_outputs:
            place = f"command {index}, step {step}, word {word}"
            assert outputs["word"][position] == word, place
            assert outputs["address"][position] == address, place
            # Windows beyond the end of the row may hold anything.
            got = outputs["window"][position, : len(window)]
            np.testing.assert_array_equal(got, window.reshape(got.shape), place)
            if stall == 0:
                # One step a cycle from the first on, two cycles after the command.
                first = trace.cycles["i_command"][index] + 2
                assert trace.cycles["o"][position] == first + step + LineBuffer.latency, place
            position += 1
    return trace


SIZES = [(1, 1), (2, 2), (3, 5), (4, 7), (5, 8), (3, 14), (4, 15), (5, 6)]
KERNELS = [(1, True, True), *((2, *pads) for pads in itertools.product((True, False), repeat=2))]


def geometries(sizes=SIZES, words=(1,)):
    """Maps of several sizes under every stride and padding that has an output."""
    maps = [
        Geometry(rows, columns, words[k % len(words)], stride, pad_top, pad_left)
        for k, (rows, columns) in enumerate(sizes)
        for stride, pad_top, pad_left in KERNELS
    ]
    return [map_ for map_ in maps if map_.output_rows > 0 and map_.output_columns > 0]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("channels", "pixels"), [(1, 1), (4, 1), (1, 2), (1, 7)])
def test_windows_of_every_geometry(channels, pixels, stall):
    check(geometries(), 1, channels=channels, pixels=pixels, tile_words=1, stall=stall)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("tile_words", [1, 2, 4])
def test_tiles_of_channel_words(tile_words, stall):
    # 1, 3, 5 and 6 words leave partial last tiles.
    check(
        geometries([(3, 5), (4, 6), (3, 2), (2, 4)], words=(3, 1, 5, 6)),
        2,
        channels=2,
        pixels=2,
        tile_words=tile_words,
        stall=stall,
    )


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("pixels", "tile_words"), [(1, 1), (2, 2), (7, 4)])
def test_strips_of_rows(pixels, tile_words, stall):
    # The upper rows of a strip's first windows came with the strip before.
    strips = [
        Geometry(7, 5, 3, 1, strips=(1, 3, 1, 2)),
        Geometry(7, 5, 3, 2, strips=(1, 1, 2)),
        Geometry(8, 6, 5, 2, False, False, (2, 1, 1)),
        Geometry(6, 9, 2, 1, strips=(5, 1)),
        Geometry(8, 8, 1, 2, strips=(1, 2, 1)),
        Geometry(7, 8, 3, 2, True, False, (1, 1, 2)),
        Geometry(8, 5, 4, 2, False, True, (2, 1, 1)),
    ]
    check(strips, 3, channels=1, pixels=pixels, tile_words=tile_words, stall=stall)


def test_place_in_line_memory():
    check([Geometry(4, 5, 3, 1, strips=(2, 2))], 8, channels=1, pixels=2, tile_words=2, line=5)


@pytest.mark.parametrize("bits", [4, 5, 8])
def test_activation_bits(bits):
    check(geometries([(3, 5), (4, 4)]), 4, channels=4, pixels=2, tile_words=1, bits=bits, stall=0.3)


def test_base_lanes():
    check(
        [Geometry(3, 9, 5), Geometry(4, 14, 2, 2)], 5, channels=4, pixels=7, tile_words=4, stall=0.2
    )


def test_latency():
    # From the last word of a window, not counted from the steps that only supply padding.
    geometry = Geometry(4, 4, 1, 2, True)
    trace = check([geometry], 6, channels=1, pixels=1, tile_words=1)
    completing = [row * 4 + column for row in (1, 3) for column in (1, 3)]
    latencies = trace.cycles["o"] - trace.cycles["i"][completing]
    assert latencies.tolist() == [LineBuffer.latency] * 4 == [2] * 4


def test_one_step_a_cycle():
    maps = [Geometry(6, 8, 2, 1), Geometry(6, 8, 2, 2)]
    trace = check(maps, 7, channels=1, pixels=2, tile_words=2)
    steps = 7 * 5 * 2
    # The second command waits for the last step of the first to leave stage 1, and settles.
    assert np.diff(trace.cycles["i_command"]).tolist() == [steps + 3]
    # Stride 1 gives a window in each step but those of the first row and the first group.
    assert len(trace.items["o"]) == 6 * 4 * 2 + 3 * 2 * 2
    # The second map has no step of padding alone, and not one idle cycle.
    assert set(np.diff(trace.cycles["i"][-6 * 4 * 2 :])) == {1}


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("channels", 0, ValueError, "Channels must be a positive integer, not 0"),
        ("pixels", "two", TypeError, "Pixels must be a positive integer, not 'two'"),
        ("tile_words", True, TypeError, "Tile words must be a positive integer, not True"),
        ("depth", -4, ValueError, "Depth must be a positive integer, not -4"),
        ("address_bits", 0, ValueError, "Address bits must be a positive integer, not 0"),
        ("activation_bits", 9, ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
    ],
)
def test_bad_parameters(name, value, error, message):
    parameters = dict(channels=1, pixels=1, tile_words=1, depth=4)
    with pytest.raises(error, match=f"^{message}$"):
        LineBuffer(**{**parameters, name: value})


def test_conversion():
    check_conversion(lambda: LineBuffer(channels=2, pixels=2, tile_words=2, depth=16))
