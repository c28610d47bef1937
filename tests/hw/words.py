"""Words of a stream in the beats that carry them, as integers."""

__all__ = ["cut_words", "join_words"]


def join_words(words, layout):
    """Beats of words, least significant bit first; zeros fill up the last."""
    stream = sum(word << k * layout.taken_bits for k, word in enumerate(words))
    count = -(-len(words) * layout.taken_bits // layout.beat_bits)
    mask = (1 << layout.beat_bits) - 1
    return [stream >> k * layout.beat_bits & mask for k in range(count)]


def cut_words(beats, layout):
    """Words of beats, whose padding may hold anything; an incomplete word is left out."""
    mask = (1 << layout.beat_bits) - 1
    stream = sum((beat & mask) << k * layout.beat_bits for k, beat in enumerate(beats))
    count = len(beats) * layout.beat_bits // layout.taken_bits
    return [stream >> k * layout.taken_bits & (1 << layout.word_bits) - 1 for k in range(count)]
