"""Order of a program's descriptors, and which of them each turn executes.

A program is executed once a turn: for each frame, or pair of frames abreast. The classifier of a
turn is executed in parts between the first blocks of the next, which need few weights: its own,
each used once, arrive meanwhile. That of the last turn follows its head, as a whole.
"""

from dataclasses import dataclass

from mnv2.hw.config import SEGMENTS

__all__ = ["CLASSIFIER_PARTS", "TurnEntry", "executed", "turn_order"]

#: Most parts that a classifier is cut into: each has a segment of weights of its own.
CLASSIFIER_PARTS = SEGMENTS // 2


@dataclass(frozen=True)
class TurnEntry:
    """Purpose of a descriptor.

    Attributes
    ----------
    kind : str
        ``"block"``, ``"head"``, ``"part"`` of the classifier of the turn before, or
        ``"classifier"``, the whole.
    number : int
        Of the block or of the part, from 0.
    segment : int
        Segment of the streams of constants that its own belong to, see
        `mnv2.hw.program.Header`; the whole classifier takes those of all parts.
    """

    kind: str
    number: int = 0
    segment: int = 0


def turn_order(blocks: int, parts: int) -> tuple[TurnEntry, ...]:
    """Descriptors of a network's program, in their order.

    Parameters
    ----------
    blocks, parts : int
        Number of blocks, and of parts of the classifier, at most `CLASSIFIER_PARTS`.

    Returns
    -------
    tuple of TurnEntry
    """
    if not 1 <= parts <= CLASSIFIER_PARTS:
        raise ValueError(f"Parts must be 1 to {CLASSIFIER_PARTS}, not {parts}")
    order = []
    for number in range(max(blocks, parts)):
        if number < blocks:
            order.append(TurnEntry("block", number, 2 * min(number, parts)))
        if number < parts:
            order.append(TurnEntry("part", number, 2 * number + 1))
    return (*order, TurnEntry("head", 0, 2 * parts), TurnEntry("classifier"))


def executed(order: tuple[TurnEntry, ...], turns: int) -> list[tuple[int, int]]:
    """Descriptors that are executed, one after another.

    Parameters
    ----------
    order : tuple of TurnEntry
    turns : int
        Number of turns.

    Returns
    -------
    list of (int, int)
        Turn that the descriptor's results belong to, and its place in the order.
    """
    rows = []
    for turn in range(turns):
        for place, entry in enumerate(order):
            if entry.kind == "part":
                if turn:
                    rows.append((turn - 1, place))
            elif entry.kind != "classifier" or turn == turns - 1:
                rows.append((turn, place))
    return rows
