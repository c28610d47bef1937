"""Words as bytes: small examples written by hand, and back again at every width."""

from types import SimpleNamespace

import numpy as np
import pytest

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.packing import (
    pack_bits,
    pack_image,
    pack_map,
    pack_parameters,
    pack_taps,
    pack_weights,
    unpack_bits,
    unpack_map,
)

#: What packing reads of a configuration: two channels of two pixels a word; tiles of ten outputs.
#: Fewer lanes than an accelerator has, so that words can be written down.
SMALL = SimpleNamespace(outputs=10, inputs=2, pixels=2, weight_bits=8, activation_bits=8)


def few_bits(bits):
    return AcceleratorConfig(
        outputs=12, inputs=3, pixels=5, weight_bits=bits, activation_bits=bits, queue_words=16
    )


@pytest.mark.parametrize("bits", range(4, 9))
@pytest.mark.parametrize("count", [0, 1, 7, 8, 1001])
def test_bits_round_trip(bits, count):
    rng = np.random.default_rng(bits)
    values = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), count, dtype=np.int8)
    packed = pack_bits(values, bits)
    assert packed.dtype == np.uint8
    assert len(packed) == -(-count * bits // 8)
    np.testing.assert_array_equal(unpack_bits(packed.tobytes(), bits, count), values)


def test_bits_by_hand():
    # 4 bits: the first value in the lower half.
    assert pack_bits(np.array([1, -1, -8], np.int8), 4).tolist() == [0xF1, 0x08]
    # 5 bits: 00001 11111 10000, from the least significant bit on.
    assert pack_bits(np.array([1, -1, -16], np.int8), 5).tolist() == [0b111_00001, 0b0_10000_11]
    assert pack_bits(np.array([[-128, 127]], np.int8), 8).tolist() == [0x80, 0x7F]


@pytest.mark.parametrize(("value", "bits"), [(8, 4), (-9, 4), (16, 5), (64, 7), (-65, 7)])
def test_values_that_do_not_fit_are_refused(value, bits):
    with pytest.raises(ValueError, match=rf"Values must fit into {bits} bits, not {value}$"):
        pack_bits(np.array([0, value], np.int8), bits)


def test_map_by_hand():
    """[row][pixel group][channel word], in a word [pixel][channel]; empty lanes are zero."""
    # Row 0: pixels (1, 2, 3), (4, 5, 6), (7, 8, 9) of three channels.
    tensor = np.arange(1, 10, dtype=np.int8).reshape(1, 3, 3)
    assert pack_map(tensor, SMALL).tolist() == [1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 0, 0, 9, 0, 0, 0]


def test_image_by_hand():
    """Pixels with their three channels, without empty lanes; empty pixels at the end of a row."""
    image = np.arange(1, 19, dtype=np.int8).reshape(2, 3, 3)
    assert pack_image(image, SMALL).tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        0,
        0,
        0,
        10,
        11,
        12,
        13,
        14,
        15,
        16,
        17,
        18,
        0,
        0,
        0,
    ]


def test_weights_by_hand():
    """A word for each word of inputs, in each tile of outputs: [output][input]."""
    weights = np.arange(1, 34, dtype=np.int8).reshape(3, 11)  # [input, output]
    words = pack_weights(weights, SMALL).reshape(2, 2, 10, 2)
    np.testing.assert_array_equal(words[0, 0, :, 0], np.arange(1, 11))
    np.testing.assert_array_equal(words[0, 0, :, 1], np.arange(12, 22))
    np.testing.assert_array_equal(words[0, 1, :, 0], np.arange(23, 33))
    assert not words[0, 1, :, 1].any()
    assert words[1, 0].tolist() == [[11, 22]] + 9 * [[0, 0]]
    assert words[1, 1].tolist() == [[33, 0]] + 9 * [[0, 0]]


def test_taps_by_hand():
    weights = np.arange(27, dtype=np.int8).reshape(3, 3, 3)  # tap k of channel c: 3 k + c
    words = pack_taps(weights, SMALL).reshape(2, 2, 9)
    assert words[0].tolist() == [list(range(0, 27, 3)), list(range(1, 27, 3))]
    assert words[1].tolist() == [list(range(2, 27, 3)), 9 * [0]]


def test_parameters_by_hand():
    """9 bytes a channel: bias with the zero point folded in, multiplier, shift."""
    layer = SimpleNamespace(
        weights=np.array([[1, -2, 3], [4, 5, -6]], np.int8),
        bias=np.array([100, 0, -5], np.int32),
        input_zero_point=3,
        multiplier=np.array([2**30, 2**31 - 1, 1 << 30], np.int32),
        shift=np.array([7, -1, 31]),
    )
    words = pack_parameters(layer, SMALL).reshape(4, 9)
    assert words[0].tolist() == [85, 0, 0, 0, 0, 0, 0, 0x40, 7]  # 100 - 3 * 5
    assert words[1].tolist() == [0xF7, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF]
    assert words[2].tolist() == [4, 0, 0, 0, 0, 0, 0, 0x40, 31]  # -5 + 3 * 3
    assert not words[3].any()


def test_folded_bias_wraps():
    layer = SimpleNamespace(
        weights=np.full((4, 1), 127, np.int8),
        input_zero_point=-128,
        bias=np.array([2**31 - 1], np.int32),
        multiplier=np.array([2**30], np.int32),
        shift=np.array([0]),
    )
    bias = int.from_bytes(pack_parameters(layer, SMALL)[:4].tobytes(), "little")
    assert bias == (2**31 - 1 + 128 * 127 * 4) % 2**32


@pytest.mark.parametrize("bits", range(4, 9))
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 3), (4, 6, 7), (2, 11, 8)])
def test_maps_round_trip(bits, shape):
    config = few_bits(bits)
    rng = np.random.default_rng(bits)
    tensor = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape, dtype=np.int8)
    packed = pack_map(tensor, config)
    rows, groups, words = shape[0], -(-shape[1] // 5), -(-shape[2] // 3)
    assert len(packed) == -(-rows * groups * words * config.word_bits // 8)
    np.testing.assert_array_equal(unpack_map(packed.tobytes(), shape, config), tensor)


@pytest.mark.parametrize("bits", range(4, 9))
def test_weights_and_taps_keep_their_places(bits):
    """Element k of a word lies `bits * k` bits above its first."""
    config = few_bits(bits)
    rng = np.random.default_rng(bits)
    limit = 2 ** (bits - 1)
    weights = rng.integers(-limit, limit, (7, 25), dtype=np.int8)
    stream = int.from_bytes(pack_weights(weights, config).tobytes(), "little")
    taps = rng.integers(-limit, limit, (3, 3, 8), dtype=np.int8)
    tap_stream = int.from_bytes(pack_taps(taps, config).tobytes(), "little")

    def element(stream, place):
        value = stream >> bits * place & (1 << bits) - 1
        return value - (value >> bits - 1 << bits)

    for i in range(7):
        for o in range(25):
            word = (o // 12) * 3 + i // 3
            assert element(stream, (word * 12 + o % 12) * 3 + i % 3) == weights[i, o]
    for channel in range(8):
        for tap in range(9):
            assert element(tap_stream, channel * 9 + tap) == taps[tap // 3, tap % 3, channel]
