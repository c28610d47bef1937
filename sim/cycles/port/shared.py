"""The memory port cycle by cycle, where reads and writes share a bandwidth."""

import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence

from mnv2.hw.config import STREAMS, AcceleratorConfig
from mnv2.hw.gearbox_shape import gearbox_shape
from mnv2.hw.stream_layout import StreamLayout
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.port.interface import (
    ACTIVATIONS,
    MEMORY_BURSTS,
    NEVER,
    PARAMETERS,
    RECORDS,
    SERVING_ORDER,
    TAPS,
    WEIGHTS,
)
from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import START_CYCLE, Pauses
from mnv2.sim.cycles.port.writes import WritePort

__all__ = ["SharedReadPort", "SharedWritePort"]

#: Unused bandwidth accumulates from the memory's reset on, up to this many beats: one to read and
#: one to write, as in `sim/rtl/axi_memory.sv`.
BANKED_BEATS = 2


class _Channel:
    """A channel of the read master, its queue and gearbox, and the ring that follows it.

    Parameters
    ----------
    layout : mnv2.hw.stream_layout.StreamLayout
        Layout of its words in external memory.
    config : AcceleratorConfig
    depth : int, optional
        Words of the ring, if there is one.

    Attributes
    ----------
    commands : deque of (int, int, int, int)
        Commands that wait: the cycle from which each is offered, its wait, beats and first byte,
        see `mnv2.sim.cycles.port.interface.ReadSide.command`.
    accepted : int
        Cycle in which the last was taken.
    address, first : int
        Of the command's first byte, and beats that precede it, up to a multiple of a burst's.
    left, number : int
        Beats that have not been asked for, and number of the next.
    space : int
        Beats that the queue has room for, those on their way counted as there.
    request, length : bool, int
        A burst is asked for, and its beats.
    inner, out : int, bool
        Beats in the queue but for the one at its output, and whether there is one.
    packets, pops_left : deque of int, int
        Beats of the commands whose first has not left the queue, and of that before them the beats
        that have not.
    level, ending : int, bool
        Units in the gearbox, and whether what is left in it is dropped.
    ring : int
        Words in the ring.
    arrivals, gives : list of int
        Cycles in which beats arrived, and in which words left the gearbox.
    left_out : set of int
        Numbers of the words that leave the gearbox as soon as they can, to nobody.
    """

    def __init__(self, layout: StreamLayout, config: AcceleratorConfig, depth: int | None = None):
        self.left = self.number = 0
        self.address = self.first = 0
        self.commands: deque[tuple[int, int, int, int]] = deque()
        self.packets: deque[int] = deque()
        self.accepted = -1
        self.left_out: set[int] = set()
        self.space = config.read_queue_beats
        self.request, self.length = False, 0
        self.inner, self.out = 0, False
        self.pops_left = 0
        self.depth = depth
        self.ring = 0
        self.arrivals: list[int] = []
        self.gives: list[int] = []
        self.set_layout(layout)

    def set_layout(self, layout: StreamLayout) -> None:
        """Change the layout of the words; the gearbox is empty."""
        shape = gearbox_shape(layout.beat_bits, layout.taken_bits)
        # A beat gives, and a word takes, that many units.
        self.taken, self.given = shape.taken, shape.given
        # Highest level at which it takes a beat.
        self.ready = shape.capacity - shape.taken
        self.level, self.ending = 0, False

    def count(self, cycle: int) -> int:
        """Beats that arrived before a cycle."""
        return bisect_left(self.arrivals, cycle)


class SharedReadPort:
    """Read master, memory, gearboxes and rings, every cycle of them, with the write side.

    It is a `mnv2.sim.cycles.port.interface.ReadSide`, the obvious form of
    `mnv2.sim.cycles.port.reads.ReadPort`: nothing is skipped. It is used where reads and writes
    share a bandwidth, and as the reference in tests of the other.

    Parameters
    ----------
    config : AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth of reads and writes together; 0, or two beats and more, for a beat a cycle each.
    pauses : Pauses, optional
        When the memory pauses.
    part : PartSchedule, optional
        The part that serves the bursts of both sides, in place of latency and bandwidth.

    Attributes
    ----------
    now : int
        This side's time: the start of this cycle.
    writes : SharedWritePort
    """

    def __init__(
        self,
        config: AcceleratorConfig,
        latency: int,
        bytes_per_cycle: int,
        pauses: Pauses | None = None,
        part: PartSchedule | None = None,
    ):
        self._pauses, self._part = pauses, part
        self._latency, self._rate = latency, bytes_per_cycle
        self._burst, self._beat_bytes = config.burst_beats, config.data_bytes
        self._limited = 0 < bytes_per_cycle < 2 * config.data_bytes
        self._outstanding = config.outstanding
        self.writes = SharedWritePort(config, latency, self, pauses, part)
        layouts = config.streams
        self.streams = [
            _Channel(layouts["program"], config),
            _Channel(layouts["activations"], config),
            _Channel(layouts["parameters"], config, config.parameter_words),
            _Channel(layouts["taps"], config, config.tap_words),
            _Channel(layouts["weights"], config, config.weight_words),
        ]
        self._map_layout, self._image_layout = layouts["activations"], layouts["image"]
        self.now = 0
        # What the core told: (cycle, order, kind, values).
        self._events: list[tuple[int, int, str, tuple]] = []
        self._order = 0
        self._taking: set[int] = set()  # channels whose word is taken in the next cycle stepped
        self._served = len(STREAMS) - 1
        self._due: deque[list[int]] = deque()  # bursts not received: [channel, beats left]
        self._asking = self._asked_address = 0  # the burst on its way to the memory: beats, place
        # At the memory: cycles from which each beat may be read, those of a burst in a list.
        self._flying: deque[deque[int]] = deque()
        self._due_has_room = True
        self._valid = False  # a beat arrives
        self._tokens = min(START_CYCLE * bytes_per_cycle, BANKED_BEATS * config.data_bytes)
        self._write_turn = False
        self._paid = not self._limited  # for a beat to write
        self._loading = False
        self._loaded = self._load_words = self._load_ring = self._freed = 0
        self.write_busy: set[int] = set()

    def _note(self, cycle: int, kind: str, *value: object) -> None:
        """Keep what the core tells until the cycle in which it holds."""
        self._order += 1
        heapq.heappush(self._events, (cycle, self._order, kind, value))

    # What the core tells.

    def command(self, cycle: int, channel: int, beats: int, address: int, wait: int = 0) -> None:
        """See `ReadSide`."""
        self.streams[channel].commands.append((cycle, wait, beats, address))

    def leave_out(self, channel: int, words: Iterable[int]) -> None:
        """See `ReadSide`."""
        self.streams[channel].left_out.update(words)

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """See `ReadSide`."""
        self.advance(cycle)
        self._loading, self._loaded = descriptor.load, 0
        self._load_words = descriptor.load_words
        self.streams[ACTIVATIONS].gives.clear()
        self.write_busy.clear()
        self._note(cycle, "begin", descriptor)

    def freed(self, cycle: int, words: int) -> None:
        """See `ReadSide`."""
        self._note(cycle, "freed", words)

    def free(self, cycle: int, channel: int, words: int) -> None:
        """See `ReadSide`."""
        self._note(cycle, "free", channel, words)

    def take(self, cycle: int, channel: int) -> int:
        """See `ReadSide`. When the next is there is unknown until the cycle is over."""
        self.advance(cycle)
        self._taking.add(channel)
        return NEVER

    def take_all(
        self, begin: int, places: Sequence[int], channel: int, dues: Sequence[int] | None = None
    ) -> int:
        """See `ReadSide`."""
        for number, (place, due) in enumerate(zip(places, dues or places, strict=True)):
            self.advance(begin + due)
            if self.when(channel) > begin + due:
                return number
            self.take(begin + place, channel)
        return len(places)

    # What the core asks.

    def when(self, channel: int) -> int:
        """See `ReadSide`. It is known only once it is there."""
        stream = self.streams[channel]
        there = (
            stream.level >= stream.given
            and channel not in self._taking
            and len(stream.gives) not in stream.left_out
        )
        return self.now if there else NEVER

    def wait(self, channel: int, cycle: int) -> int:
        """See `ReadSide`."""
        self.advance(cycle)
        while self.when(channel) > cycle:
            cycle += 1
            self.advance(cycle)
        return cycle

    def available(self, channel: int, cycle: int) -> int:
        """See `ReadSide`."""
        return bisect_left(self.streams[channel].gives, cycle)

    def loaded(self, cycle: int) -> int:
        """See `ReadSide`."""
        return min(bisect_left(self.streams[ACTIVATIONS].gives, cycle), self._load_words)

    def loaded_in_time(self, begin: int, begins: Sequence[int], first: int, words: int) -> bool:
        """See `ReadSide`. Only what is there at the begin counts.

        When the core reads the map memory after this cycle has not been told.
        """
        self.advance(begin)
        return self.loaded(begin) >= first + len(begins) * words

    def until(self, channel: int, words: int, cycle: int) -> Sequence[int]:
        """See `ReadSide`."""
        gives = self.streams[channel].gives
        while len(gives) < words or gives[words - 1] >= cycle:
            cycle += 1
            self.advance(cycle)
        return gives

    def beats_before(self, cycle: int) -> list[int]:
        """See `ReadSide`."""
        return [stream.count(cycle) for stream in self.streams]

    def advance(self, cycle: int) -> None:
        """See `ReadSide`."""
        while self.now < cycle:
            self._step(self.now)
            self.now += 1

    def _step(self, now: int) -> None:
        """Take a cycle of both sides."""
        frees, begin = self._hear(now)
        arrives = self._receive()
        accepts = len(self._flying) != MEMORY_BURSTS
        moves = True  # the channel of the data that are read
        if self._pauses:
            addresses, moves = self._pauses.read(now)
            accepts = accepts and bool(addresses)
        granted = -1
        if self._due_has_room and (not self._asking or accepts):
            for index in SERVING_ORDER[self._served]:
                if self.streams[index].request:
                    granted = index
                    break
        flying = self._fly(now) if self._asking and accepts else None
        self._step_memory(now, bool(moves))
        if flying:
            self._flying.append(flying)
            self._asking = 0
        if granted >= 0:
            stream = self.streams[granted]
            self._asking = stream.length
            self._asked_address = stream.address + stream.number * self._beat_bytes
            self._served = granted
            self._due.append([granted, self._asking])
        for index, channel in enumerate(self.streams):
            self._step_channel(
                now, index, channel, frees[index], arrives == index, granted == index, begin
            )
        self._taking.clear()
        if begin is not None:
            self._load_ring, self._freed = begin.input_ring, 0
            stream = self.streams[ACTIVATIONS]
            stream.set_layout(self._image_layout if begin.stem else self._map_layout)
            if begin.load or begin.stem:
                stream.commands.append((now + 1, 0, begin.load_beats, begin.load_address))

    def _fly(self, now: int) -> deque[int]:
        """Take the burst that the memory accepts; cycles from which its beats may be read."""
        if self._part is None:
            return deque(self._asking * [now + self._latency - 1])
        arrivals = self._part.read(now, self._asked_address, self._asking)
        return deque(arrival - 1 for arrival in arrivals)

    def _hear(self, now: int) -> tuple[list[int], PlannedDescriptor | None]:
        """Take what the core told of cycles up to this one.

        Returns
        -------
        frees : list of int
            Words of each ring that are released in it.
        begin : PlannedDescriptor or None
            The descriptor that begins.
        """
        frees = [0] * len(STREAMS)
        begin = None
        events = self._events
        while events and events[0][0] <= now:
            _, _, kind, value = heapq.heappop(events)
            if kind == "free":
                frees[value[0]] += value[1]
            elif kind == "freed":
                self._freed = value[0]
            else:
                begin = value[0]
        return frees, begin

    def _receive(self) -> int:
        """Take the beat that arrives; its channel, or -1."""
        # Room for a burst's entry is seen before this cycle's last beat makes more.
        self._due_has_room = len(self._due) != self._outstanding
        if not self._valid:
            return -1
        head = self._due[0]
        head[1] -= 1
        if not head[1]:
            self._due.popleft()
        return head[0]

    def _step_memory(self, now: int, moves: bool) -> None:
        """Let the memory read a beat, and pay for one to write, as far as its bandwidth goes."""
        budget = min(self._tokens + self._rate, BANKED_BEATS * self._beat_bytes)
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
            head.popleft()
            if not head:
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

    def _step_channel(
        self,
        now: int,
        index: int,
        channel: _Channel,
        freed: int,
        arrives: bool,
        granted: bool,
        begin: PlannedDescriptor | None,
    ) -> None:
        """Take a cycle of a channel, its queue, its gearbox and what follows that."""
        ready = channel.level <= channel.ready and not channel.ending
        whole = channel.level >= channel.given
        pop = channel.out and ready
        if index in (PARAMETERS, TAPS, WEIGHTS):
            give = whole and channel.ring != channel.depth
            channel.ring += give - freed
        elif index == RECORDS or not self._loading:
            give = index in self._taking or (whole and len(channel.gives) in channel.left_out)
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
                channel.pops_left = (channel.pops_left or channel.packets.popleft()) - 1
                channel.ending = channel.pops_left == 0
        if channel.inner and (not channel.out or ready):
            channel.inner -= 1
            channel.out = True
        elif ready:
            channel.out = False
        if arrives:
            channel.inner += 1
            channel.arrivals.append(now)
        room = self._burst - (channel.first + channel.number) % self._burst
        length = room if room < channel.left else channel.left
        channel.request = channel.left != 0 and channel.space >= length and not granted
        if granted:
            channel.number += channel.length
            channel.left -= channel.length
            channel.space -= channel.length
        elif channel.commands and not channel.left:
            cycle, wait, beats, address = channel.commands[0]
            if now >= max(cycle, channel.accepted + wait):
                channel.commands.popleft()
                channel.accepted, channel.left, channel.number = now, beats, 0
                channel.packets.append(beats)
                channel.address = address
                channel.first = address // self._beat_bytes % self._burst
        channel.space += pop
        channel.length = length


class SharedWritePort(WritePort):
    """The write side, which steps together with the read side."""

    def __init__(
        self,
        config: AcceleratorConfig,
        latency: int,
        reads: SharedReadPort,
        pauses: Pauses | None,
        part: PartSchedule | None,
    ):
        super().__init__(config, latency, pauses, part)
        self._reads = reads

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """See `WriteSide`."""
        self._reads.advance(cycle)
        super().begin(cycle, descriptor)

    def advance(self, cycle: int) -> None:
        """See `WriteSide`."""
        self._reads.advance(cycle)
