"""Tilings of many blocks on many machines: what they promise to the hardware, and refusals."""

import re
from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.network import build_block, build_network
from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.mapping.network_program import place_network
from mnv2.sim.mapping.tiling import (
    DoesNotFit,
    NotSupported,
    map_words,
    stem_steps,
    tile_block,
)

MESSAGE = re.compile(r"^(\S+) needs (\d+) ([\w ]+), but (\w+) is (\d+)$")


def draw_config(rng):
    """A machine with little memory."""
    inputs = int(rng.choice([3, 4, 8]))
    outputs = inputs * int(rng.choice([3, 4]))

    def words(low, high):
        return int(2 ** rng.uniform(np.log2(low), np.log2(high)))

    return AcceleratorConfig(
        outputs=outputs,
        inputs=inputs,
        pixels=int(rng.integers(1, 8)),
        queue_words=8,
        residual_lanes=inputs,
        map_words=words(50, 20_000),
        strip_words=words(30, 4000),
        line_words=words(50, 4000),
        weight_words=words(20, 8000),
        tap_words=words(8, 500),
        parameter_words=words(30, 1000),
    )


def draw_block(rng, padding="pytorch"):
    rows, width = (int(2 ** rng.uniform(0, 6.5)) for _ in range(2))
    if padding == "tensorflow":
        width = rows
    return build_block(
        1,
        (rows, width, int(rng.integers(1, 50))),
        int(rng.choice([1, 2, 6])),
        int(rng.integers(1, 50)),
        int(rng.choice([1, 2])),
        padding,
    )


def check(block, tiling, config, *, load, store, stem=None):
    """Rules that the sequencer relies on."""
    rows, groups, words = tiling.input_shape
    out_rows, out_groups, out_words = tiling.output_shape
    hidden = tiling.hidden_shape[2]
    stride, top = block.depthwise.stride, block.depthwise.padding[0][0]
    assert tiling.input_shape == map_words(block.input_shape, config)
    assert tiling.output_shape == map_words(block.output_shape, config)
    # Strips: all rows, none empty.
    assert (tiling.strips - 1) * tiling.strip_rows < out_rows <= tiling.strips * tiling.strip_rows
    assert tiling.strip_rows * out_groups * hidden <= config.strip_words
    # Rings of whole rows at the two ends of the map memory.
    assert 0 <= tiling.input_base < tiling.input_end <= config.map_words
    assert 0 <= tiling.output_base < tiling.output_end <= config.map_words
    assert tiling.input_end <= tiling.output_base or tiling.output_end <= tiling.input_base
    assert tiling.input_ring_rows <= rows
    if not (load or stem):
        assert tiling.input_ring_rows == rows
    if not store:
        assert tiling.output_ring_rows == out_rows
    # Strip by strip: something is taken in, all that is needed is there at a time, and results
    # of the strip before may still be on their way out.
    taken = 0
    for strip in range(tiling.strips):
        first = strip * tiling.strip_rows
        end = min(first + tiling.strip_rows, out_rows)
        needed = min(rows, end + 1 if stride == 1 else 2 * end + 1 - top)
        assert needed > taken, "A strip that takes in no row"
        oldest = first if block.residual else taken
        assert needed - oldest <= tiling.input_ring_rows
        taken = needed
        assert min(tiling.strip_rows, out_rows) <= tiling.output_ring_rows
    assert taken == rows

    # Weights that are used again stay; others one tile at a time.
    def tiles(count):
        return -(-count // config.tile_words)

    layers = [(hidden, out_words)] + ([(words, hidden)] if block.expand else [])
    stem_weights = stem_steps(stem, config) * tiles(words) if stem else 0
    weights = (
        max([stem_weights, *(n for n, _ in layers)])
        if tiling.strips == 1
        else stem_weights + sum(n * tiles(m) for n, m in layers)
    )
    assert weights <= config.weight_words
    assert hidden <= config.tap_words
    assert groups * hidden <= config.line_words


@pytest.mark.parametrize("seed", range(8))
def test_tilings_hold_what_they_promise(seed):
    rng = np.random.default_rng(seed)
    fits, strips, named = 0, set(), set()
    for _ in range(300):
        config = draw_config(rng)
        block = draw_block(rng, str(rng.choice(["pytorch", "tensorflow"])))
        place = {"load": bool(rng.integers(2)), "store": bool(rng.integers(2))}
        try:
            tiling = tile_block(block, config, input_on_top=bool(rng.integers(2)), **place)
        except DoesNotFit as error:
            name, needed, _, buffer, size = MESSAGE.match(str(error)).groups()
            assert name == "block1"
            assert int(needed) > int(size)
            assert int(size) == getattr(config, buffer)
            named.add(buffer)
            continue
        fits += 1
        strips.add(min(tiling.strips, 4))
        check(block, tiling, config, **place)
    assert fits > 50
    assert strips == {1, 2, 3, 4}
    assert named >= {
        "map_words",
        "strip_words",
        "line_words",
        "weight_words",
        "tap_words",
        "parameter_words",
    }


def test_more_of_what_is_missing_helps():
    """The named size is enough for the named need: with it, another or no need is named."""
    rng, helped = np.random.default_rng(3), 0
    for _ in range(200):
        config, block = draw_config(rng), draw_block(rng)
        for _ in range(30):
            try:
                tile_block(block, config)
                helped += 1
                break
            except DoesNotFit as error:
                _, needed, _, buffer, _ = MESSAGE.match(str(error)).groups()
                config = replace(config, **{buffer: int(needed)})
        else:
            raise AssertionError(f"{block.name} asks for more without end: {config}")
    assert helped == 200


@pytest.mark.parametrize(
    ("buffer", "size", "message"),
    [
        ("map_words", 100, r"block1 needs \d+ words of maps, but map_words is 100$"),
        (
            "strip_words",
            9,
            "block1 needs 80 words of a row of depthwise outputs, but strip_words is 9",
        ),
        (
            "line_words",
            79,
            "80 words for a row of each map in the line buffer, but line_words is 79",
        ),
        ("tap_words", 7, "block1 needs 8 words of 3x3 kernels, but tap_words is 7"),
        ("parameter_words", 18, "block1 needs 20 words of parameters, but parameter_words is 18"),
        ("weight_words", 7, "block1 needs 8 words of weights, but weight_words is 7"),
    ],
)
def test_refusals(buffer, size, message):
    block = build_block(1, (20, 20, 16), 2, 16, 1)
    with pytest.raises(DoesNotFit, match=message):
        tile_block(block, replace(PRESETS["tiny"], **{buffer: size}))


@pytest.mark.parametrize("columns", [5, 6])
def test_rows_of_a_strip_follow_from_the_padding_above_alone(columns):
    """TensorFlow's padding above five rows is PyTorch's, to the left of six columns it is not."""
    pytorch, tensorflow = (
        tile_block(build_block(1, (5, columns, 4), 2, 4, 2, padding), PRESETS["tiny"])
        for padding in ("pytorch", "tensorflow")
    )
    assert tensorflow == pytorch


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stem_stride": 1}, "stem needs stride 1, but a stem has stride 2"),
        ({"input_channels": 4}, "stem needs an image of 4 channels, but images have at most 3"),
        (
            {"input_size": (4096, 9)},
            "stem needs .* rows of the image|rows, but a descriptor's field",
        ),
    ],
)
def test_stems_that_are_refused(options, message):
    network = build_network(
        [(1, 8, 1, 1)],
        **({"stem_channels": 8, "head_channels": 8, "classes": 3, "input_size": 9} | options),
    )
    with pytest.raises(NotSupported, match=message) as caught:
        place_network(network, PRESETS["tiny"])
    assert caught.value.advice == f"{caught.value}."  # no option helps


@pytest.mark.parametrize("channels", [1, 2])
def test_an_image_of_fewer_channels_takes_what_one_of_three_does(channels):
    stems = [
        build_network(
            [(1, 8, 1, 1)],
            stem_channels=8,
            head_channels=8,
            classes=3,
            input_size=9,
            input_channels=n,
        ).stem
        for n in (channels, 3)
    ]
    assert len({stem_steps(stem, PRESETS["tiny"]) for stem in stems}) == 1
