"""Layouts of words in external memory: by hand, of every preset, and what holds of all."""

from dataclasses import replace

import pytest

from mnv2.hw.config import PRESETS
from mnv2.hw.stream_layout import StreamLayout, dense_layout, padded_layout


def test_dense():
    layout = dense_layout(224, 128)
    assert layout == StreamLayout(word_bits=224, taken_bits=224, beat_bits=128, data_bits=128)
    assert [layout.beats(words) for words in (0, 1, 2, 4)] == [0, 2, 4, 7]
    assert [layout.memory_bytes(words) for words in (0, 1, 4)] == [0, 28, 112]
    assert dense_layout(90, 128).memory_bytes(1) == 12


@pytest.mark.parametrize(
    ("word_bits", "data_bits", "together", "taken_bits", "beat_bits"),
    [
        (128, 128, 1, 128, 128),  # a beat each
        (512, 128, 1, 512, 128),  # four beats
        (224, 128, 1, 224, 112),  # two beats of 112 bits
        (288, 128, 1, 288, 96),  # three beats
        (720, 256, 1, 720, 240),
        (640, 256, 1, 642, 214),  # does not divide by three: two bits are left
        (64, 128, 1, 64, 128),  # two in a beat
        (168, 512, 1, 168, 504),  # three in a beat
        (90, 128, 1, 90, 90),  # one in a beat
        (168, 128, 1, 168, 84),  # 1.31 beats: two
        (168, 128, 3, 168, 126),  # three in four beats
        (336, 128, 3, 336, 126),  # three in eight
        (144, 128, 3, 144, 108),  # three in four: 27 of 32 used
        (224, 128, 3, 224, 112),  # three in six are no better than one in two
        (250, 64, 3, 252, 63),  # one in four; no 63 beats hold three
    ],
)
def test_padded(word_bits, data_bits, together, taken_bits, beat_bits):
    layout = padded_layout(word_bits, data_bits, together)
    assert layout == StreamLayout(word_bits, taken_bits, beat_bits, data_bits)


def test_padded_sizes():
    three_in_four = padded_layout(168, 128, 3)
    assert [three_in_four.beats(words) for words in range(5)] == [0, 2, 3, 4, 6]
    # Each beat is written whole.
    assert [three_in_four.memory_bytes(words) for words in range(4)] == [0, 32, 48, 64]
    three_in_one = padded_layout(168, 512)
    assert [three_in_one.beats(words) for words in (1, 3, 4)] == [1, 1, 2]
    # Without padding there is nothing to write after the last word.
    assert padded_layout(64, 128).memory_bytes(3) == 24


@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.parametrize("data_bits", [64, 128, 256, 512])
def test_gearbox_is_small(data_bits, together):
    """Whole beats hold whole words: one, or up to `together`; or one beat does."""
    for word_bits in range(9, 1100, 7):
        layout = padded_layout(word_bits, data_bits, together)
        assert word_bits <= layout.taken_bits < word_bits + data_bits
        assert layout.beat_bits <= data_bits
        if word_bits <= data_bits:
            assert layout.taken_bits == word_bits
            assert layout.beat_bits % word_bits == 0
            assert layout.beat_bits + word_bits > data_bits
        else:
            words = next(n for n in (1, 2, 3) if n * layout.taken_bits % layout.beat_bits == 0)
            assert words <= together
            assert layout.beats(words) <= -(-words * word_bits // data_bits)


def test_streams_of_the_presets():
    """Bits that a word takes, and bits of a beat."""
    base = replace(PRESETS["base"], accumulator_bits=27, padded_words=True, frames=1)
    taken = {name: (one.taken_bits, one.beat_bits) for name, one in base.streams.items()}
    assert taken == {
        "program": (1024, 128),
        "activations": (224, 112),
        "parameters": (256, 128),
        "taps": (288, 96),
        "weights": (512, 128),
        "image": (168, 126),
        "logits": (160, 80),
    }
    abreast = replace(base, frames=2)
    for name, bits in {"activations": 448, "image": 336, "logits": 320, "taps": 288}.items():
        assert abreast.streams[name].word_bits == bits
    dense = replace(base, padded_words=False)
    for name, one in dense.streams.items():
        assert one == dense_layout(base.streams[name].word_bits, 128)
