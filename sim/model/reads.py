"""The read side of the memory port, burst by burst, for a memory of fixed latency.

When a burst is asked for, the cycles in which its beats arrive are certain; when a beat leaves its
queue and when a word leaves its gearbox follow by maxima from what was before. Nothing is stepped.
"""

from bisect import bisect_left
from math import gcd

__all__ = ["CHANNELS", "NEVER", "ReadPort"]

#: Streams that are read, in the order of the channels.
CHANNELS = ("program", "activations", "parameters", "taps", "weights")
PROGRAM, ACTIVATIONS, PARAMETERS, TAPS, WEIGHTS = range(5)

_RECORD_BITS, _IMAGE_CHANNELS = 1024, 3

#: Later than any cycle.
NEVER = 1 << 62


class Stream:
    """A channel of the read master, its queue and gearbox, and the ring or the user behind it.

    Cycles of the command in work, each in a list: ``arrivals`` of beats, ``pops`` of beats from the
    queue into the gearbox, ``gives`` of words out of the gearbox.
    """

    def __init__(self, word_bits, config, depth=None):
        self._burst = config.burst_beats
        self._queue = config.read_queue_beats
        self._data_bits = config.data_bits
        self.arrivals, self.pops, self.gives = [], [], []
        self.gaps     = []          # beats that do not come right behind the beat before
        self.counted  = []          # arrivals of the commands before
        self.beats    = 0           # of the command
        self.asked    = 0           # beats asked for
        self.earliest = 0           # cycle of the next request, as far as the command's order goes
        self.request  = NEVER       # cycle from which a burst is requested, as far as is known
        self.depth    = depth
        self.frees    = [0]         # words freed in all, and from which cycle on they are
        self.free_cycles = [-1]
        self._free    = 0           # the first of them that gives the next word room
        self.set_word(word_bits)

    def set_word(self, word_bits):
        """Width of the words."""
        unit = gcd(self._data_bits, word_bits)
        self._taken = self._data_bits // unit
        self._given = word_bits // unit
        # Highest level at which the gearbox takes a beat.
        self._ready = self._given + min(self._taken, self._given) - 1
        self._simple = self._given % self._taken == 0      # a word is whole beats

    def command(self, cycle, beats):
        """A command that is valid in a cycle."""
        self.counted += self.arrivals
        self.arrivals, self.pops, self.gives, self.gaps = [], [], [], []
        self.beats, self.asked = beats, 0
        self.earliest = cycle + 2
        self.find_request()

    @property
    def length(self):
        """Beats of the next burst."""
        return min(self._burst, self.beats - self.asked)

    def find_request(self):
        """Find out from when the next burst is requested."""
        if self.asked == self.beats:
            self.request = NEVER
            return
        needed = self.asked + self.length - self._queue     # beats that must have left the queue
        if needed <= 0:
            self.request = self.earliest
        elif needed <= len(self.pops):
            self.request = max(self.earliest, self.pops[needed - 1] + 2)
        else:
            self.request = NEVER

    def grant(self, cycle, first_beat):
        """The burst is asked for; its beats arrive one a cycle."""
        length = self.length
        arrivals = self.arrivals
        if not arrivals or arrivals[-1] + 1 != first_beat:
            self.gaps.append(len(arrivals))
        arrivals.extend(range(first_beat, first_beat + length))
        self.asked += length
        self.earliest = cycle + 2

    def when_word(self, number):
        """Cycle from which a word is at the gearbox's output, as far as is known."""
        pops = -(-(number + 1) * self._given // self._taken)
        if pops > len(self.pops):
            return NEVER
        return self.pops[pops - 1] + 1

    def free(self, cycle, words):
        """Words of the ring are released in a cycle."""
        self.frees.append(self.frees[-1] + words)
        self.free_cycles.append(cycle + 1)

    def pop(self):
        """Move beats into the gearbox, as far as the words given allow."""
        arrivals, pops, gives = self.arrivals, self.pops, self.gives
        number, count, words = len(pops), len(arrivals), len(gives)
        last = pops[-1] if pops else -1
        taken, given, ready = self._taken, self._given, self._ready
        while number < count:
            cycle = arrivals[number] + 2
            if cycle <= last:
                cycle = last + 1
            over = number * taken - ready
            if over > 0:
                needed = -(-over // given)
                if needed > words:
                    break
                if gives[needed - 1] >= cycle:
                    cycle = gives[needed - 1] + 1
            pops.append(cycle)
            last = cycle
            number += 1

    def flow(self):
        """Move beats into the gearbox and words into the ring, as far as is known."""
        arrivals, pops, gives = self.arrivals, self.pops, self.gives
        taken, given, ready, depth = self._taken, self._given, self._ready, self.depth
        frees, free_cycles, free = self.frees, self.free_cycles, self._free
        number, count, words = len(pops), len(arrivals), len(gives)
        last      = pops[-1] if pops else -1
        last_give = gives[-1] if gives else -1
        while True:
            # Words that are complete.
            needed = -(-(words + 1) * given // taken)           # beats that the next word needs
            while needed <= number:
                cycle = pops[needed - 1]
                if cycle < last_give:
                    cycle = last_give
                cycle += 1
                if words >= depth:
                    room = words - depth + 1
                    while free < len(frees) and frees[free] < room:
                        free += 1
                    if free == len(frees):
                        break
                    if free_cycles[free] > cycle:
                        cycle = free_cycles[free]
                gives.append(cycle)
                last_give = cycle
                words += 1
                needed = -(-(words + 1) * given // taken)
            if number == count:
                break
            # The next beat.
            arrives = arrivals[number]
            cycle = arrives + 2
            if cycle <= last:
                cycle = last + 1
            over = number * taken - ready
            if over > 0:
                before = -(-over // given)
                if before > words:
                    break
                if gives[before - 1] >= cycle:
                    cycle = gives[before - 1] + 1
            # As long as the ring has room, beats behind it follow one a cycle, if they have come by
            # then, and each word leaves right behind its last beat.
            chunk = 1
            if given >= taken and last_give < cycle and needed > number:
                chunk = count - number
                room = depth + frees[free if free < len(frees) else -1] - words   # words
                chunk = min(chunk, (words + room) * given // taken - number)
                end = number + chunk
                if arrivals[end - 1] + 2 > cycle + chunk - 1:
                    chunk = bisect_left(self.gaps, number + 1)
                    chunk = (self.gaps[chunk] if chunk < len(self.gaps) else count) - number
                    chunk = min(chunk, end - number)
            if chunk <= 1:
                pops.append(cycle)
                last = cycle
                number += 1
                continue
            pops.extend(range(cycle, cycle + chunk))
            first = number
            number += chunk
            last = cycle + chunk - 1
            if self._simple:
                ratio = given // taken
                more = number // ratio - words
                if more > 0:
                    begin = cycle + (words + 1) * ratio - first
                    gives.extend(range(begin, begin + more * ratio, ratio))
                    words += more
                    last_give = gives[-1]
            else:
                while needed <= number:
                    last_give = pops[needed - 1] + 1
                    gives.append(last_give)
                    words += 1
                    needed = -(-(words + 1) * given // taken)
        self._free = free

    def count(self, cycle):
        """Beats that arrived before a cycle."""
        return bisect_left(self.counted, cycle) + bisect_left(self.arrivals, cycle)


class ReadPort:
    """Read master and memory.

    Everything that the core does in the cycles before the one that it advances to must have been
    told before.
    """

    def __init__(self, config, latency):
        self._latency = latency
        self._outstanding = config.outstanding
        self.streams = [
            Stream(_RECORD_BITS, config),
            Stream(config.word_bits, config),
            Stream(config.parameter_word_bits, config, config.parameter_words),
            Stream(config.tap_word_bits, config, config.tap_words),
            Stream(config.weight_word_bits, config, config.weight_words),
        ]
        self._map_bits   = config.word_bits
        self._image_bits = _IMAGE_CHANNELS * config.pixels * config.activation_bits
        self._served = len(CHANNELS) - 1
        self._granted = -1          # cycle of the last grant
        self._ends   = []           # cycle of each burst's last beat
        self._loading = False
        self._horizon = 0
        self.write_busy = set()

    # What the core tells.

    def command(self, cycle, channel, beats):
        """A command is valid from a cycle on."""
        self.streams[channel].command(cycle, beats)

    def begin(self, cycle, work):
        """A descriptor's first cycle."""
        stream = self.streams[ACTIVATIONS]
        self._loading = work.load
        self._load_words, self._load_ring = work.load_words, work.input_ring
        self._freed, self._freed_cycles = [0], [cycle + 1]
        self._freed_at = 0
        self.write_busy.clear()
        if work.load or work.stem:
            stream.set_word(self._image_bits if work.stem else self._map_bits)
            stream.command(cycle + 1, work.load_beats)

    def freed(self, cycle, words):
        """Words of the block's input that may be overwritten from a cycle on."""
        if self._loading:
            self._freed.append(words)
            self._freed_cycles.append(cycle)

    def free(self, cycle, channel, words):
        """Words of a ring are released in a cycle."""
        stream = self.streams[channel]
        stream.free(cycle, words)
        stream.flow()
        stream.find_request()

    def take(self, cycle, channel):
        """A word of the image, or a record, leaves its gearbox."""
        stream = self.streams[channel]
        stream.gives.append(cycle)
        stream.pop()
        if stream.request == NEVER:
            stream.find_request()

    # What the core asks.

    def when(self, channel):
        """Cycle from which the next word of the image, or the next record, is there."""
        stream = self.streams[channel]
        return stream.when_word(len(stream.gives))

    def available(self, channel, cycle):
        """Words that have come into a ring, or into the map memory, before a cycle."""
        return bisect_left(self.streams[channel].gives, cycle)

    def loaded(self, cycle):
        """Words of the block's input that have arrived before a cycle."""
        return min(bisect_left(self.streams[ACTIVATIONS].gives, cycle), self._load_words)

    def until(self, channel, words, cycle):
        """Cycles in which words come into a ring; so many of them are known then.

        The core, which waits in a cycle, must do nothing that matters here before they have come.
        """
        gives = self.streams[channel].gives
        if self._loading:
            # What the map memory has time for is known up to the core's cycle alone.
            while len(gives) < words or gives[words - 1] >= cycle:
                cycle += 1
                self.advance(cycle)
            return gives
        while len(gives) < words:
            first = min(stream.request for stream in self.streams)
            if first == NEVER:
                raise RuntimeError(f"Word {words} of the {CHANNELS[channel]} never comes")
            self.advance(max(first, self._granted + 1, self._slot()) + 1)
        return gives

    def _slot(self):
        """Cycle from which there is room for a burst's entry."""
        if len(self._ends) < self._outstanding:
            return 0
        return self._ends[-self._outstanding] + 1

    def advance(self, cycle):
        """Ask for all bursts that are asked for before a cycle."""
        streams = self.streams
        if self._loading:
            self._horizon = cycle
            self._load()
        ends = self._ends
        while True:
            first = min(stream.request for stream in streams)
            if first >= cycle:
                return
            first = max(first, self._granted + 1, self._slot())
            if first >= cycle:
                return
            for k in range(1, 6):
                channel = (self._served + k) % 5
                stream = streams[channel]
                if stream.request <= first:
                    break
            self._served, self._granted = channel, first
            beat = first + 1 + self._latency
            if ends and ends[-1] >= beat:
                beat = ends[-1] + 1
            ends.append(beat + stream.length - 1)
            stream.grant(first, beat)
            if stream.depth is not None:
                stream.flow()
            elif channel == ACTIVATIONS and self._loading:
                self._load()
                continue
            else:
                stream.pop()
            stream.find_request()

    def _load(self):
        """Move words into the map memory, as far as it is known when results are written there."""
        stream = self.streams[ACTIVATIONS]
        gives, busy, horizon = stream.gives, self.write_busy, self._horizon
        while True:
            stream.pop()
            words = len(gives)
            cycle = stream.when_word(words)
            if cycle == NEVER:
                break
            if gives and gives[-1] >= cycle:
                cycle = gives[-1] + 1
            if words < self._load_words:
                needed = words - self._load_ring + 1
                while (self._freed_at < len(self._freed)
                       and self._freed[self._freed_at] < needed):
                    self._freed_at += 1
                if self._freed_at == len(self._freed):
                    break
                cycle = max(cycle, self._freed_cycles[self._freed_at])
                while cycle in busy:
                    cycle += 1
                if cycle >= horizon:
                    break
            gives.append(cycle)
        stream.find_request()
