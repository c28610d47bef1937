"""A stream from memory: the cycles in which beats leave their queue, and words their gearbox.

A stream of constants, or of records, is read by commands that follow one another. Each is a packet:
words lie in its beats from the first on, and what is left of the last beat belongs to no word. The
gearbox takes the next packet's first beat once all words of the packet have left it.

When a burst is asked for, the cycles in which its beats arrive are certain; when a beat leaves its
queue and when a word leaves its gearbox follow by maxima from what was before. Nothing is stepped.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import repeat

from mnv2.hw.config import AcceleratorConfig
from mnv2.hw.gearbox_shape import gearbox_shape
from mnv2.hw.stream_layout import StreamLayout
from mnv2.sim.cycles.port.interface import NEVER

__all__ = ["QUEUE_CYCLES", "REQUEST_CYCLES", "Stream"]

#: From a beat's arrival to its leaving the queue at the earliest, as
#: `mnv2.hw.read_master.ReadMaster` states.
QUEUE_CYCLES = 2
#: From what makes a request possible (a command, a grant, a beat that leaves the queue) to the
#: request: a cycle for the state to change, one for the length to be worked out.
REQUEST_CYCLES = 2


class Stream:
    """A channel of the read master, its queue and gearbox, and the ring or the user after it.

    Parameters
    ----------
    layout : mnv2.hw.stream_layout.StreamLayout
        Layout of its words in external memory.
    config : AcceleratorConfig
    depth : int
        Words of the ring; `NEVER` if there is none.

    Attributes
    ----------
    address, beats, asked : int
        First byte and beats of the command being executed, and of them those asked for.
    before : int
        Beats of the commands before it.
    granted : int
        Cycle in which a burst was last asked for.
    arrivals, pops, gives : list of int
        Cycles, since the program's start or of the last map: of each beat's arrival, of its move
        from the queue into the gearbox, and of each word's leaving the gearbox; as far as they are
        known.
    gaps : list of int
        Numbers of the beats that do not come in the cycle after the beat before.
    left_out : set of int
        Numbers of the words that leave the gearbox as soon as they can, to nobody.
    stale : bool
        Beats have arrived that have not been moved on.
    earliest : int
        Cycle of the next request, as far as the order of commands and grants goes.
    request, length : int
        Cycle from which a burst is requested, as far as is known, and its beats.
    needed : int
        Beats that must have left the queue for it.
    frees, free_cycles : list of int
        Words released in all, and the cycle from which they are.
    taken, given : int
        Width of a beat and of a word, see `mnv2.hw.gearbox_shape.GearboxShape`.
    """

    def __init__(self, layout: StreamLayout, config: AcceleratorConfig, depth: int = NEVER):
        self._burst = config.burst_beats
        self._beat_bytes = config.data_bytes
        self._queue = config.read_queue_beats
        self.arrivals: list[int] = []
        self.pops: list[int] = []
        self.gives: list[int] = []
        self.gaps: list[int] = []
        self.left_out: set[int] = set()
        self.stale = False
        self._counted: list[int] = []  # arrivals of the maps before
        self.address = self.beats = self.asked = self.before = 0
        self.granted = self._accepted = -1
        # Commands that wait: cycle, wait, beats, address; packets after the one in the gearbox.
        self._commands: deque[tuple[int, int, int, int]] = deque()
        self._packets: deque[int] = deque()
        # First beat and word of the packet in the gearbox, and one past its last.
        self._beat0 = self._beat1 = self._word0 = self._word1 = 0
        self._pop_from = 0  # cycle from which its first beat may be taken
        self.earliest = 0
        self.request = self.needed = NEVER
        self.length = 0
        self.depth = depth
        self.frees, self.free_cycles = [0], [-1]
        self._free = 0  # the first of them that gives the next word room
        self.set_layout(layout)

    def set_layout(self, layout: StreamLayout) -> None:
        """Change the layout of the words."""
        shape = gearbox_shape(layout.beat_bits, layout.taken_bits)
        self.taken, self.given = shape.taken, shape.given
        # Highest level at which the gearbox takes a beat.
        self._ready = shape.capacity - shape.taken
        self._simple = self.given % self.taken == 0  # a word is whole beats

    def restart(self, cycle: int, beats: int, address: int) -> None:
        """Begin a map with a command that is offered from a cycle on; the one before is over."""
        self._counted += self.arrivals
        self.arrivals, self.pops, self.gives, self.gaps = [], [], [], []
        self._beat0 = self._beat1 = self._word0 = self._word1 = self.before = 0
        self.beats = self.asked = self._pop_from = 0
        self.command(cycle, beats, address)

    def command(self, cycle: int, beats: int, address: int, wait: int = 0) -> None:
        """See `mnv2.sim.cycles.port.interface.ReadSide.command`."""
        self._commands.append((cycle, wait, beats, address))
        self._packets.append(beats)
        self._next_packet()
        if self.asked == self.beats:
            self.find_request()

    def find_request(self) -> None:
        """Find out from when the next burst is requested."""
        length = self.beats - self.asked
        if not length and self._commands:
            # The next command is taken: in the cycle after the last burst of the one before.
            cycle, wait, length, self.address = self._commands.popleft()
            self._accepted = max(cycle, self._accepted + wait, self.granted + 1)
            self.before += self.beats
            self.beats, self.asked = length, 0
            self.earliest = self._accepted + REQUEST_CYCLES
        if not length:
            self.request = self.needed = NEVER
            return
        room = self._burst - (self.address // self._beat_bytes + self.asked) % self._burst
        if length > room:
            length = room
        self.length = length
        # Beats that must have left the queue.
        needed = self.needed = self.before + self.asked + length - self._queue
        if needed <= 0:
            self.request = self.earliest
        elif needed <= len(self.pops):
            cycle = self.pops[needed - 1] + REQUEST_CYCLES
            self.request = cycle if cycle > self.earliest else self.earliest
        else:
            self.request = NEVER

    def _next_packet(self) -> bool:
        """Begin the next packet, if there is one and all of this one has left the gearbox."""
        if not self._packets or len(self.pops) < self._beat1 or len(self.gives) < self._word1:
            return False
        beats = self._packets.popleft()
        if self._beat1:
            # The gearbox sees that it is empty, then takes a beat.
            self._pop_from = max(self.pops[self._beat1 - 1], self.gives[self._word1 - 1]) + 2
        self._beat0, self._word0 = self._beat1, self._word1
        self._beat1 += beats
        self._word1 += beats * self.taken // self.given
        return True

    def grant(self, cycle: int, first_beat: int) -> None:
        """The burst is asked for; its beats arrive one a cycle."""
        arrivals, length = self.arrivals, self.length
        if not arrivals or arrivals[-1] + 1 != first_beat:
            self.gaps.append(len(arrivals))
        arrivals.extend(range(first_beat, first_beat + length))
        self.asked += length
        self.granted = cycle
        self.earliest = cycle + REQUEST_CYCLES

    def grant_beats(self, cycle: int, beats: Sequence[int]) -> None:
        """The burst is asked for; its beats arrive in these cycles."""
        arrivals = self.arrivals
        number = len(arrivals)
        last = arrivals[-1] if arrivals else -1
        for beat in beats:
            if beat != last + 1:
                self.gaps.append(number)
            last = beat
            number += 1
        arrivals.extend(beats)
        self.asked += self.length
        self.granted = cycle
        self.earliest = cycle + REQUEST_CYCLES

    def is_steady(self) -> bool:
        """Whether beats go through queue and gearbox one a cycle, and words follow at once."""
        pops, queue = self.pops, self._queue
        first = self._beat0
        if first != self.before or len(pops) != len(self.arrivals) or len(pops) - first <= queue:
            return False
        words = (len(pops) - first) * self.taken // self.given
        return (
            self.given >= self.taken
            and pops[-1] - pops[-1 - queue] == queue
            and len(self.gives) == self._word0 + words
            and self.gives[-1] == pops[first - (-words * self.given // self.taken) - 1] + 1
        )

    def _beats_of(self, number: int) -> int:
        """Beats, since the first, with which a word of the packet is whole."""
        return self._beat0 - (-(number - self._word0 + 1) * self.given // self.taken)

    def when_word(self, number: int) -> int:
        """Cycle from which a word is at the gearbox's output, as far as is known."""
        if number >= self._word1:
            return NEVER
        pops = self._beats_of(number)
        if pops > len(self.pops):
            return NEVER
        return self.pops[pops - 1] + 1

    def free(self, cycle: int, words: int) -> None:
        """Words of the ring are released in a cycle."""
        self.frees.append(self.frees[-1] + words)
        self.free_cycles.append(cycle + 1)

    def move(self) -> None:
        """Move on what has arrived."""
        self.stale = False
        if self.depth == NEVER:
            self.pop()
        else:
            self.flow()

    def pop(self) -> None:
        """Move beats into the gearbox, as far as the words given allow."""
        self._pop()
        # Words that are left out, and what follows them.
        while len(self.gives) in self.left_out:
            number = len(self.gives)
            cycle = self.when_word(number)
            if cycle == NEVER:
                break
            self.left_out.remove(number)
            self.gives.append(cycle)
            self._pop()

    def _pop(self) -> None:
        while True:
            self._pop_packet()
            if not self._next_packet():
                return

    def _pop_packet(self) -> None:
        """Move beats of the packet."""
        arrivals, pops, gives = self.arrivals, self.pops, self.gives
        first, first_word = self._beat0, self._word0
        number, count, words = len(pops), min(len(arrivals), self._beat1), len(gives)
        last = pops[-1] if number > first else self._pop_from - 1
        taken, given, ready = self.taken, self.given, self._ready
        while number < count:
            cycle = arrivals[number] + QUEUE_CYCLES
            if cycle <= last:
                cycle = last + 1
            over = (number - first) * taken - ready
            if over > 0:
                needed = first_word - (-over // given)
                if needed > words:
                    break
                if gives[needed - 1] >= cycle:
                    cycle = gives[needed - 1] + 1
            pops.append(cycle)
            last = cycle
            number += 1

    def give(self, cycles: Sequence[int], dues: Sequence[int], first: int) -> int:
        """Words of a map leave the gearbox in cycles from that of the first on; those in time.

        Parameters
        ----------
        cycles, dues : list of int
            When they leave and by when they must be there, both ascending.
        first : int
            Place in them.

        Returns
        -------
        int
            Place of the first that is not known to be there when it must, or their number.
        """
        arrivals, pops, gives = self.arrivals, self.pops, self.gives
        taken, given, ready = self.taken, self.given, self._ready
        number, count, words = len(pops), len(arrivals), len(gives)
        last = pops[-1] if pops else -1
        before = words - first
        end = before + len(cycles)
        while words < end:
            # As `pop`, as far as the next word needs it; the gearbox has room for that.
            needed = -(-(words + 1) * given // taken)
            while number < needed and number < count:
                cycle = arrivals[number] + QUEUE_CYCLES
                if cycle <= last:
                    cycle = last + 1
                over = number * taken - ready
                if over > 0:
                    given_before = gives[-(-over // given) - 1]
                    if given_before >= cycle:
                        cycle = given_before + 1
                pops.append(cycle)
                last = cycle
                number += 1
            if number < needed or pops[needed - 1] >= dues[words - before]:
                break
            # All that are whole with this beat.
            whole = min(needed * taken // given, end)
            gives.extend(cycles[words - before : whole - before])
            words = whole
        if number != count:
            self.pop()
        if self.request == NEVER and len(pops) >= self.needed:
            self.find_request()
        return words - before

    def flow(self) -> None:
        """Move beats into the gearbox and words into the ring, as far as is known."""
        while True:
            self._flow_packet()
            if not self._next_packet():
                return

    def _flow_packet(self) -> None:
        """Move beats and words of the packet."""
        arrivals, pops, gives = self.arrivals, self.pops, self.gives
        taken, given, ready, depth = self.taken, self.given, self._ready, self.depth
        frees, free_cycles, free = self.frees, self.free_cycles, self._free
        first_beat, first_word = self._beat0, self._word0
        number, count, words = len(pops), min(len(arrivals), self._beat1), len(gives)
        last = pops[-1] if number > first_beat else self._pop_from - 1
        last_give = gives[-1] if gives else -1
        while True:
            # Words that are complete.
            needed = first_beat - (-(words - first_word + 1) * given // taken)  # for the next word
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
                needed = first_beat - (-(words - first_word + 1) * given // taken)
            if number == count:
                break
            # The next beat.
            arrives = arrivals[number]
            cycle = arrives + QUEUE_CYCLES
            if cycle <= last:
                cycle = last + 1
            over = (number - first_beat) * taken - ready
            if over > 0:
                before = first_word - (-over // given)
                if before > words:
                    break
                if gives[before - 1] >= cycle:
                    cycle = gives[before - 1] + 1
            # As long as the ring has room, the next beats follow one a cycle, if they have come by
            # then, and each word leaves in the cycle after its last beat.
            chunk = 1
            if given >= taken and last_give < cycle and needed > number:
                chunk = count - number
                room = depth + frees[free if free < len(frees) else -1] - first_word  # words
                chunk = min(chunk, first_beat + room * given // taken - number)
                end = number + chunk
                if arrivals[end - 1] + QUEUE_CYCLES > cycle + chunk - 1:
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
                more = (number - first_beat) // ratio - (words - first_word)
                if more > 0:
                    begin = cycle + first_beat + (words - first_word + 1) * ratio - first
                    gives.extend(range(begin, begin + more * ratio, ratio))
                    words += more
                    last_give = gives[-1]
            else:
                while needed <= number:
                    last_give = pops[needed - 1] + 1
                    gives.append(last_give)
                    words += 1
                    needed = first_beat - (-(words - first_word + 1) * given // taken)
        self._free = free

    def settled(self, words: int) -> tuple[int, int, int] | None:
        """Beats asked for, beats popped and words given when all has come to rest.

        ``words`` more have been freed by then than now. None if the command does not last until
        then, or is not that of the packet in the gearbox.
        """
        if self._beat0 != self.before or not self.beats:
            return None
        room = self.depth + self.frees[-1] + words - self._word0
        given = min(room, self.beats * self.taken // self.given)
        pops = min(self.beats, (given * self.given + self._ready) // self.taken + 1)
        # Bursts end at multiples of their length.
        first = self.address // self._beat_bytes % self._burst
        asked = (first + pops + self._queue) // self._burst * self._burst - first
        if asked + self._burst > self.beats and pops + self._queue >= self.beats:
            asked = self.beats
            if self._commands:
                return None
        return self.before + asked, self.before + pops, self._word0 + given

    def settle(self, cycle: int, asked: int, pops: int, given: int) -> None:
        """Note that all has come to rest: the exact cycles of recent moves no longer matter."""
        self.arrivals.extend(repeat(cycle, asked - len(self.arrivals)))
        self.pops.extend(repeat(cycle, pops - len(self.pops)))
        self.gives.extend(repeat(cycle, given - len(self.gives)))
        self.asked = asked - self.before
        self.granted = max(self.granted, cycle)
        self.find_request()

    @property
    def widens(self) -> bool:
        """Whether a word is no narrower than a beat, so that a beat can pass in every cycle."""
        return self.given >= self.taken

    def missing(self, words: int) -> int:
        """Beats that must still be asked for, at least, before a number of words has come."""
        return -(-words * self.given // self.taken) - self.before - self.asked

    def room_bursts(self) -> int:
        """Bursts whose words the ring has room for, whatever is freed."""
        room = self.depth + self.frees[self._free if self._free < len(self.frees) else -1]
        beats = (room - self._word0) * self.given // self.taken - self.asked
        return min(beats, self.beats - self.asked) // self._burst - 1

    def count(self, cycle: int) -> int:
        """Beats that arrived before a cycle."""
        return bisect_left(self._counted, cycle) + bisect_left(self.arrivals, cycle)
