"""Words of a stream in external memory: how they share beats, and how much room they take.

Plain Python: the host packs words by it, the cycle model counts beats by it.
"""

from dataclasses import dataclass

__all__ = ["StreamLayout", "check_layouts", "dense_layout", "padded_layout"]


@dataclass(frozen=True)
class StreamLayout:
    """Words in the beats that carry them.

    Words follow one another from the least significant bit of the first beat on. In each beat zeros
    lie above the bits that carry words.

    Attributes
    ----------
    word_bits : int
        Bits of a word.
    taken_bits : int
        Bits that a word takes, with zeros above its own.
    beat_bits : int
        Bits of a beat that carry words.
    data_bits : int
        Bits of a beat.
    """

    word_bits:  int
    taken_bits: int
    beat_bits:  int
    data_bits:  int

    def __str__(self) -> str:
        return (f"words of {self.word_bits} bits in {self.taken_bits}, "
                f"beats of {self.data_bits} bits that carry {self.beat_bits}")

    def beats(self, words: int) -> int:
        """Beats that a number of words takes."""
        return -(-words * self.taken_bits // self.beat_bits)

    def memory_bytes(self, words: int) -> int:
        """Bytes that a number of words takes; where no beat has padding, the last one is cut."""
        if self.beat_bits == self.data_bits:
            return -(-words * self.taken_bits // 8)
        return self.beats(words) * self.data_bits // 8


def dense_layout(word_bits: int, data_bits: int) -> StreamLayout:
    """Layout without padding: a word begins where the one before ends."""
    return StreamLayout(word_bits, word_bits, data_bits, data_bits)


def padded_layout(word_bits: int, data_bits: int, together: int = 1) -> StreamLayout:
    """Layout whose gearbox is small.

    Beats hold as many whole words as they can. A word wider than a beat takes whole beats, or up to
    ``together`` words do where that takes fewer; they are spread evenly over them.
    """
    if word_bits <= data_bits:
        words = data_bits // word_bits
        return StreamLayout(word_bits, word_bits, words * word_bits, data_bits)
    found = dense_layout(word_bits, data_bits)
    least = float("inf")
    for words in range(1, together + 1):
        beats = -(-words * word_bits // data_bits)
        beat_bits = -(-words * word_bits // beats)
        while beats * beat_bits % words:
            beat_bits += 1
        if beat_bits <= data_bits and beats / words < least:
            least = beats / words
            found = StreamLayout(word_bits, beats * beat_bits // words, beat_bits, data_bits)
    return found


def check_layouts(streams, names, data_bits):
    """Refuse layouts that are not those of the streams of a port.

    Parameters
    ----------
    streams : object
        What the caller passed: a layout for each name.
    names : sequence of str
        Streams of the port.
    data_bits : int
        Bits of a beat of the port.

    Raises
    ------
    TypeError
        If they are no layouts by name.
    ValueError
        If one is missing, or of other beats.
    """
    if not isinstance(streams, dict):
        raise TypeError(f"Streams must be layouts by name, not {streams!r}")
    for name in names:
        layout = streams.get(name)
        if not isinstance(layout, StreamLayout):
            raise TypeError(f"Layout of {name} must be a StreamLayout, not {layout!r}")
        if layout.data_bits != data_bits:
            raise ValueError(f"Layout of {name} must be of beats of {data_bits} bits, "
                             f"not {layout.data_bits}")
