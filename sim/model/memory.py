"""The memory port and what lies between it and the core, cycle by cycle.

Everything here runs behind the core: the core notes what it does and when, and the port catches up
when the core wants to know something that the port decides. Ring words that are known to be there
stay there, so most of the time nobody asks.
"""

import heapq
from collections import deque
from math import gcd

__all__ = ["CHANNELS", "MemoryPort"]

#: Streams that are read, in the order of the channels.
CHANNELS = ("program", "activations", "parameters", "taps", "weights")
PROGRAM, ACTIVATIONS, PARAMETERS, TAPS, WEIGHTS = range(5)

_RECORD_BITS, _LOGIT_BITS, _IMAGE_CHANNELS = 1024, 40, 3
_MEMORY_QUEUE  = 64     # bursts that the memory accepts
_WRITES        = 4      # bursts announced and not answered
_STORE_QUEUE   = 4      # words between the map memory and the store's gearbox


class Gear:
    """A gearbox, see `hw.gearbox.Gearbox`; levels in units of the widths' common divisor."""

    __slots__ = ("taken", "given", "last_ready", "level", "ending")

    def __init__(self, input_bits, output_bits):
        unit = gcd(input_bits, output_bits)
        self.taken = input_bits // unit
        self.given = output_bits // unit
        capacity = self.taken + self.given + min(self.taken, self.given) - 1
        self.last_ready = capacity - self.taken      # highest level at which it takes a word
        self.level  = 0
        self.ending = False

    def clear(self):
        self.level, self.ending = 0, False


class Channel:
    """A channel of the read master with its queue, and the gearbox and ring behind it."""

    __slots__ = ("remaining", "number", "space", "request", "length", "inner", "out", "gear",
                 "pops_left", "ring", "depth", "given", "given_before", "command")

    def __init__(self, gear, depth, space):
        self.remaining = 0
        self.number    = 0
        self.space     = space
        self.request   = False
        self.length    = 0
        self.inner     = 0
        self.out       = False
        self.gear      = gear
        self.pops_left = 0          # beats of the command that have not left the queue
        self.ring      = 0
        self.depth     = depth      # of the ring; None if there is none
        self.given     = 0          # words that left the gearbox
        self.given_before = 0       # a cycle earlier
        self.command   = 0          # beats of a command that waits


class MemoryPort:
    """State of the port at the beginning of cycle `now`.

    Parameters
    ----------
    config : hw.config.AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth shared by reads and writes; 0 for a beat a cycle in each direction.
    """

    def __init__(self, config, latency, bytes_per_cycle=0):
        self.latency    = latency
        self.outstanding = config.outstanding
        self.burst      = config.burst_beats
        self.fifo       = config.read_queue_beats
        self.beat_bytes = config.data_bytes
        self.rate       = bytes_per_cycle
        self.limited    = 0 < bytes_per_cycle < 2 * config.data_bytes
        bits, data = config, config.data_bits
        self.channels = [
            Channel(Gear(data, _RECORD_BITS), None, self.fifo),
            Channel(Gear(data, bits.word_bits), None, self.fifo),
            Channel(Gear(data, bits.parameter_word_bits), config.parameter_words, self.fifo),
            Channel(Gear(data, bits.tap_word_bits), config.tap_words, self.fifo),
            Channel(Gear(data, bits.weight_word_bits), config.weight_words, self.fifo),
        ]
        self._map_gear   = self.channels[ACTIVATIONS].gear
        self._image_gear = Gear(data, _IMAGE_CHANNELS * config.pixels * config.activation_bits)
        self.now    = 0
        self.events = []
        self._order = 0
        self.rows   = []            # beats read by channel and beats written, for each row
        self.row    = None
        # Read side.
        self.served  = len(CHANNELS) - 1
        self.due     = deque()      # bursts asked for and not received: [channel, beats left]
        self.arvalid = False
        self.flying  = deque()      # bursts at the memory: [cycle from which it may be sent, beats]
        self.rvalid  = False
        self.counted = None         # channel whose beat is counted in this cycle
        self.tokens  = 0
        self.write_turn = False
        # Loader.
        self.loaded = self.load_words = self.load_ring = self.freed = 0
        self.write_busy = set()     # cycles in which results are written to the map memory
        # Storer and write side.
        self.storing = False        # a block or classifier with output to write is under way
        self.stored = self.store_words = self.produced = 0
        self.store_room = _STORE_QUEUE
        self.granted = self.granted_last = False
        self.store_queue = deque()
        self.read_busy   = set()    # cycles in which the core reads the map memory
        self.store_gear  = Gear(config.word_bits, data)
        self.logits_gear = Gear(_LOGIT_BITS * config.inputs, data)
        self.is_classifier = False
        self.logits_queue  = 0
        self.logits_left   = 0
        self.logits_taken  = 0
        self.logits_times  = deque()
        self.write_depth = config.write_queue_beats
        self.write_inner, self.write_out = 0, False
        self.write_command = 0
        self.write_remaining = self.write_number = self.write_stored = self.write_pending = 0
        self.write_request, self.write_length = False, 0
        self.awvalid     = False
        self.announced   = deque()  # lengths of bursts whose data are not sent
        self.accepted    = deque()  # lengths of bursts that the memory has accepted
        self.sent        = 0
        self.paid        = not self.limited
        self.answers     = deque()
        self.bvalid      = False

    # What the core notes.

    def note(self, cycle, kind, *value):
        """Something that happens in a cycle that has not been stepped yet."""
        self._order += 1
        heapq.heappush(self.events, (cycle, self._order, kind, value))

    def begin(self, cycle, work):
        """A descriptor's first cycle."""
        self.note(cycle, "begin", work)

    @property
    def image_valid(self):
        """A word of the image waits."""
        return self._image_gear.level >= self._image_gear.given

    @property
    def written(self):
        """All that was to be written has arrived."""
        return not (self.write_command or self.write_remaining or self.write_pending)

    def available(self, channel):
        """Words that have come into a ring since the program began."""
        return self.channels[channel].given

    @property
    def record_valid(self):
        gear = self.channels[PROGRAM].gear
        return gear.level >= gear.given

    def advance(self, cycle):
        """Step to the beginning of a cycle."""
        while self.now < cycle:
            self._step()

    # One cycle.

    def _step(self):
        now = self.now
        frees = [0] * 5
        begin = None
        image_taken = record_taken = False
        events = self.events
        while events and events[0][0] <= now:
            _, _, kind, value = heapq.heappop(events)
            if kind == "free":
                frees[value[0]] += value[1]
            elif kind == "row":
                self.row = value[0]
            elif kind == "freed":
                self.freed = value[0]
            elif kind == "produced":
                self.produced = value[0]
            elif kind == "image":
                image_taken = True
            elif kind == "record":
                record_taken = True
            elif kind == "command":
                self.channels[value[0]].command = value[1]
            elif kind == "stem":
                # The block's descriptor is there: it says whose beats the activations are.
                self.channels[ACTIVATIONS].gear = self._image_gear if value[0] else self._map_gear
            elif kind == "work":
                self.is_classifier = value[0].kind == "classifier"
                self.storing = self.storing or value[0].store
            elif kind == "begin":
                begin = value[0]
        row = self.row
        if self.counted is not None and row is not None:
            row[self.counted] += 1
        budget = self.tokens
        if self.limited:
            budget = min(budget + self.rate, 2 * self.beat_bytes)

        # The beat that arrives, and the grant.
        arrives = -1
        self.counted = None
        due_ready = len(self.due) != self.outstanding
        if self.rvalid:
            head = self.due[0]
            arrives = head[0]
            self.counted = arrives
            head[1] -= 1
            if not head[1]:
                self.due.popleft()
        channels = self.channels
        arready = len(self.flying) != _MEMORY_QUEUE
        granted = -1
        if due_ready and (not self.arvalid or arready):
            for k in range(1, 6):
                index = (self.served + k) % 5
                if channels[index].request:
                    granted = index
                    break

        # Write side first where it is decided by registers alone.
        w_transfer = self._step_writes(now, begin) if self.storing else False

        # The memory: a beat to send. `flying` holds what is there at the beginning of this cycle.
        write_wanted = self.limited and self.accepted_before and (not self.paid or w_transfer)
        if (self.flying and self.flying[0][0] <= now
                and (not self.limited or (budget >= self.beat_bytes
                                          and not (write_wanted and self.write_turn)))):
            self.rvalid = True
            head = self.flying[0]
            head[1] -= 1
            if not head[1]:
                self.flying.popleft()
            if self.limited:
                budget -= self.beat_bytes
            self.write_turn = True
        else:
            self.rvalid = False
        if self.limited:
            if w_transfer:
                self.paid = False
            if write_wanted and budget >= self.beat_bytes:
                self.paid = True
                budget -= self.beat_bytes
                self.write_turn = False
        self.tokens = budget
        if self.arvalid and arready:
            self.flying.append([now + self.latency - 1, self._asked])
            self.arvalid = False
        if granted >= 0:
            self.arvalid = True
            self._asked  = channels[granted].length
            self.served  = granted
            self.due.append([granted, channels[granted].length])

        # The channels.
        for index in range(5):
            channel = channels[index]
            gear  = channel.gear
            ready = gear.level <= gear.last_ready and not gear.ending
            whole = gear.level >= gear.given
            pop   = channel.out and ready
            # What leaves the gearbox.
            if index == PROGRAM:
                give = record_taken
            elif index == ACTIVATIONS:
                if gear is self._image_gear:
                    give = image_taken
                else:
                    give = self._step_loader(now, whole, begin)
            else:
                give = whole and channel.ring != channel.depth
                channel.ring += give - frees[index]
            channel.given_before = channel.given
            channel.given += give
            if gear.ending and not whole:
                gear.level, gear.ending = 0, False
            else:
                level = gear.level - gear.given if give else gear.level
                if pop:
                    level += gear.taken
                    channel.pops_left -= 1
                    gear.ending = channel.pops_left == 0
                gear.level = level
            # The queue.
            if channel.inner and (not channel.out or ready):
                channel.inner -= 1
                channel.out = True
            elif ready:
                channel.out = False
            if index == arrives:
                channel.inner += 1
            # The next request.
            mine   = granted == index
            room   = self.burst - channel.number % self.burst
            length = room if room < channel.remaining else channel.remaining
            request = channel.remaining != 0 and channel.space >= length and not mine
            if mine:
                channel.number    += channel.length
                channel.remaining -= channel.length
                channel.space     -= channel.length
            elif channel.command and not channel.remaining:
                channel.remaining = channel.command
                channel.pops_left += channel.command
                channel.number    = 0
                channel.command   = 0
            channel.space  += pop
            channel.request = request
            channel.length  = length
        if begin is not None:
            self._image_gear.clear()
            self._map_gear.clear()
            self.loaded, self.load_words = 0, begin.load_words
            self.load_ring = begin.input_ring
            self.freed = 0
            if begin.load or begin.stem:
                channels[ACTIVATIONS].command = begin.load_beats
        self.now = now + 1

    def _step_loader(self, now, whole, begin):
        """Whether a word leaves the gearbox for the map memory, or is the rest of a beat."""
        rest = self.loaded == self.load_words
        if not whole:
            return False
        if rest:
            return True
        if (begin is None and self.loaded - self.freed < self.load_ring
                and now not in self.write_busy):
            self.loaded += 1
            return True
        return False

    accepted_before = False

    def _step_writes(self, now, begin):
        """Storer, gearboxes, write master and memory; whether a beat is transferred."""
        # Transfers of this cycle, from registers.
        queue_ready = self.write_inner != self.write_depth - 1
        self.accepted_before = bool(self.accepted)
        valid    = bool(self.announced) and self.write_out
        transfer = valid and self.paid and self.accepted_before and len(self.answers) != 64
        if transfer and self.row is not None:
            self.row[5] += 1
        gear  = self.logits_gear if self.is_classifier else self.store_gear
        final = gear.ending and gear.level <= gear.given
        valid = gear.ending or gear.level >= gear.given
        store = valid and queue_ready
        # Into the gearbox: a word of the map or of the logits.
        ready = gear.level <= gear.last_ready and not gear.ending
        word = last = False
        if self.is_classifier:
            while self.logits_times and self.logits_times[0] < now:
                self.logits_times.popleft()
                self.logits_queue += 1
            if self.logits_queue and ready:
                self.logits_queue -= 1
                self.logits_taken += 1
                self.last_taken = now
                word, last = True, self.logits_left == 1
                if begin is None:
                    self.logits_left -= 1
        else:
            request = (self.stored != self.produced and self.stored != self.store_words
                       and self.store_room != 0 and begin is None)
            grant = request and now not in self.read_busy
            if self.store_queue and ready:
                word, last = True, self.store_queue.popleft()
                self.store_room += 1
            if self.granted:
                self.store_queue.append(self.granted_last)
            self.granted, self.granted_last = grant, self.stored + 1 == self.store_words
            if grant:
                self.stored     += 1
                self.store_room -= 1
        level = gear.level
        if store:
            level = 0 if final else level - gear.given
            if final:
                gear.ending = False
        if word:
            level += gear.taken
            gear.ending = last
        gear.level = level
        # Announcement.
        remaining, stored = self.write_remaining, self.write_stored
        answer = self.bvalid and self.write_pending != 0
        grant  = (self.write_request and self.write_pending != _WRITES)
        room   = self.burst - self.write_number % self.burst
        length = min(room, remaining)
        self.write_request = remaining != 0 and stored >= length and not grant
        self.write_stored += store
        if self.awvalid:
            self.awvalid = False
            accepted = self._announcing
        else:
            accepted = 0
        if grant:
            self.awvalid = True
            self._announcing = self.write_length
            self.write_number    += self.write_length
            self.write_remaining -= self.write_length
            self.write_stored    -= self.write_length
        if self.write_command and remaining == 0:
            self.write_remaining = self.write_command
            self.write_number    = 0
            self.write_command   = 0
        announced, self.write_length = self.write_length, length
        self.write_pending += grant - answer
        # Data.
        ends = False
        if transfer:
            self.sent += 1
            if self.sent == self.announced[0]:
                ends = True
                self.sent = 0
                self.announced.popleft()
                self.accepted.popleft()
        if grant:
            self.announced.append(announced)
        if self.write_inner and (not self.write_out or transfer):
            self.write_inner -= 1
            self.write_out = True
        elif transfer:
            self.write_out = False
        self.write_inner += store
        # Memory.
        self.bvalid = bool(self.answers) and self.answers[0] <= now
        if self.bvalid:
            self.answers.popleft()
        if ends:
            self.answers.append(now + self.latency - 1)
        if accepted:
            self.accepted.append(accepted)
        if begin is not None:
            self.stored = self.produced = 0
            self.store_words = 0 if begin.kind == "classifier" else begin.store_words
            self.logits_left = begin.store_words
            if begin.store:
                self.write_command = -(-begin.store_bytes // self.beat_bytes)
        self.storing = bool(self.storing)
        return transfer
