"""The write side of the memory port, cycle by cycle: from the map memory, or the logits, to memory.

Its time follows the core's, and moves only while a descriptor has something to write.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from itertools import repeat

from mnv2.hw.config import STORE_QUEUE_WORDS, WRITE_OUTSTANDING, AcceleratorConfig
from mnv2.hw.gearbox_shape import gearbox_shape
from mnv2.sim.cycles.plan import PlannedDescriptor
from mnv2.sim.cycles.port.interface import MEMORY_BURSTS
from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import Pauses

__all__ = ["WritePort"]

# Bounds of the time after which everything that can be written is in memory, see
# `WritePort._rests_by`. A rest that is assumed too early would change figures; one that is assumed
# too late only costs steps. (Of 109 machines drawn at random none changed with half of them.)

#: A beat takes a cycle to leave the gearbox and one to cross the bus.
BEAT_CYCLES = 2
#: A burst is announced when its last beat is in the queue: a cycle each for the count of the beats,
#: its length, the request, the address, the memory to accept it, and the first beat's way out.
BURST_CYCLES = 6
#: Once: a word's way from the map memory through the store's queue to the gearbox, a command's
#: first request and an answer's way back take less than 4 cycles each. The rest is margin.
REST_CYCLES = 32


class WritePort:
    """Map memory's store, queue of logits, gearbox, write master and memory, at the begin of `now`.

    It is a `mnv2.sim.cycles.port.interface.WriteSide`.

    Parameters
    ----------
    config : AcceleratorConfig
    latency : int
        Cycles from a burst's last beat to its answer.
    pauses : Pauses, optional
        When the memory pauses.
    part : PartSchedule, optional
        The part that serves the bursts of both sides, in place of the latency.
    serve : function of a cycle, optional
        Serves what is read before it; asked before a burst that is written is served.

    Attributes
    ----------
    sent : list of int
        Cycles in which beats were transferred.
    words : int
        Words that the descriptor writes.
    busy : bytearray
        For each cycle since the descriptor's first, whether the core reads the map memory; cycles
        past its end are free.
    transfer : bool
        A beat was transferred in the cycle before.
    """

    def __init__(
        self,
        config: AcceleratorConfig,
        latency: int,
        pauses: Pauses | None = None,
        part: PartSchedule | None = None,
        serve: Callable[[int], None] | None = None,
    ):
        self._latency, self._pauses, self._part, self._serve = latency, pauses, part, serve
        self._address = 0  # of the next burst to be served
        self._first = 0  # beats that precede the command's first, up to a multiple of a burst's
        self._burst = config.burst_beats
        self._depth = config.write_queue_beats
        self._map_layout = config.streams["activations"]
        self._logits_layout = config.streams["logits"]
        self._beat_bytes = config.data_bytes
        self.now = 0
        self.active = False
        self.sent: list[int] = []
        self._events: deque[tuple[int, str, int]] = deque()
        self._clear(0)
        # Master: beats in its queue but for the one at its output, and whether there is one.
        self._inner, self._out = 0, False
        # Beats of a command that waits; beats not announced; number of the next beat; beats in the
        # queue that are not announced; bursts announced and not answered.
        self._command = self._remaining = self._number = self._queued = self._pending = 0
        self._request, self._length = False, 0
        self._announcing = 0  # length of the burst on its way to the memory
        # Memory.
        self._bursts: deque[int] = deque()  # lengths of bursts whose beats have not been sent
        self._accepted = 0  # of them, that the memory knows
        self._place = 0  # beats sent of the first of them
        self._answers: deque[int] = deque()  # cycles from which answers are due
        self._answered = False
        self.transfer = False
        self._base = self._sent_before = 0
        self.busy = bytearray()

    def _clear(self, words: int) -> None:
        """Begin with a descriptor's words, all of which are still to be stored."""
        self.words = words
        self.stored = self._produced = self.taken = 0
        self._room = STORE_QUEUE_WORDS
        self._granted = self._granted_last = False
        self._words: deque[bool] = deque()  # in the store's queue; whether each is the last
        self._level, self._ending = 0, False
        self._logits, self._waiting = False, 0
        self.last_taken = 0

    # What the core tells.

    def begin(self, cycle: int, descriptor: PlannedDescriptor) -> None:
        """See `WriteSide`."""
        self.active = True
        self.now = cycle
        self._base = cycle
        self.busy = bytearray()
        self._events.clear()
        self._sent_before = len(self.sent)
        self._clear(descriptor.store_words)
        self._address = descriptor.store_address
        self._first = self._address // self._beat_bytes % self._burst
        self._logits = descriptor.kind == "classifier"
        # Gearbox: a word gives, and a beat takes, that many units.
        layout = self._logits_layout if self._logits else self._map_layout
        shape = gearbox_shape(layout.taken_bits, layout.beat_bits)
        self._taken, self._given = shape.taken, shape.given
        # Highest level at which it takes a word.
        self._ready = shape.capacity - shape.taken
        # Valid from the next cycle on, taken in it.
        self._events.append((cycle + 1, "command", -(-descriptor.store_bytes // self._beat_bytes)))

    def end(self) -> None:
        """See `WriteSide`."""
        self.active = False

    def produced(self, cycle: int, words: int) -> None:
        """See `WriteSide`."""
        if self.active:
            self._events.append((cycle, "produced", words))

    def logits_word(self, cycle: int) -> None:
        """See `WriteSide`."""
        self._events.append((cycle + 1, "logits", 1))

    def reads(self, cycle: int) -> None:
        """See `WriteSide`."""
        missing = cycle - self._base - len(self.busy)
        if missing >= 0:
            self.busy += bytes(missing) + b"\1"
        else:
            self.busy[cycle - self._base] = 1

    def reads_as(self, cycle: int, busy: bytes) -> None:
        """See `WriteSide`."""
        self.busy += bytes(cycle - self._base - len(self.busy))
        self.busy[cycle - self._base :] = busy

    def busy_from(self, cycle: int) -> bytearray:
        """See `WriteSide`."""
        self.busy += bytes(max(cycle - self._base - len(self.busy), 0))
        return self.busy

    # What the core asks.

    @property
    def written(self) -> bool:
        """See `WriteSide`."""
        return not (self._command or self._remaining or self._pending)

    def count(self, cycle: int) -> int:
        """See `WriteSide`."""
        return bisect_left(self.sent, cycle)

    def advance(self, cycle: int) -> None:
        """See `WriteSide`."""
        events = self._events
        news = True  # since it was last asked whether all comes to rest
        while self.now < cycle:
            if news:
                news = False
                until = min(events[0][0], cycle) if events else cycle
                if self._rests_by(until):
                    self._rest(until)
                    continue
            known = len(events)
            if not self.step(self.now):
                # Nothing moves before the next event, or the next answer.
                wake = min(
                    events[0][0] if events else cycle,
                    self._answers[0] if self._answers else cycle,
                    cycle,
                )
                self.now = max(self.now + 1, wake)
            else:
                self.now += 1
            news = len(events) != known

    def _rests_by(self, cycle: int) -> bool:
        """Whether all that was produced is in memory by a cycle for certain.

        Its exact cycle then no longer matters. The last event waited for another, that one for an
        earlier one, and so on: on such a path each word costs a cycle; each beat
        `BEAT_CYCLES`; each burst `BURST_CYCLES`; every `WRITE_OUTSTANDING` bursts an answer; and
        the core those cycles in which it reads the map memory. The sum bounds the path.
        """
        words = self._produced - self.stored
        free = cycle - self.now - words
        if (
            free <= 0
            or self._pauses
            or self._part
            or self._logits
            or self._first
            or self._command
            or not self._remaining
            or self._produced == self.words
        ):
            return False
        beats = self._produced * self._taken // self._given - (len(self.sent) - self._sent_before)
        bursts = beats // self._burst + 1 + self._pending
        answers = bursts // WRITE_OUTSTANDING + 1 + (self._pending != 0)
        free -= BEAT_CYCLES * beats + BURST_CYCLES * bursts + answers * (self._latency + 1)
        free -= REST_CYCLES
        return free > 0 and free > self.busy.count(1, self.now - self._base, cycle - self._base)

    def _rest(self, cycle: int) -> None:
        """Move to a cycle by which all has come to rest: less than a burst's beats wait."""
        beats, self._level = divmod(self._produced * self._taken, self._given)
        bursts, waiting = divmod(beats, self._burst)
        sent = bursts * self._burst
        self.sent.extend(repeat(self.now, self._sent_before + sent - len(self.sent)))
        self.stored, self._room = self._produced, STORE_QUEUE_WORDS
        self._words.clear()
        self._granted = self._granted_last = False
        self._remaining += self._number - sent
        self._number, self._queued = sent, waiting
        self._inner, self._out = max(waiting - 1, 0), waiting > 0
        self._length = min(self._burst, self._remaining)
        self._request = self._answered = self.transfer = False
        self._announcing = self._pending = self._accepted = self._place = 0
        self._bursts.clear()
        self._answers.clear()
        self.now = cycle

    @property
    def wants(self) -> bool:
        """A burst has been announced, whose beats take bandwidth."""
        return bool(self._accepted)

    def _hear(self, now: int) -> None:
        """Take what the core told of cycles up to this one."""
        events = self._events
        while events and events[0][0] <= now:
            _, kind, value = events.popleft()
            if kind == "command":
                self._command = value
            elif kind == "produced":
                self._produced = value
            else:
                self._waiting += 1

    def _take_word(self, now: int, ready: bool) -> tuple[bool, bool, bool]:
        """Move words towards the gearbox, and one into it if it is ready.

        Returns
        -------
        word, last : bool
            One entered the gearbox, the descriptor's last.
        request : bool
            The map memory is asked for a word.
        """
        if self._logits:
            if not (self._waiting and ready):
                return False, False, False
            self._waiting -= 1
            self.taken += 1
            self.last_taken = now
            return True, self.taken == self.words, False
        request = self.stored != self._produced and self.stored != self.words and self._room != 0
        place = now - self._base
        grant = request and not (place < len(self.busy) and self.busy[place])
        word = last = False
        if self._words and ready:
            word, last = True, self._words.popleft()
            self._room += 1
        # The map memory's word comes the cycle after the grant.
        if self._granted:
            self._words.append(self._granted_last)
        self._granted, self._granted_last = grant, self.stored + 1 == self.words
        if grant:
            self.stored += 1
            self._room -= 1
        return word, last, request

    def step(self, now: int, paid: bool = True) -> bool:
        """Take a cycle; whether anything moved, or may move in the next.

        Parameters
        ----------
        now : int
        paid : bool
            There is bandwidth for a beat.
        """
        if self._events and self._events[0][0] <= now:
            self._hear(now)
        addresses = answers = data = 1  # whether their channels move
        if self._pauses:
            addresses, data, answers = self._pauses.write(now)
        transfer = (
            self._accepted and self._out and paid and data and len(self._answers) != MEMORY_BURSTS
        )
        if transfer:
            self.sent.append(now)
        self.transfer = bool(transfer)
        # Gearbox.
        level, given = self._level, self._given
        final = self._ending and level <= given
        store = (self._ending or level >= given) and self._inner != self._depth - 1
        ready = level <= self._ready and not self._ending
        word, last, request = self._take_word(now, ready)
        if store:
            level = 0 if final else level - given
            if final:
                self._ending = False
        if word:
            level += self._taken
            self._ending = last
        self._level = level
        # Announcement.
        remaining, queued = self._remaining, self._queued
        answer = self._answered and self._pending != 0
        accepted = self._announcing if addresses else 0
        grant = (
            self._request and self._pending != WRITE_OUTSTANDING and accepted == self._announcing
        )
        room = self._burst - self._number % self._burst
        length = room if room < remaining else remaining
        request_now = remaining != 0 and queued >= length and not grant
        moved = (
            transfer
            or store
            or word
            or request
            or grant
            or answer
            or self._granted
            or self._words
            or self._announcing
            or self._accepted
            or request_now != self._request
            or self._command
            or length != self._length
            or self._answered
        )
        self._request = request_now
        self._queued += store
        self._announcing -= accepted
        if grant:
            self._announcing = self._length
            self._bursts.append(self._length)
            self._number += self._length
            self._remaining -= self._length
            self._queued -= self._length
        if self._command and remaining == 0:
            self._remaining, self._number, self._command = self._command, self._first, 0
        self._length = length
        self._pending += grant - answer
        return self._step_data(now, self.transfer, store, accepted, bool(answers)) or bool(moved)

    def _answer(self, now: int, beats: int) -> int:
        """Cycle of the answer to a burst whose last beat is transferred now."""
        if self._part is None:
            return now + self._latency
        if self._serve:
            self._serve(now)
        address, self._address = self._address, self._address + beats * self._beat_bytes
        return self._part.write(now, address, beats)

    def _step_data(
        self, now: int, transfer: bool, store: bool, accepted: int, answers: bool
    ) -> bool:
        """Take a cycle of the master's data and of the memory's answers; whether anything moved.

        Parameters
        ----------
        now : int
        transfer, store : bool
            A beat leaves the master's queue, another enters it.
        accepted : int
            Length of the burst that the memory accepts, or 0.
        answers : bool
            The channel of answers moves.
        """
        moved = False
        ends = 0  # beats of a burst that ends
        if transfer:
            self._place += 1
            if self._place == self._bursts[0]:
                ends = self._bursts.popleft()
                self._place = 0
                self._accepted -= 1
        if self._inner and (not self._out or transfer):
            self._inner -= 1
            self._out = moved = True
        elif transfer:
            self._out = False
        self._inner += store
        self._answered = bool(self._answers and self._answers[0] <= now and answers)
        if self._answered:
            self._answers.popleft()
            moved = True
        if ends:
            self._answers.append(self._answer(now, ends) - 1)
        if accepted:
            self._accepted += 1
        return moved
