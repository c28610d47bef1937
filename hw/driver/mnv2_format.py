"""Pictures and logits as they lie in memory: in Python what mnv2_format.c does in C."""

__all__ = ["pack_picture", "unpack_logits"]

_CHANNELS = 3


def pack_picture(layout, pictures):
    """Bytes of the pictures of a turn, as they lie in memory.

    Parameters
    ----------
    layout : dict
        ``layout.json``.
    pictures : sequence of int8 [rows, columns, 3]
        One for each frame abreast.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If there are more or fewer pictures, or they have another size.
    """
    about = layout["picture"]
    rows, columns, _ = about["shape"]
    pixels, bits = about["word_pixels"], about["element_bits"]
    views = [memoryview(picture) for picture in pictures]
    if len(views) != about["frames"] or any(
        view.nbytes != rows * columns * _CHANNELS
        or view.ndim == _CHANNELS and list(view.shape) != about["shape"]
        for view in views
    ):
        raise ValueError(f"Pictures must be {about['frames']} of {rows} x {columns} pixels")
    views = [view.cast("B") for view in views]
    words = []
    for row in range(rows):
        for first in range(0, columns, pixels):
            word = bytearray()
            for column in range(first, min(first + pixels, columns)):
                begin = (row * columns + column) * _CHANNELS
                for view in views:
                    word += view[begin : begin + _CHANNELS]
            words.append(_join(word, bits))
    return _pack_words(words, about["words"])[: about["bytes"]]


def unpack_logits(layout, data, frame=0):
    """Logits of a frame, and the accumulators that they were made of, from the bytes of a slot.

    Returns
    -------
    list of int, list of int
    """
    about = layout["logits"]
    lanes, classes = about["word_classes"], about["classes"]
    count = -(-classes // lanes)
    total = about["frames"] * lanes
    logits, accumulators = [], []
    for word in _take_words(data, count, about["words"]):
        raw = word.to_bytes(5 * total, "little")
        for lane in range(frame * lanes, (frame + 1) * lanes):
            part = raw[4 * lane : 4 * lane + 4]
            accumulators.append(int.from_bytes(part, "little", signed=True))
            part = raw[4 * total + lane :][:1]
            logits.append(int.from_bytes(part, "little", signed=True))
    return logits[:classes], accumulators[:classes]


def _join(elements, bits):
    """A word of elements of some bits each, the first lowest."""
    if bits == 8:
        return int.from_bytes(elements, "little")
    mask = (1 << bits) - 1
    return sum((element & mask) << bits * k for k, element in enumerate(elements))


def _pack_words(words, layout):
    """Bytes of words in memory, see ``struct mnv2_layout``."""
    taken, beat, width = (layout[name] for name in ("taken_bits", "beat_bits", "data_bits"))
    if beat == width:
        beat = width = 8
    made, waiting, level = bytearray(), 0, 0
    for word in words:
        waiting |= word << level
        level += taken
        while level >= beat:
            made += (waiting & (1 << beat) - 1).to_bytes(width // 8, "little")
            waiting >>= beat
            level -= beat
    if level:
        made += waiting.to_bytes(width // 8, "little")
    return bytes(made)


def _take_words(data, count, layout):
    """Words of bytes in memory."""
    taken, beat, width = (layout[name] for name in ("taken_bits", "beat_bits", "data_bits"))
    if beat == width:
        beat = width = 8
    waiting, level, place = 0, 0, 0
    for _ in range(count):
        while level < taken:
            part = int.from_bytes(data[place : place + width // 8], "little")
            waiting |= (part & (1 << beat) - 1) << level
            level += beat
            place += width // 8
        yield waiting & (1 << layout["word_bits"]) - 1
        waiting >>= taken
        level -= taken
