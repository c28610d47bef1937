"""The read side of the memory port, burst by burst, where writes take nothing from reads."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from mnv2.hw.config import STREAMS, AcceleratorConfig
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.port.interface import ACTIVATIONS, NEVER, SERVING_ORDER, WEIGHTS
from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import Pauses
from mnv2.sim.cycles.port.streams import QUEUE_CYCLES, REQUEST_CYCLES, Stream
from mnv2.sim.cycles.port.writes import WritePort

__all__ = ["ReadPort"]

#: Cycles of a burst's round trip, in addition to the memory's latency and the burst's beats, as
#: `mnv2.hw.read_master.ReadMaster` states them: a stream alone is read without a pause where that
#: many beats, a latency's and a burst's are outstanding. Counted here, it is a cycle from the
#: request to its address, `QUEUE_CYCLES` and `REQUEST_CYCLES`: 5; the rest is its margin.
ROUND_TRIP_CYCLES = 8

# Bounds of the time after which the port is at rest, see `ReadPort._pass_over`. A rest that is
# assumed too early would change figures; one that is assumed too late only costs time: bursts
# are then followed one by one. So they are generous. (Releases are mostly farther apart: of 109
# machines drawn at random, none changed with half of them, and one if the first was -100.)

#: Sustained, once: the release gives a word room in the next cycle, and its beat leaves the queue
#: in the one after; `REQUEST_CYCLES`; a cycle to the address; and at the end `QUEUE_CYCLES` and a
#: cycle for the last word: 8. The rest is margin.
SUSTAINED_REST_CYCLES = 12
#: Not sustained, for each burst, which may wait for the one before: the round trip, 5. The rest is
#: margin.
BURST_REST_CYCLES = 16
#: Not sustained, once: the begin and the end, 8, as above. The rest is margin.
REST_CYCLES = 32


class ReadPort:
    """Read master and memory.

    It is a `mnv2.sim.cycles.port.interface.ReadSide`.

    Parameters
    ----------
    config : AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    pauses : Pauses, optional
        When the memory pauses.
    part : PartSchedule, optional
        The part that serves the bursts of both sides, in place of the latency.

    Attributes
    ----------
    streams : list of Stream
        In the order of the channels.
    writes : WritePort
    """

    def __init__(
        self,
        config: AcceleratorConfig,
        latency: int,
        pauses: Pauses | None = None,
        part: PartSchedule | None = None,
    ):
        self._latency, self._pauses, self._part = latency, pauses, part
        self.writes = WritePort(config, latency, pauses, part, self.serve)
        self._time = 0  # all bursts are asked for that are before this cycle
        self._beat_bytes = config.data_bytes
        self._burst = config.burst_beats
        self._outstanding = config.outstanding
        # Whether a stream alone is read without a pause.
        covered = latency + config.burst_beats + ROUND_TRIP_CYCLES
        self._sustained = (
            config.outstanding * config.burst_beats >= covered
            and config.read_queue_beats >= covered
        )
        # Equal bursts in a row after which another is certain to follow as they did: those that
        # fill the list of outstanding ones and the queue, one that began before and one that ends.
        self._history = config.outstanding + config.read_queue_beats // config.burst_beats + 2
        self._equal = 0  # bursts in a row that followed the one before as it did
        # The release of weights that has not been looked at: its cycle and words.
        self._deferred: tuple[int, int] | None = None
        layouts = config.streams
        self.streams = [
            Stream(layouts["program"], config),
            Stream(layouts["activations"], config),
            Stream(layouts["parameters"], config, config.parameter_words),
            Stream(layouts["taps"], config, config.tap_words),
            Stream(layouts["weights"], config, config.weight_words),
        ]
        self._map_layout, self._image_layout = layouts["activations"], layouts["image"]
        self._served = len(STREAMS) - 1
        self._granted = -1  # cycle of the last grant
        self._taken = 0  # cycle in which the memory took its address
        self._ends: list[int] = []  # cycle of each burst's last beat
        # A descriptor that loads its map: words, ring, and what of it may be overwritten from when.
        self._loading = False
        self._load_words = self._load_ring = 0
        self._freed, self._freed_cycles = [0], [0]
        self._freed_at = 0  # the first of them that gives the next word room
        self._horizon = 0  # the cycle up to which the core has told when it writes the map memory
        self._load_from = 0  # cycle from which a word may move into the map memory
        self.write_busy: set[int] = set()

    # What the core tells.

    def command(self, cycle: int, channel: int, beats: int, address: int, wait: int = 0) -> None:
        """See `ReadSide`."""
        self._look()
        self.streams[channel].command(cycle, beats, address, wait)

    def leave_out(self, channel: int, words: Iterable[int]) -> None:
        """See `ReadSide`."""
        self.streams[channel].left_out.update(words)

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """See `ReadSide`."""
        stream = self.streams[ACTIVATIONS]
        self._loading = descriptor.load
        self._load_words, self._load_ring = descriptor.load_words, descriptor.input_ring
        self._freed, self._freed_cycles = [0], [cycle + 1]
        self._freed_at = self._load_from = 0
        self.write_busy.clear()
        if descriptor.load or descriptor.stem:
            stream.set_layout(self._image_layout if descriptor.stem else self._map_layout)
            stream.restart(cycle + 1, descriptor.load_beats, descriptor.load_address)

    def freed(self, cycle: int, words: int) -> None:
        """See `ReadSide`."""
        if self._loading:
            self._freed.append(words)
            self._freed_cycles.append(cycle)
            self._load_from = 0

    def free(self, cycle: int, channel: int, words: int) -> None:
        """See `ReadSide`.

        Between two releases of weights the port often comes to rest, and its exact cycles matter
        only to a query: so the first release is deferred until the second, or until a query.
        """
        if channel == WEIGHTS and not self._loading:
            if self._deferred:
                self._pass_over(self._deferred, cycle)
            self._deferred = cycle, words
            return
        self._look()
        self._free(cycle, channel, words)

    def _free(self, cycle: int, channel: int, words: int) -> None:
        stream = self.streams[channel]
        stream.free(cycle, words)
        stream.flow()
        stream.find_request()

    def _look(self) -> None:
        """Process the deferred release."""
        if self._deferred:
            cycle, words = self._deferred
            self._deferred = None
            self._free(cycle, WEIGHTS, words)

    def _pass_over(self, deferred: tuple[int, int], following: int) -> None:
        """Process the deferred release at the time of the following one.

        If the port was at rest before it, waits for nothing but weights, and comes to rest again
        before the following release, its state then is known, and no cycle between matters.
        """
        cycle, words = deferred
        stream = self.streams[WEIGHTS]
        ends = self._ends
        if (
            not self._pauses
            and not self._part
            and all(other.request == NEVER for other in self.streams)
            and ends
            and stream.pops
            and ends[-1] + QUEUE_CYCLES + REQUEST_CYCLES < cycle
            and stream.pops[-1] + REQUEST_CYCLES < cycle
            and stream.gives[-1] + REQUEST_CYCLES < cycle
        ):
            rest = stream.settled(words)
        else:
            rest = None
        if rest:
            asked, pops, given = rest
            beats = max(asked - len(stream.arrivals), pops - len(stream.pops))
            bursts = beats // self._burst + 2
            if self._sustained and stream.widens:
                longest = beats + self._latency + self._burst + SUSTAINED_REST_CYCLES
            else:
                # Where several words come of a beat, each costs a cycle too.
                longest = (
                    bursts * (self._latency + self._burst + BURST_REST_CYCLES)
                    + (given - len(stream.gives))
                    + REST_CYCLES
                )
            if following - cycle > longest:
                if asked > len(stream.arrivals):
                    self._served = WEIGHTS
                    ends.append(cycle + 1)
                stream.free(cycle, words)
                stream.settle(cycle + 1, asked, pops, given)
                self._deferred = None
                self._equal = 0
                return
        self._look()
        self.advance(following)

    def take(self, cycle: int, channel: int) -> int:
        """See `ReadSide`."""
        stream = self.streams[channel]
        gives, pops = stream.gives, stream.pops
        gives.append(cycle)
        if len(pops) != len(stream.arrivals) or stream.left_out:
            stream.pop()
            if stream.request == NEVER and len(pops) >= stream.needed:
                stream.find_request()
        return stream.when_word(len(gives))

    def take_all(
        self, begin: int, places: Sequence[int], channel: int, dues: Sequence[int] | None = None
    ) -> int:
        """See `ReadSide`."""
        stream = self.streams[channel]
        cycles = [begin + place for place in places]
        dues = cycles if dues is None else [begin + due for due in dues]
        taken = stream.give(cycles, dues, 0)
        while taken < len(cycles):
            self.advance(dues[taken])
            there = taken
            taken = stream.give(cycles, dues, there)
            if taken == there:
                break
        return taken

    # What the core asks.

    def when(self, channel: int) -> int:
        """See `ReadSide`."""
        stream = self.streams[channel]
        return stream.when_word(len(stream.gives))

    def wait(self, channel: int, cycle: int) -> int:
        """See `ReadSide`."""
        there = self.when(channel)
        while there == NEVER:
            self._advance_to_grant(channel, 1)
            there = self.when(channel)
        return max(there, cycle)

    def available(self, channel: int, cycle: int) -> int:
        """See `ReadSide`."""
        return bisect_left(self.streams[channel].gives, cycle)

    def loaded(self, cycle: int) -> int:
        """See `ReadSide`."""
        return min(bisect_left(self.streams[ACTIVATIONS].gives, cycle), self._load_words)

    def loaded_in_time(self, begin: int, begins: Sequence[int], first: int, words: int) -> bool:
        """See `ReadSide`."""
        gives = self.streams[ACTIVATIONS].gives
        need = min(first + len(begins) * words, self._load_words)
        self.advance(begin)
        if self.loaded(begin) >= need:
            return True
        if self._part and self.writes.active:
            # Bursts that are written share the part, and when the core reads the map memory after
            # this cycle, which keeps their words waiting, has not been told.
            return False
        self.advance(begin + begins[-1])
        return len(gives) >= need and all(
            arrived < begin + cycle
            for arrived, cycle in zip(gives[first + words - 1 : need : words], begins, strict=True)
        )

    def beats_before(self, cycle: int) -> list[int]:
        """See `ReadSide`."""
        return [stream.count(cycle) for stream in self.streams]

    def until(self, channel: int, words: int, cycle: int) -> Sequence[int]:
        """See `ReadSide`."""
        self._look()
        stream = self.streams[channel]
        gives = stream.gives
        if self._loading:
            # What the map memory has time for is known up to the core's cycle alone: go there
            # where a burst is asked for next, or a word moves into the map memory.
            while len(gives) < words or gives[words - 1] >= cycle:
                event = min(self._load_from, self._next_grant())
                cycle = event + 1 if cycle < event < NEVER else cycle + 1
                self.advance(cycle)
            return gives
        while len(gives) < words:
            # The last word cannot come before all its beats have.
            self._advance_to_grant(channel, max(stream.missing(words), 1))
        return gives

    def _advance_to_grant(self, channel: int, cycles: int) -> None:
        """Move the time on, by some cycles from that in which the next burst is asked for."""
        self._look()
        grant = self._next_grant()
        if grant >= NEVER:
            raise RuntimeError(f"The {STREAMS[channel]} never come")
        self.advance(grant + cycles)

    def _next_grant(self) -> int:
        """Cycle in which the next burst is asked for."""
        return max(min(stream.request for stream in self.streams), self._taken, self._slot())

    def _slot(self) -> int:
        """Cycle from which there is room for a burst's entry."""
        if len(self._ends) < self._outstanding:
            return 0
        return self._ends[-self._outstanding] + 1

    def advance(self, cycle: int) -> None:
        """See `ReadSide`: all bursts are asked for that are before a cycle."""
        streams, ends = self.streams, self._ends
        outstanding, burst = self._outstanding, self._burst
        if self._deferred:
            self._look()
        if self._loading:
            self._horizon = cycle
            if cycle > self._load_from:
                self._load()
        one, two, three, four, five = streams
        pauses, part = self._pauses, self._part
        while True:
            # What has arrived is moved on where the next request depends on it, or at the end.
            first = min(one.request, two.request, three.request, four.request, five.request)
            if first < self._taken:
                first = self._taken
            if len(ends) >= outstanding and ends[-outstanding] >= first:
                first = ends[-outstanding] + 1
            if first >= cycle:
                break
            for channel in SERVING_ORDER[self._served]:
                stream = streams[channel]
                if stream.request <= first:
                    break
            taken = pauses.address(first + 1) if pauses else first + 1
            beat = taken + self._latency
            length = stream.length
            last = ends[-1] if ends else -1
            if last >= beat:
                beat = last + 1
            # Whether this burst follows the one before as a burst of the same stream does that is
            # never kept waiting.
            if (
                channel == self._served
                and length == burst
                and first == self._granted + burst
                and beat == last + 1
            ):
                self._equal += 1
            else:
                self._equal = 0
            self._served, self._granted, self._taken = channel, first, taken
            if part:
                # What was written before comes first.
                self._time = first
                if self.writes.active:
                    self.writes.advance(taken)
                address = stream.address + stream.asked * self._beat_bytes
                stream.grant_beats(first, part.read(taken, address, length))
                ends.append(stream.arrivals[-1])
            elif pauses:
                stream.grant_beats(first, pauses.beats(beat, length))
                ends.append(stream.arrivals[-1])
            else:
                stream.grant(first, beat)
                ends.append(beat + length - 1)
            if channel == ACTIVATIONS and self._loading:
                self._load()
                continue
            if self._equal > self._history and not pauses and not part and stream.depth != NEVER:
                stream.move()
                if stream.is_steady():
                    self._repeat(channel, cycle)
                stream.find_request()
                continue
            stream.find_request()
            if stream.request == NEVER:
                stream.move()
                stream.find_request()
            else:
                stream.stale = True
        for stream in streams:
            if stream.stale:
                stream.move()
        self._time = cycle

    def serve(self, cycle: int) -> None:
        """Ask for all bursts before a cycle, if this side's time is not there yet."""
        if cycle > self._time:
            self.advance(cycle)

    def _repeat(self, channel: int, cycle: int) -> None:
        """Ask for more bursts of a steady stream before a cycle, each as the one before."""
        stream, ends, burst = self.streams[channel], self._ends, self._burst
        until = min([cycle, *(other.request for other in self.streams if other is not stream)])
        bursts = min((until - 1 - self._granted) // burst, stream.room_bursts())
        if bursts <= 0:
            return
        ends.extend(range(ends[-1] + burst, ends[-1] + bursts * burst + 1, burst))
        beat = stream.arrivals[-1] + 1
        stream.arrivals.extend(range(beat, beat + bursts * burst))
        self._granted += bursts * burst
        self._taken += bursts * burst
        stream.asked += bursts * burst
        stream.earliest = self._granted + 2
        stream.granted = self._granted
        stream.flow()

    def _load(self) -> None:
        """Move words into the map memory, as far as it is known when results are written there."""
        stream = self.streams[ACTIVATIONS]
        gives, pops, busy, horizon = stream.gives, stream.pops, self.write_busy, self._horizon
        freed, freed_cycles, freed_at = self._freed, self._freed_cycles, self._freed_at
        self._load_from = NEVER  # until a burst is asked for, or words are freed
        last, words, most = gives[-1] if gives else -1, len(gives), self._load_words
        taken, given = stream.taken, stream.given
        beats = -(-(words + 1) * given // taken)
        while True:
            if beats > len(pops):
                stream.pop()
                if beats > len(pops):
                    break
            cycle = pops[beats - 1] + 1
            if last >= cycle:
                cycle = last + 1
            if words < most:
                needed = words - self._load_ring + 1
                while freed_at < len(freed) and freed[freed_at] < needed:
                    freed_at += 1
                if freed_at == len(freed):
                    break
                if freed_cycles[freed_at] > cycle:
                    cycle = freed_cycles[freed_at]
                while cycle in busy:
                    cycle += 1
                if cycle >= horizon:
                    self._load_from = cycle
                    break
            gives.append(cycle)
            last = cycle
            words += 1
            beats = -(-(words + 1) * given // taken)
        self._freed_at = freed_at
        stream.pop()
        stream.find_request()
