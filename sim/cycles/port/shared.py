"""The memory port cycle by cycle, where reads and writes share a bandwidth."""

import heapq
from bisect import bisect_left
from collections import deque
from math import gcd

from mnv2.hw.config import STREAMS
from mnv2.sim.cycles.plan import IMAGE_CHANNELS, RECORD_BYTES
from mnv2.sim.cycles.port.interface import (
    ACTIVATIONS,
    NEVER,
    PARAMETERS,
    RECORDS,
    TAPS,
    WEIGHTS,
)
from mnv2.sim.cycles.port.pauses import START_CYCLE
from mnv2.sim.cycles.port.writes import WritePort

__all__ = ["SharedReadPort", "SharedWritePort"]


class _Channel:
    """A channel of the read master, its queue and gearbox, and the ring behind it."""

    def __init__(self, word_bits, config, depth=None):
        self._data_bits = config.data_bits
        self.left = 0  # beats that have not been asked for
        self.number = 0  # of the next
        self.space = config.read_queue_beats
        self.request, self.length = False, 0
        self.inner, self.out = 0, False
        self.pops_left = 0  # beats of the command that have not left the queue
        self.command = 0  # beats of a command that waits
        self.depth = depth
        self.ring = 0  # words in it
        self.arrivals = []  # cycles in which beats arrived, and words left the gearbox
        self.gives = []
        self.set_word(word_bits)

    def set_word(self, word_bits):
        """Width of the words; the gearbox is empty."""
        unit = gcd(self._data_bits, word_bits)
        self.taken, self.given = self._data_bits // unit, word_bits // unit
        self.ready = self.given + min(self.taken, self.given) - 1
        self.level, self.ending = 0, False

    def count(self, cycle):
        """Beats that arrived before a cycle."""
        return bisect_left(self.arrivals, cycle)


class SharedReadPort:
    """Does for shared bandwidth what `mnv2.sim.cycles.port.reads.ReadPort` does without.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth of reads and writes together; 0, or two beats and more, for a beat a cycle each.
    pauses : mnv2.sim.cycles.port.pauses.Pauses, optional
        When the memory pauses.
    """

    def __init__(self, config, latency, bytes_per_cycle, pauses=None):
        self._pauses = pauses
        self._latency, self._rate = latency, bytes_per_cycle
        self._burst, self._beat_bytes = config.burst_beats, config.data_bytes
        self._limited = 0 < bytes_per_cycle < 2 * config.data_bytes
        self._outstanding = config.outstanding
        self.writes = SharedWritePort(config, latency, self, pauses)
        self.streams = [
            _Channel(8 * RECORD_BYTES, config),
            _Channel(config.word_bits, config),
            _Channel(config.parameter_word_bits, config, config.parameter_words),
            _Channel(config.tap_word_bits, config, config.tap_words),
            _Channel(config.weight_word_bits, config, config.weight_words),
        ]
        self._map_bits = config.word_bits
        self._image_bits = IMAGE_CHANNELS * config.pixels * config.activation_bits
        self.now = 0
        self._events, self._order = [], 0
        self._taking = set()  # channels whose word is taken in the next cycle stepped
        self._served = len(STREAMS) - 1
        self._due = deque()  # bursts asked for and not received: [channel, beats left]
        self._asking = 0  # length of the burst on its way to the memory
        self._flying = deque()  # bursts at the memory: [cycle from which, beats left]
        self._valid = False  # a beat arrives
        # Bandwidth that nobody takes is kept, up to two beats, from the memory's reset on.
        self._tokens = min(START_CYCLE * bytes_per_cycle, 2 * config.data_bytes)
        self._write_turn = False
        self._paid = not self._limited  # for a beat to write
        self._loading = False
        self._loaded = self._load_words = self._load_ring = self._freed = 0
        self.write_busy = set()

    def _note(self, cycle, kind, *value):
        self._order += 1
        heapq.heappush(self._events, (cycle, self._order, kind, value))

    def command(self, cycle, channel, beats):
        self._note(cycle, "command", channel, beats)

    def begin(self, cycle, descriptor):
        self.advance(cycle)
        self._loading, self._loaded, self._load_words = descriptor.load, 0, descriptor.load_words
        self.streams[ACTIVATIONS].gives.clear()
        self.write_busy.clear()
        self._note(cycle, "begin", descriptor)

    def freed(self, cycle, words):
        self._note(cycle, "freed", words)

    def free(self, cycle, channel, words):
        self._note(cycle, "free", channel, words)

    def take(self, cycle, channel):
        self.advance(cycle)
        self._taking.add(channel)
        return NEVER  # until the cycle is over

    def take_all(self, begin, places, channel, dues=None):
        for number, (place, due) in enumerate(zip(places, dues or places, strict=True)):
            self.advance(begin + due)
            if self.when(channel) > begin + due:
                return number
            self.take(begin + place, channel)
        return len(places)

    def when(self, channel):
        stream = self.streams[channel]
        there = stream.level >= stream.given and channel not in self._taking
        return self.now if there else NEVER

    def wait(self, channel, cycle):
        self.advance(cycle)
        while self.when(channel) > cycle:
            cycle += 1
            self.advance(cycle)
        return cycle

    def available(self, channel, cycle):
        return bisect_left(self.streams[channel].gives, cycle)

    def loaded(self, cycle):
        stream = self.streams[ACTIVATIONS]
        return min(bisect_left(stream.gives, cycle), self._load_words)

    def loaded_in_time(self, begin, begins, first, words):
        # When the core reads the map memory after this cycle has not been told.
        self.advance(begin)
        return self.loaded(begin) >= first + len(begins) * words

    def beats_before(self, cycle):
        return [stream.count(cycle) for stream in self.streams]

    def until(self, channel, words, cycle):
        gives = self.streams[channel].gives
        while len(gives) < words or gives[words - 1] >= cycle:
            cycle += 1
            self.advance(cycle)
        return gives

    def advance(self, cycle):
        while self.now < cycle:
            self._step(self.now)
            self.now += 1

    def _step(self, now):
        frees = [0] * len(STREAMS)
        begin = None
        streams = self.streams
        events = self._events
        while events and events[0][0] <= now:
            _, _, kind, value = heapq.heappop(events)
            if kind == "free":
                frees[value[0]] += value[1]
            elif kind == "freed":
                self._freed = value[0]
            elif kind == "command":
                streams[value[0]].command = value[1]
            else:
                begin = value[0]
        budget = min(self._tokens + self._rate, 2 * self._beat_bytes)

        # The beat that arrives, and the burst that is asked for.
        arrives, due_ready = -1, len(self._due) != self._outstanding
        if self._valid:
            head = self._due[0]
            arrives = head[0]
            head[1] -= 1
            if not head[1]:
                self._due.popleft()
        accepts = len(self._flying) != 64
        granted = -1
        moves = True  # the channel of the data that are read
        if self._pauses:
            addresses, moves = self._pauses.read(now)
            accepts = accepts and addresses
        if due_ready and (not self._asking or accepts):
            for k in range(1, 6):
                if streams[(self._served + k) % 5].request:
                    granted = (self._served + k) % 5
                    break

        # What the memory does: a beat to read, and pay for one to write.
        writes = self.writes
        wants = transfer = False
        if writes.active:
            wants = writes.wants
            WritePort.step(writes, now, self._paid)
            transfer = writes.transfer
            writes.now = now + 1
        wants = self._limited and wants and (not self._paid or transfer)
        self._valid = bool(
            moves
            and self._flying
            and self._flying[0][0] <= now
            and (
                not self._limited
                or (budget >= self._beat_bytes and not (wants and self._write_turn))
            )
        )
        if self._valid:
            head = self._flying[0]
            head[1] -= 1
            if not head[1]:
                self._flying.popleft()
            budget -= self._beat_bytes
            self._write_turn = True
        if transfer and self._limited:
            self._paid = False
        if wants and budget >= self._beat_bytes:
            self._paid = True
            budget -= self._beat_bytes
            self._write_turn = False
        self._tokens = budget
        if self._asking and accepts:
            self._flying.append([now + self._latency - 1, self._asking])
            self._asking = 0
        if granted >= 0:
            self._asking = streams[granted].length
            self._served = granted
            self._due.append([granted, self._asking])

        for index, channel in enumerate(streams):
            self._step_channel(
                now, index, channel, frees[index], arrives == index, granted == index, begin
            )
        self._taking.clear()
        if begin is not None:
            self._load_ring, self._freed = begin.input_ring, 0
            stream = streams[ACTIVATIONS]
            stream.set_word(self._image_bits if begin.stem else self._map_bits)
            if begin.load or begin.stem:
                stream.command = begin.load_beats

    def _step_channel(self, now, index, channel, freed, arrives, granted, begin):
        ready = channel.level <= channel.ready and not channel.ending
        whole = channel.level >= channel.given
        pop = channel.out and ready
        if index in (PARAMETERS, TAPS, WEIGHTS):
            give = whole and channel.ring != channel.depth
            channel.ring += give - freed
        elif index == RECORDS or not self._loading:
            give = index in self._taking
        else:
            give = whole and (
                self._loaded == self._load_words
                or (
                    begin is None
                    and self._loaded - self._freed < self._load_ring
                    and now not in self.write_busy
                )
            )
            self._loaded += give and self._loaded != self._load_words
        if give:
            channel.gives.append(now)
        if channel.ending and not whole:
            channel.level, channel.ending = 0, False
        else:
            if give:
                channel.level -= channel.given
            if pop:
                channel.level += channel.taken
                channel.pops_left -= 1
                channel.ending = channel.pops_left == 0
        if channel.inner and (not channel.out or ready):
            channel.inner -= 1
            channel.out = True
        elif ready:
            channel.out = False
        if arrives:
            channel.inner += 1
            channel.arrivals.append(now)
        room = self._burst - channel.number % self._burst
        length = room if room < channel.left else channel.left
        channel.request = channel.left != 0 and channel.space >= length and not granted
        if granted:
            channel.number += channel.length
            channel.left -= channel.length
            channel.space -= channel.length
        elif channel.command and not channel.left:
            channel.left = channel.command
            channel.pops_left += channel.command
            channel.number = channel.command = 0
        channel.space += pop
        channel.length = length


class SharedWritePort(WritePort):
    """The write side, which steps together with the read side."""

    def __init__(self, config, latency, reads, pauses):
        super().__init__(config, latency, pauses)
        self._reads = reads

    def begin(self, cycle, descriptor):
        self._reads.advance(cycle)
        super().begin(cycle, descriptor)

    def advance(self, cycle):
        self._reads.advance(cycle)
