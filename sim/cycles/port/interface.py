"""The memory port as the core sees it: what both sides are told, and what they are asked.

`mnv2.sim.cycles.port.reads.ReadPort` with `mnv2.sim.cycles.port.writes.WritePort` computes bursts;
`mnv2.sim.cycles.port.shared.SharedReadPort` with `SharedWritePort` steps every cycle. Either pair
satisfies these protocols, and both give the same cycles.

Cycles are counted from the program's first. A side's own time moves only when it is asked, by
``advance`` or by another question, and never back: whatever the core did in earlier cycles must
have been reported by then. A report may concern the side's future, never its past.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from mnv2.hw.config import STREAMS
from mnv2.sim.cycles.plan import PlannedDescriptor

__all__ = [
    "ACTIVATIONS",
    "MEMORY_BURSTS",
    "NEVER",
    "PARAMETERS",
    "RECORDS",
    "SERVING_ORDER",
    "TAPS",
    "WEIGHTS",
    "ReadSide",
    "WriteSide",
]

#: Channels of the read master, one for each of `mnv2.hw.config.STREAMS`; records are the program.
RECORDS, ACTIVATIONS, PARAMETERS, TAPS, WEIGHTS = range(len(STREAMS))

#: Channels in the order in which the read master serves them after each: round robin.
SERVING_ORDER = tuple(
    tuple((served + k) % len(STREAMS) for k in range(1, len(STREAMS) + 1))
    for served in range(len(STREAMS))
)

#: Bursts that the memory accepts in each direction, `QUEUE` of `sim/rtl/axi_memory.sv`.
MEMORY_BURSTS = 64

#: Later than any cycle, and more than any count.
NEVER = 1 << 62


class ReadSide(Protocol):
    """Read master, memory, gearboxes and rings.

    Attributes
    ----------
    write_busy : set of int
        Cycles in which a result of this descriptor is written to the map memory, so that no loaded
        word is; the core adds to it.
    """

    write_busy: set[int]

    # What the core tells.

    def command(self, cycle: int, channel: int, beats: int, address: int, wait: int = 0) -> None:
        """Take a command of that many beats, one or more, from an address.

        It is offered from a cycle on, but not before some cycles after the command before it was
        taken; it is taken when all bursts of that have been asked for.

        Parameters
        ----------
        cycle : int
        channel : int
        beats, address : int
        wait : int
            Cycles after the command before.
        """

    def leave_out(self, channel: int, words: Iterable[int]) -> None:
        """Drop words, by their numbers since the program's first, as soon as they have come."""

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """Begin a descriptor in a cycle; its input, if it loads any, is asked for."""

    def freed(self, cycle: int, words: int) -> None:
        """From a cycle on, that many words of the descriptor's input may be overwritten in all."""

    def free(self, cycle: int, channel: int, words: int) -> None:
        """Release the oldest words of a ring in a cycle."""

    def take(self, cycle: int, channel: int) -> int:
        """Take a record, or a word of the image, in a cycle; `when` the next is there."""

    def take_all(
        self, begin: int, places: Sequence[int], channel: int, dues: Sequence[int] | None = None
    ) -> int:
        """Take words in cycles counted from `begin`, up to the first that comes late.

        Parameters
        ----------
        begin : int
        places : sequence of int
            When each is taken, ascending.
        channel : int
        dues : sequence of int, optional
            When each must be there; default `places`.

        Returns
        -------
        int
            Words taken.
        """

    # What the core asks.

    def advance(self, cycle: int) -> None:
        """Move this side's time to the begin of a cycle."""

    def when(self, channel: int) -> int:
        """Cycle from which the next record, or word of the image, is there; `NEVER` if unknown."""

    def wait(self, channel: int, cycle: int) -> int:
        """Cycle, `cycle` or later, in which the next record, or word of the image, is there.

        The core waits from `cycle` on, and until then does nothing that affects this side.
        """

    def available(self, channel: int, cycle: int) -> int:
        """Words that came into a ring, or into the map memory, before a cycle, since the begin."""

    def loaded(self, cycle: int) -> int:
        """Words of the descriptor's input that came before a cycle."""

    def loaded_in_time(self, begin: int, begins: Sequence[int], first: int, words: int) -> bool:
        """Whether the input arrives in time for a pass whose cycles are already known.

        Until its last words are needed, the core must do nothing that affects this side.

        Parameters
        ----------
        begin : int
        begins : sequence of int
            Cycles, counted from it and ascending, in which a group of pixels begins.
        first : int
            Words of the input that precede the pass's.
        words : int
            That each group of pixels needs.
        """

    def until(self, channel: int, words: int, cycle: int) -> Sequence[int]:
        """Cycles in which the words of a ring, or of the map memory, came: that many or more.

        The core waits in `cycle`, and until then does nothing that affects this side.
        """

    def beats_before(self, cycle: int) -> list[int]:
        """Beats of each stream that arrived before a cycle, since the program's start."""


class WriteSide(Protocol):
    """Map memory's store, queue of logits, gearbox, write master and memory.

    Attributes
    ----------
    active : bool
        The descriptor in work writes to memory. The rest holds only then.
    now : int
        This side's time: the start of this cycle.
    stored : int
        Words of the output that were read from the map memory.
    taken, last_taken : int
        Words of logits that left their queue, and the cycle in which the last did.
    """

    active: bool
    now: int
    stored: int
    taken: int
    last_taken: int

    # What the core tells.

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """Begin a descriptor that writes."""

    def end(self) -> None:
        """End it: all is written."""

    def produced(self, cycle: int, words: int) -> None:
        """From a cycle on, that many words of the output are complete in all."""

    def logits_word(self, cycle: int) -> None:
        """A word of logits enters its queue in a cycle."""

    def reads(self, cycle: int) -> None:
        """The core reads the map memory in a cycle, which keeps the store from it."""

    def reads_as(self, cycle: int, busy: bytes) -> None:
        """From a cycle on, the core reads the map memory in those that are marked, and no other."""

    def busy_from(self, cycle: int) -> bytearray:
        """Marks of the cycles in which the core reads the map memory, to extend from a cycle on."""

    # What the core asks.

    @property
    def written(self) -> bool:
        """Everything is in memory, and acknowledged."""

    def advance(self, cycle: int) -> None:
        """Move this side's time to the begin of a cycle."""

    def count(self, cycle: int) -> int:
        """Beats that were transferred before a cycle, since the program's start."""
