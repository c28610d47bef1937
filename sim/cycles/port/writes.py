"""The write side of the memory port, cycle by cycle: from the map memory, or the logits, to memory.

It runs behind the core and only while a descriptor has something to write.
"""

from bisect import bisect_left
from collections import deque
from itertools import repeat
from math import gcd

__all__ = ["WritePort"]

_LOGIT_BITS = 40  # of a channel: accumulator and requantised value
_WRITES = 4  # bursts announced and not answered
_STORE_QUEUE = 4  # words between the map memory and the gearbox
_MEMORY_QUEUE = 64  # bursts that the memory accepts


class WritePort:
    """State at the beginning of cycle `now`.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    latency : int
        Cycles from a burst's last beat to its answer.
    pauses : mnv2.sim.cycles.port.pauses.Pauses, optional
        When the memory pauses.
    """

    def __init__(self, config, latency, pauses=None):
        self._latency, self._pauses = latency, pauses
        self._burst = config.burst_beats
        self._depth = config.write_queue_beats
        self._data_bits = config.data_bits
        self._word_bits = config.word_bits
        self._logit_bits = _LOGIT_BITS * config.inputs
        self._beat_bytes = config.data_bytes
        self.now = 0
        self.active = False  # the descriptor in work writes
        self.sent = []  # cycles in which beats were transferred
        self._events = deque()
        self._clear(0)
        # Master and memory.
        self._inner, self._out = 0, False
        self._command = self._remaining = self._number = self._queued = self._pending = 0
        self._request, self._length = False, 0
        self._announcing = 0  # length of the burst on its way to the memory
        self._bursts = deque()  # lengths of bursts whose beats have not been sent
        self._accepted = 0  # of them, that the memory knows
        self._place = 0  # beats sent of the first of them
        self._answers = deque()
        self._answered = False

    def _clear(self, words):
        self.words = words
        self.stored = self._produced = self.taken = 0
        self._room = _STORE_QUEUE
        self._granted = self._granted_last = False
        self._words = deque()
        self._level, self._ending = 0, False
        self._logits, self._waiting = False, 0
        self.last_taken = 0

    # What the core tells.

    def begin(self, cycle, descriptor):
        """A descriptor that writes has its first cycle."""
        self.active = True
        self.now = cycle
        self._base = cycle
        #: For each cycle from the first on, whether the core reads the map memory.
        self.busy = bytearray()
        self._events.clear()
        self._sent_before = len(self.sent)
        self._clear(descriptor.store_words)
        self._logits = descriptor.kind == "classifier"
        bits = self._logit_bits if self._logits else self._word_bits
        unit = gcd(bits, self._data_bits)
        self._taken, self._given = bits // unit, self._data_bits // unit
        self._ready = self._given + min(self._taken, self._given) - 1
        # Valid from the next cycle on, taken in it.
        self._events.append((cycle + 1, "command", -(-descriptor.store_bytes // self._beat_bytes)))

    def end(self):
        """See `WriteSide`."""
        self.active = False

    def produced(self, cycle, words):
        """Words of the output that are complete, from a cycle on."""
        if self.active:
            self._events.append((cycle, "produced", words))

    def logits_word(self, cycle):
        """A word of logits arrives in its queue in a cycle."""
        self._events.append((cycle + 1, "logits", 1))

    def reads(self, cycle):
        """The core reads the map memory in a cycle."""
        missing = cycle - self._base - len(self.busy)
        if missing >= 0:
            self.busy += bytes(missing) + b"\1"
        else:
            self.busy[cycle - self._base] = 1

    def reads_as(self, cycle, busy):
        """From a cycle on, the core reads the map memory in those that are marked, and no other."""
        self.busy += bytes(cycle - self._base - len(self.busy))
        self.busy[cycle - self._base :] = busy

    def busy_from(self, cycle):
        """See `WriteSide`."""
        self.busy += bytes(max(cycle - self._base - len(self.busy), 0))
        return self.busy

    # What the core asks.

    @property
    def written(self):
        """Everything has arrived, and been acknowledged."""
        return not (self._command or self._remaining or self._pending)

    def count(self, cycle):
        """Beats that were transferred before a cycle."""
        return bisect_left(self.sent, cycle)

    def advance(self, cycle):
        """Step to the beginning of a cycle."""
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

    def _rests_by(self, cycle):
        """Whether all that was produced is written by a cycle for certain.

        When exactly is of no interest then. What ends last waited for something, that for something
        before it, and so on: on such a path each word costs a cycle; each beat one where it leaves
        the gearbox and one on its way to the memory; each burst those of its announcement; every
        fourth burst its answer; and the core those in which it reads the map memory.
        """
        words = self._produced - self.stored
        free = cycle - self.now - words
        if (
            free <= 0
            or self._pauses
            or self._logits
            or self._command
            or not self._remaining
            or self._produced == self.words
        ):
            return False
        beats = self._produced * self._taken // self._given - (len(self.sent) - self._sent_before)
        bursts = beats // self._burst + 1 + self._pending
        answers = bursts // _WRITES + 1 + (self._pending != 0)
        free -= 2 * beats + 6 * bursts + answers * (self._latency + 1) + 32
        return free > 0 and free > self.busy.count(1, self.now - self._base, cycle - self._base)

    def _rest(self, cycle):
        """Go on to a cycle by which all has come to rest: less than a burst's beats wait."""
        beats, self._level = divmod(self._produced * self._taken, self._given)
        bursts, waiting = divmod(beats, self._burst)
        sent = bursts * self._burst
        self.sent.extend(repeat(self.now, self._sent_before + sent - len(self.sent)))
        self.stored, self._room = self._produced, _STORE_QUEUE
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
    def wants(self):
        """A burst has been announced, whose beats take bandwidth."""
        return bool(self._accepted)

    def step(self, now, paid=True):
        """One cycle; whether anything moved or may move in the next."""
        events = self._events
        while events and events[0][0] <= now:
            _, kind, value = events.popleft()
            if kind == "command":
                self._command = value
            elif kind == "produced":
                self._produced = value
            else:
                self._waiting += 1
        addresses = answers = data = 1  # whether their channels move
        if self._pauses:
            addresses, data, answers = self._pauses.write(now)
        transfer = (
            self._accepted and self._out and paid and data and len(self._answers) != _MEMORY_QUEUE
        )
        if transfer:
            self.sent.append(now)
        self.transfer = bool(transfer)
        # Gearbox.
        level, given = self._level, self._given
        final = self._ending and level <= given
        store = (self._ending or level >= given) and self._inner != self._depth - 1
        ready = level <= self._ready and not self._ending
        word = last = request = False
        if self._logits:
            if self._waiting and ready:
                self._waiting -= 1
                self.taken += 1
                self.last_taken = now
                word, last = True, self.taken == self.words
        else:
            request = (
                self.stored != self._produced and self.stored != self.words and self._room != 0
            )
            place = now - self._base
            grant = request and not (place < len(self.busy) and self.busy[place])
            if self._words and ready:
                word, last = True, self._words.popleft()
                self._room += 1
            if self._granted:
                self._words.append(self._granted_last)
            self._granted, self._granted_last = grant, self.stored + 1 == self.words
            if grant:
                self.stored += 1
                self._room -= 1
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
        grant = self._request and self._pending != _WRITES and accepted == self._announcing
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
            self._remaining, self._number, self._command = self._command, 0, 0
        self._length = length
        self._pending += grant - answer
        # Data.
        ends = False
        if transfer:
            self._place += 1
            if self._place == self._bursts[0]:
                ends = True
                self._place = 0
                self._bursts.popleft()
                self._accepted -= 1
        if self._inner and (not self._out or transfer):
            self._inner -= 1
            self._out = True
            moved = True
        elif transfer:
            self._out = False
        self._inner += store
        # Memory.
        self._answered = bool(self._answers and self._answers[0] <= now and answers)
        if self._answered:
            self._answers.popleft()
            moved = True
        if ends:
            self._answers.append(now + self._latency - 1)
        if accepted:
            self._accepted += 1
        return moved
