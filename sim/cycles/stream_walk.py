"""Commands for a stream of constants, segment by segment and turn by turn."""

from mnv2.sim.cycles.plan import PlannedStream
from mnv2.sim.cycles.port.interface import ReadSide

__all__ = ["StreamWalk"]

#: From the cycle in which a segment is taken, or left out, to that in which the next is offered or
#: left out; and from the cycle in which the last was, or in which another turn was asked for, to
#: the first of that turn: as `mnv2.hw.stream_walk.StreamWalk` states.
STEP_CYCLES = 2


class StreamWalk:
    """The unit that asks for a stream of constants.

    Parameters
    ----------
    reads : ReadSide
    channel : int
    stream : PlannedStream
    """

    def __init__(self, reads: ReadSide, channel: int, stream: PlannedStream):
        self._reads, self._channel, self._stream = reads, channel, stream
        # Cycles from the last segment that was taken to the next one's offer.
        self._wait = 0

    def begin(self, cycle: int) -> None:
        """Ask for the first turn, whose first segment is offered, or left out, in a cycle."""
        self._ask(cycle, (True, False))

    def turn(self, cycle: int, last: bool) -> None:
        """Another turn, or the end after the last, is asked for in a cycle."""
        self._ask(cycle + STEP_CYCLES, (not last, True))

    def _ask(self, cycle: int, wanted: tuple[bool, bool]) -> None:
        """Offer the segments of blocks, and those of the classifier, if they are wanted."""
        address = self._stream.address
        for number, beats in enumerate(self._stream.beats):
            if beats and wanted[number % 2]:
                self._reads.command(cycle, self._channel, beats, address, self._wait)
                # The next is offered some cycles after this one is taken, whenever that is.
                cycle, self._wait = 0, STEP_CYCLES
            else:
                cycle += STEP_CYCLES if cycle else 0
                self._wait += STEP_CYCLES
            address += beats * self._stream.beat_bytes
