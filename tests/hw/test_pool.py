"""The pool held to golden: sizes, tails, tiles, zero points, stalls."""

import numpy as np
import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.ops import mean
from mnv2.golden.quantize import mean_record
from mnv2.hw.pool import Pool
from tests.hw.harness import check_conversion, pack_items, simulate, unpack_items

TAG = 16


class Fixed(wiring.Component):
    """A pool whose parameters do not change."""

    def __init__(self, record, **parameters):
        self._pool = Pool(tag_shape=TAG, **parameters)
        self._record = record
        super().__init__({name: self._pool.signature.members[name] for name in "io"})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pool = pool = self._pool
        record = self._record
        connect(m, flipped(self.i), pool.i)
        connect(m, pool.o, flipped(self.o))
        m.d.comb += [
            pool.parameters.bias.eq(-record.count * record.input_zero_point),
            pool.parameters.multiplier.eq(int(record.multiplier)),
            pool.parameters.shift.eq(int(record.shift)),
            pool.range.zero_point.eq(record.output_zero_point),
            pool.range.minimum.eq(record.minimum),
            pool.range.maximum.eq(record.maximum),
        ]
        return m


def items_of(layout, maps, lanes, pixels, tile_words):
    """Items for maps in turn, int8 [H, W, C] of as many channels as a tile has or fewer.

    Lanes beyond the row carry other values than zero, as they do after the head.
    """
    fields = {name: [] for name in ("word", "tile_word", "valid", "first", "last", "tag")}
    for number, activation in enumerate(maps):
        rows, width, channels = activation.shape
        groups, words = -(-width // pixels), channels // lanes
        padded = np.full((rows, groups * pixels, channels), -7, np.int8)
        padded[:, :width] = activation
        for row in range(rows):
            for group in range(groups):
                for word in range(words):
                    fields["word"].append(
                        padded[
                            row,
                            group * pixels : (group + 1) * pixels,
                            word * lanes : (word + 1) * lanes,
                        ]
                    )
                    fields["tile_word"].append(word)
                    fields["valid"].append(min(pixels, width - group * pixels))
                    fields["first"].append(row == 0 and group == 0)
                    fields["last"].append(row == rows - 1 and group == groups - 1)
                    fields["tag"].append(number * tile_words + word)
    return pack_items(layout, {name: np.array(values) for name, values in fields.items()})


@pytest.mark.parametrize("stall", [0, {"i": 0.3, "o": 0.6}], ids=["free", "stalls"])
@pytest.mark.parametrize(
    ("lanes", "pixels", "tile_words", "bits", "size"),
    [
        (1, 1, 1, 8, (1, 1)),
        (1, 1, 1, 8, (5, 4)),
        (4, 2, 3, 8, (1, 1)),
        (4, 2, 3, 8, (3, 5)),
        (2, 7, 2, 8, (7, 7)),
        (3, 3, 2, 6, (3, 8)),
        (4, 2, 1, 4, (5, 1)),
    ],
)
def test_equal_to_golden(lanes, pixels, tile_words, bits, size, stall):
    rng = np.random.default_rng([lanes, *size])
    low, high = signed_range(bits)
    zero_point = int(rng.integers(low, high + 1))
    record = mean_record(
        "pool",
        size[0] * size[1],
        0.02,
        zero_point,
        0.013,
        int(rng.integers(low // 2, high // 2)),
        low + 1,
        high - 1,
        bits,
    )
    # The mean of many uniform values says little: each channel has a centre of its own.
    words = [int(rng.integers(1, tile_words + 1)) for _ in range(4)]
    maps = []
    for count in words:
        centre = rng.integers(low, high + 1, (1, 1, count * lanes))
        noise = rng.integers(low // 4, high // 4 + 1, (*size, count * lanes))
        maps.append(np.clip(centre + noise, low, high).astype(np.int8))
    expected = np.concatenate(
        [
            mean(
                activation,
                zero_point,
                record.multiplier,
                record.shift,
                record.output_zero_point,
                record.minimum,
                record.maximum,
            ).reshape(-1, lanes)
            for activation in maps
        ]
    )
    unit = Fixed(record, channels=lanes, pixels=pixels, tile_words=tile_words, activation_bits=bits)
    items = items_of(unit.i.payload.shape(), maps, lanes, pixels, tile_words)
    trace = simulate(unit, {"i": items}, {"o": len(expected)}, seed=3, stall=stall)
    results = unpack_items(unit.o.payload.shape(), trace.items["o"])
    np.testing.assert_array_equal(results["means"], expected)
    tags = [
        number * tile_words + word for number, count in enumerate(words) for word in range(count)
    ]
    assert results["tag"].tolist() == tags
    if not stall:
        last = unpack_items(unit.i.payload.shape(), items)["last"].astype(bool)
        assert set(trace.cycles["o"] - trace.cycles["i"][last]) == {Pool.latency}
        assert set(np.diff(trace.cycles["i"])) <= {1}


@pytest.mark.parametrize("value", [-128, 127])
def test_largest_sums(value):
    """A map of the largest size whose every element is extreme does not overflow the sum."""
    record = mean_record("pool", 2**16, 0.02, 0, 0.02, 0)
    unit = Fixed(record, channels=1, pixels=64, tile_words=1)
    items = items_of(unit.i.payload.shape(), [np.full((256, 256, 1), value, np.int8)], 1, 64, 1)
    trace = simulate(unit, {"i": items}, {"o": 1}, seed=0)
    assert unpack_items(unit.o.payload.shape(), trace.items["o"])["means"].tolist() == [[value]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"channels": 0}, "Channels must be"),
        ({"pixels": 0}, "Pixels must be"),
        ({"tile_words": 0}, "Tile words must be"),
        ({"activation_bits": 9}, "Activation bits must be"),
    ],
)
def test_refuses(parameters, message):
    with pytest.raises(ValueError, match=message):
        Pool(**({"channels": 1, "pixels": 1, "tile_words": 1} | parameters))


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 7, 4)])
def test_conversion(shape):
    check_conversion(lambda: Pool(channels=shape[0], pixels=shape[1], tile_words=shape[2]))
