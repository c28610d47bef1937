"""Words as bytes: small examples written by hand, and back again at every width."""

from types import SimpleNamespace

import numpy as np
import pytest

from mnv2.hw.config import AcceleratorConfig
from mnv2.hw.stream_layout import dense_layout, padded_layout
from mnv2.sim.mapping.packing import (
    pack_bits,
    pack_image,
    pack_map,
    pack_parameters,
    pack_taps,
    pack_weights,
    pad_stem,
    place_words,
    take_words,
    unpack_bits,
    unpack_map,
)

#: What packing reads of a configuration: two channels of two pixels a word; tiles of ten outputs.
#: Fewer lanes than an accelerator has, so that words can be written down.
SMALL = SimpleNamespace(
    outputs=10,
    inputs=2,
    pixels=2,
    frames=1,
    weight_bits=8,
    activation_bits=8,
    accumulator_bits=32,
    streams={"activations": dense_layout(32, 64), "image": dense_layout(48, 64)},
)
#: The same with two frames.
ABREAST = SimpleNamespace(
    **vars(SMALL)
    | {
        "frames": 2,
        "streams": {"activations": dense_layout(64, 64), "image": dense_layout(96, 64)},
    }
)
#: Dense, padded words, padded beats, several words in whole beats; no widths of whole bytes.
LAYOUTS = [
    dense_layout(24, 64),
    padded_layout(24, 64),
    padded_layout(40, 16),
    padded_layout(13, 64),
    padded_layout(21, 16, 3),
    dense_layout(13, 16),
    padded_layout(36, 16),
]


def few_bits(bits, **options):
    return AcceleratorConfig(
        outputs=12,
        inputs=3,
        pixels=5,
        weight_bits=bits,
        activation_bits=bits,
        queue_words=16,
        residual_lanes=3,
        **options,
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


@pytest.mark.parametrize("channels", [1, 2])
def test_an_image_of_fewer_channels_is_followed_by_zeros(channels):
    rng = np.random.default_rng(channels)
    image = rng.integers(-128, 128, (3, 5, channels)).astype(np.int8)
    weights = rng.integers(-128, 128, (3, 3, channels, 4)).astype(np.int8)
    three = np.concatenate([image, np.zeros((3, 5, 3 - channels), np.int8)], axis=2)
    np.testing.assert_array_equal(pack_image(image, SMALL), pack_image(three, SMALL))
    padded = pad_stem(weights)
    assert padded.shape == (3, 3, 3, 4)
    np.testing.assert_array_equal(padded[:, :, :channels], weights)
    assert not padded[:, :, channels:].any()


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


def test_map_of_two_frames_by_hand():
    """In a word [pixel][frame][channel]."""
    first = np.arange(1, 7, dtype=np.int8).reshape(1, 2, 3)
    maps = [first, first + 10]
    packed = pack_map(maps, ABREAST)
    # Two channels of (1, 2, 3) and (4, 5, 6) of either frame, then the third of each.
    assert packed.tolist() == [1, 2, 11, 12, 4, 5, 14, 15, 3, 0, 13, 0, 6, 0, 16, 0]
    found = unpack_map(packed.tobytes(), (1, 2, 3), ABREAST)
    np.testing.assert_array_equal(found, maps)


def test_image_of_two_frames_by_hand():
    image = np.arange(1, 10, dtype=np.int8).reshape(1, 3, 3)
    words = [1, 2, 3, 21, 22, 23, 4, 5, 6, 24, 25, 26, 7, 8, 9, 27, 28, 29, *6 * [0]]
    assert pack_image((image, image + 20), ABREAST).tolist() == words


@pytest.mark.parametrize("pack", [pack_map, pack_image])
def test_frames_that_are_not_two_are_refused(pack):
    with pytest.raises(ValueError, match="^Tensors must be 2, one for each frame, not 3$"):
        pack(np.zeros((3, 1, 2, 3), np.int8), ABREAST)


def test_words_in_their_places_by_hand():
    def number(data):
        return int.from_bytes(data.tobytes(), "little")

    data = np.array([0x21, 0x43, 0x65, 0x87, 0xA9], np.uint8)
    # Words of 8 bits, four of them in a beat.
    assert place_words(data, 5, padded_layout(8, 32)).tolist() == data.tolist()
    # Words of 10 bits, three in 30 bits of a beat.
    placed = place_words(data, 4, padded_layout(10, 32))
    assert len(placed) == 8
    assert number(placed[:4]) == 0x321 | 0x150 << 10 | 0x076 << 20
    assert number(placed[4:]) == 0x2A6
    # A word of 40 bits in three beats of 16 that carry 14.
    placed = place_words(data, 1, padded_layout(40, 16))
    whole = number(data)
    assert [number(placed[k : k + 2]) for k in (0, 2, 4)] == [
        whole & 0x3FFF,
        whole >> 14 & 0x3FFF,
        whole >> 28,
    ]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("words", [0, 1, 2, 3, 40])
def test_words_in_their_places(words, layout):
    """Bit `i` of word `k` is the stream's bit `k * taken_bits + i`, cut into beats."""
    rng = np.random.default_rng(words)
    values = [
        int.from_bytes(rng.bytes(16), "little") >> 128 - layout.word_bits for _ in range(words)
    ]
    dense = sum(value << layout.word_bits * k for k, value in enumerate(values))
    data = np.frombuffer(dense.to_bytes(-(-words * layout.word_bits // 8), "little"), np.uint8)
    placed = place_words(data, words, layout)
    assert len(placed) == layout.memory_bytes(words)
    memory = int.from_bytes(placed.tobytes(), "little")
    stream = 0
    for k in range(layout.beats(words)):
        beat = memory >> k * layout.data_bits & (1 << layout.data_bits) - 1
        assert beat < 1 << layout.beat_bits
        stream |= beat << k * layout.beat_bits
    assert stream == sum(value << layout.taken_bits * k for k, value in enumerate(values))
    np.testing.assert_array_equal(take_words(placed.tobytes(), words, layout), data)


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
    # Unsigned activations are 128 more: 100 - 131 * 5, 0 - 131 * 3, -5 + 131 * 3.
    biases = [(value % 2**32).to_bytes(4, "little") for value in (-555, -393, 388)]
    assert words[0].tobytes() == biases[0] + bytes([0, 0, 0, 0x40, 7])
    assert words[1].tobytes() == biases[1] + bytes([0xFF, 0xFF, 0xFF, 0x7F, 0xFF])
    assert words[2].tobytes() == biases[2] + bytes([0, 0, 0, 0x40, 31])
    assert not words[3].any()


def test_narrow_parameters_by_hand():
    """8 bytes a channel: 28 bits of bias, 31 of multiplier, 5 of shift."""
    layer = SimpleNamespace(
        weights=np.array([[1, -2, 3], [4, 5, -6]], np.int8),
        bias=np.array([100, 0, -5], np.int32),
        input_zero_point=3,
        multiplier=np.array([2**30, 2**31 - 1, 1 << 30], np.int32),
        shift=np.array([7, 0, 31]),
    )
    narrow = SimpleNamespace(**vars(SMALL) | {"accumulator_bits": 27})
    words = pack_parameters(layer, narrow).view("<u8")
    fields = [(int(w) % 2**28, int(w) >> 28 & 2**31 - 1, int(w) >> 59) for w in words]
    assert fields == [
        (-555 % 2**28, 2**30, 7),
        (-393 % 2**28, 2**31 - 1, 0),
        (388, 2**30, 31),
        (0, 0, 0),
    ]


def test_folded_bias_wraps():
    layer = SimpleNamespace(
        weights=np.full((4, 1), 127, np.int8),
        input_zero_point=-256,
        bias=np.array([2**31 - 1], np.int32),
        multiplier=np.array([2**30], np.int32),
        shift=np.array([0]),
    )
    bias = int.from_bytes(pack_parameters(layer, SMALL)[:4].tobytes(), "little")
    assert bias == (2**31 - 1 + 128 * 127 * 4) % 2**32


@pytest.mark.parametrize("options", [{}, {"padded_words": True}, {"frames": 2}], ids=str)
@pytest.mark.parametrize("bits", range(4, 9))
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 3), (4, 6, 7), (2, 11, 8)])
def test_maps_round_trip(bits, shape, options):
    config = few_bits(bits, **options)
    rng = np.random.default_rng(bits)
    shapes = (2, *shape) if config.frames == 2 else shape
    tensor = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shapes, dtype=np.int8)
    packed = pack_map(tensor, config)
    rows, groups, words = shape[0], -(-shape[1] // 5), -(-shape[2] // 3)
    count = rows * groups * words
    assert len(packed) == config.streams["activations"].memory_bytes(count)
    np.testing.assert_array_equal(unpack_map(packed.tobytes(), shape, config), tensor)
    # As the simulation dumps it: each word in whole bytes.
    word_bytes = -(-config.word_bits // 8)
    dumped = padded_layout(config.word_bits, 8 * word_bytes)
    data = place_words(
        take_words(packed, count, config.streams["activations"]), count, dumped
    ).tobytes()
    assert len(data) == count * word_bytes
    np.testing.assert_array_equal(unpack_map(data, shape, config, dumped), tensor)


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
