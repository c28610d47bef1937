"""The read side of the memory port, burst by burst, where writes take nothing from reads."""

from bisect import bisect_left

from mnv2.hw.config import STREAMS
from mnv2.sim.cycles.plan import IMAGE_CHANNELS, RECORD_BYTES
from mnv2.sim.cycles.port.interface import ACTIVATIONS, NEVER, WEIGHTS
from mnv2.sim.cycles.port.streams import Stream

__all__ = ["ReadPort"]

#: Channels in the order in which they are served behind each.
_ORDER = tuple(
    tuple((last + k) % len(STREAMS) for k in range(1, len(STREAMS) + 1))
    for last in range(len(STREAMS))
)


class ReadPort:
    """Read master and memory.

    Everything that the core does in the cycles before the one that it advances to must have been
    told before.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    pauses : mnv2.sim.cycles.port.pauses.Pauses, optional
        When the memory pauses.
    """

    def __init__(self, config, latency, pauses=None):
        self._latency, self._pauses = latency, pauses
        self._burst = config.burst_beats
        self._outstanding = config.outstanding
        # Whether a stream alone is read without a pause, and equal bursts after which another is
        # certain to follow as they did.
        covered = latency + config.burst_beats + 8
        self._sustained = (
            config.outstanding * config.burst_beats >= covered
            and config.read_queue_beats >= covered
        )
        self._history = config.outstanding + config.read_queue_beats // config.burst_beats + 2
        self._equal = 0  # bursts in a row that followed the one before as it did
        self._deferred = None  # weights freed that have not been looked at
        self.streams = [
            Stream(8 * RECORD_BYTES, config),
            Stream(config.word_bits, config),
            Stream(config.parameter_word_bits, config, config.parameter_words),
            Stream(config.tap_word_bits, config, config.tap_words),
            Stream(config.weight_word_bits, config, config.weight_words),
        ]
        self._map_bits = config.word_bits
        self._image_bits = IMAGE_CHANNELS * config.pixels * config.activation_bits
        self._served = len(STREAMS) - 1
        self._granted = -1  # cycle of the last grant
        self._taken = 0  # cycle in which the memory took its address
        self._ends = []  # cycle of each burst's last beat
        self._loading = False
        self._horizon = 0
        self._load_from = 0  # cycle from which a word may move into the map memory
        self.write_busy = set()

    # What the core tells.

    def command(self, cycle, channel, beats):
        """A command is valid from a cycle on."""
        self.streams[channel].command(cycle, beats)

    def begin(self, cycle, descriptor):
        """A descriptor's first cycle."""
        stream = self.streams[ACTIVATIONS]
        self._loading = descriptor.load
        self._load_words, self._load_ring = descriptor.load_words, descriptor.input_ring
        self._freed, self._freed_cycles = [0], [cycle + 1]
        self._freed_at = self._load_from = 0
        self.write_busy.clear()
        if descriptor.load or descriptor.stem:
            stream.set_word(self._image_bits if descriptor.stem else self._map_bits)
            stream.command(cycle + 1, descriptor.load_beats)

    def freed(self, cycle, words):
        """Words of the block's input that may be overwritten from a cycle on."""
        if self._loading:
            self._freed.append(words)
            self._freed_cycles.append(cycle)
            self._load_from = 0

    def free(self, cycle, channel, words):
        """Words of a ring are released in a cycle.

        Between two releases of weights the port often comes to rest, and how is of no interest
        unless somebody asks: so the first is put off until the second, or until somebody asks.
        """
        if channel == WEIGHTS and not self._loading:
            if self._deferred:
                self._pass_over(cycle)
            self._deferred = cycle, words
            return
        self._look()
        self._free(cycle, channel, words)

    def _free(self, cycle, channel, words):
        stream = self.streams[channel]
        stream.free(cycle, words)
        stream.flow()
        stream.find_request()

    def _look(self):
        """Look at what was put off."""
        if self._deferred:
            cycle, words = self._deferred
            self._deferred = None
            self._free(cycle, WEIGHTS, words)

    def _pass_over(self, following):
        """Look at what was put off, as it is when the following release comes."""
        cycle, words = self._deferred
        stream = self.streams[WEIGHTS]
        ends = self._ends
        if (
            not self._pauses
            and all(other.request == NEVER for other in self.streams)
            and ends
            and stream.pops
            and ends[-1] + 4 < cycle
            and stream.pops[-1] + 2 < cycle
            and stream.gives[-1] + 2 < cycle
        ):
            asked, pops, given = stream.settled(words)
            beats = max(asked - len(stream.arrivals), pops - len(stream.pops))
            bursts = beats // self._burst + 2
            if self._sustained and stream.widens:
                longest = beats + self._latency + self._burst + 12
            else:
                longest = (
                    bursts * (self._latency + self._burst + 16) + (given - len(stream.gives)) + 32
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

    def take(self, cycle, channel):
        """A word of the image, or a record, leaves its gearbox; `when` the next can."""
        stream = self.streams[channel]
        gives, pops = stream.gives, stream.pops
        gives.append(cycle)
        if len(pops) != len(stream.arrivals):
            stream.pop()
            if stream.request == NEVER and len(pops) >= stream.needed:
                stream.find_request()
        # As `Stream.when_word`.
        needed = -(-(len(gives) + 1) * stream.given // stream.taken)
        return pops[needed - 1] + 1 if needed <= len(pops) else NEVER

    def take_all(self, begin, places, channel, dues=None):
        """Words leave their gearbox in cycles counted from one on; how many of them in time.

        They are in time if they are there by these cycles, or by others that are given.
        """
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

    def when(self, channel):
        """Cycle from which the next word of the image, or the next record, is there."""
        stream = self.streams[channel]
        return stream.when_word(len(stream.gives))

    def wait(self, channel, cycle):
        """See `ReadSide`."""
        there = self.when(channel)
        while there == NEVER:
            self._advance_to_grant(channel, 1)
            there = self.when(channel)
        return max(there, cycle)

    def available(self, channel, cycle):
        """Words that have come into a ring, or into the map memory, before a cycle."""
        return bisect_left(self.streams[channel].gives, cycle)

    def loaded(self, cycle):
        """Words of the block's input that have arrived before a cycle."""
        return min(bisect_left(self.streams[ACTIVATIONS].gives, cycle), self._load_words)

    def loaded_in_time(self, begin, begins, first, words):
        """Whether the input's words are there whenever so many more of them are begun with.

        Until the last of them, the core must do nothing that matters here.

        Parameters
        ----------
        begin : int
        begins : list of int
            Cycles behind it, ascending.
        first : int
            Words before.
        words : int
        """
        gives = self.streams[ACTIVATIONS].gives
        need = min(first + len(begins) * words, self._load_words)
        self.advance(begin)
        if self.loaded(begin) >= need:
            return True
        self.advance(begin + begins[-1])
        return len(gives) >= need and all(
            arrived < begin + cycle
            for arrived, cycle in zip(gives[first + words - 1 : need : words], begins, strict=True)
        )

    def beats_before(self, cycle):
        """See `ReadSide`."""
        return [stream.count(cycle) for stream in self.streams]

    def until(self, channel, words, cycle):
        """Cycles in which words come into a ring; so many of them are known then.

        The core, which waits in a cycle, must do nothing that matters here before they have come.
        """
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
            missing = stream.beats_for(words) - stream.asked
            self._advance_to_grant(channel, max(missing, 1))
        return gives

    def _advance_to_grant(self, channel, cycles):
        """Move the time on, by some cycles from that in which the next burst is asked for."""
        self._look()
        grant = self._next_grant()
        if grant >= NEVER:
            raise RuntimeError(f"The {STREAMS[channel]} never come")
        self.advance(grant + cycles)

    def _next_grant(self):
        """Cycle in which the next burst is asked for."""
        return max(min(stream.request for stream in self.streams), self._taken, self._slot())

    def _slot(self):
        """Cycle from which there is room for a burst's entry."""
        if len(self._ends) < self._outstanding:
            return 0
        return self._ends[-self._outstanding] + 1

    def advance(self, cycle):
        """Ask for all bursts that are asked for before a cycle."""
        streams, ends = self.streams, self._ends
        outstanding, burst = self._outstanding, self._burst
        if self._deferred:
            self._look()
        if self._loading:
            self._horizon = cycle
            if cycle > self._load_from:
                self._load()
        one, two, three, four, five = streams
        pauses = self._pauses
        while True:
            # What has arrived is moved on where the next request depends on it, or at the end.
            first = min(one.request, two.request, three.request, four.request, five.request)
            if first < self._taken:
                first = self._taken
            if len(ends) >= outstanding and ends[-outstanding] >= first:
                first = ends[-outstanding] + 1
            if first >= cycle:
                break
            for channel in _ORDER[self._served]:
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
            if pauses:
                stream.grant_beats(first, pauses.beats(beat, length))
                ends.append(stream.arrivals[-1])
            else:
                stream.grant(first, beat)
                ends.append(beat + length - 1)
            if channel == ACTIVATIONS and self._loading:
                self._load()
                continue
            if self._equal > self._history and not pauses and stream.depth is not None:
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

    def _repeat(self, channel, cycle):
        """Ask for more bursts of a stream, each as the one before, before a cycle."""
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
        stream.flow()

    def _load(self):
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
