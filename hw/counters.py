"""Counts what happens during each descriptor, and keeps the counts until the host reads them."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import COUNTER_COLUMNS, COUNTERS, STREAMS
from .passes import Stall

__all__ = ["Counters"]

#: Bits of a count that has not been added to its sum, which happens every 2 * len(COUNTERS) cycles,
#: or as many later as a row takes to be handed over.
_COUNT_BITS = 6

#: Cycles before a row is handed over: the sums that were under way are then written.
_SETTLING = 2


class Counters(wiring.Component):
    """Counters of 32 bits: a row for each descriptor, a set for its block and one for its stem.

    Events are counted in a few bits each. One adder walks over these counts and adds them to sums
    in block RAM, in every other cycle; the host reads sums in the others.

    Timing: the row of a descriptor is whole :attr:`hand_over` cycles after its last cycle; nothing
    is read until then, and no other descriptor may end before: that is 21 cycles, and the shortest
    descriptor takes 29, a classifier of one word on the machine with the fewest stages; one that
    stored nothing would take 24. A row is lost when the descriptor that takes it begins.

    Parameters
    ----------
    rows : int
        Descriptors that there is room for; later ones start again at row 0.

    Members
    -------
    clear
        Begin with row 0.
    running
        Count this cycle.
    stem
        Count it for the stem.
    pointwise, depthwise, stall
        What the array does in this cycle; ``stall`` counts if it does neither.
    read_beat, write_beat
        A beat is transferred, for each stream.
    finish
        This cycle is the descriptor's last.
    read, row, column
        Reads a counter of a descriptor that has ended; held until ``ready``. ``column`` is the
        position in :data:`mnv2.hw.config.COUNTERS`; half of
        :data:`mnv2.hw.config.COUNTER_COLUMNS` more for the stem.
    ready, value
        The counter.
    """

    #: Cycles from ``finish`` to the one in which a descriptor may end again.
    hand_over = len(COUNTERS) + _SETTLING + 1

    def __init__(self, *, rows):
        check_integer("Rows", rows)
        self.rows = rows
        super().__init__({
            "clear":      In(1),
            "running":    In(1),
            "stem":       In(1),
            "pointwise":  In(1),
            "depthwise":  In(1),
            "stall":      In(Stall),
            "read_beat":  In(len(STREAMS)),
            "write_beat": In(1),
            "finish":     In(1),
            "read":       In(1),
            "row":        In(range(rows)),
            "column":     In(range(COUNTER_COLUMNS)),
            "ready":      Out(1),
            "value":      Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        slots = len(COUNTERS)
        pair  = data.ArrayLayout(_COUNT_BITS, 2)        # of the block, of the stem
        sums  = data.ArrayLayout(32, 2)
        place = data.StructLayout({"slot": COUNTER_COLUMNS.bit_length() - 2,
                                   "row": range(self.rows)})
        m.submodules.memory = memory = Memory(shape=sums, depth=1 << place.size, init=[])
        write, read = memory.write_port(), memory.read_port()

        # Counts of the descriptor that runs. That of a slot that is taken begins again.
        counts = Signal(data.ArrayLayout(pair, slots))
        totals = Signal.like(counts)
        taken  = Signal(slots)
        untold = Signal(slots, init=-1)         # sums that hold nothing of this row
        row    = Signal(range(self.rows))
        for slot, event in enumerate(self._events()):
            for part, chosen in enumerate((~self.stem, self.stem)):
                m.d.comb += totals[slot][part].eq(Mux(taken[slot], 0, counts[slot][part])
                                                  + (event & self.running & chosen))
        m.d.sync += [counts.eq(totals), untold.eq(untold & ~taken)]

        # Counts of the descriptor before, which are handed over, the last slot first.
        old        = Signal.like(counts)
        old_untold = Signal(slots)
        old_row    = Signal.like(row)
        left       = Signal(range(self.hand_over))
        with m.If(self.clear | self.finish):
            m.d.sync += [counts.eq(0), untold.eq(-1)]
        with m.If(self.clear):
            m.d.sync += row.eq(0)
        with m.Elif(self.finish):
            m.d.sync += [
                row.eq(Mux(row == self.rows - 1, 0, row + 1)),
                old.eq(totals), old_untold.eq(untold & ~taken), old_row.eq(row),
                left.eq(self.hand_over - 1),
                Assert(left == 0, "A descriptor ended before the one before was counted"),
            ]
        hands_over = Signal()
        m.d.comb += hands_over.eq((left != 0) & (left <= slots))
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(hands_over):
            m.d.sync += [Value.cast(old).eq(Value.cast(old) << pair.size),
                         old_untold.eq(old_untold << 1)]

        # 1. A sum is read, for the adder or for the host.
        turn, slot = Signal(), Signal(place["slot"].width)
        adds, told = Signal(), Signal(place)
        asked      = Signal()
        busy       = Signal(_SETTLING)          # sums of a row are not written yet
        m.d.sync += busy.eq(Cat(left != 0, busy))
        with m.If(left == 0):
            m.d.sync += turn.eq(~turn)
        with m.If(hands_over):
            m.d.comb += [adds.eq(1), told.slot.eq(left - 1), told.row.eq(old_row)]
        with m.Elif((left == 0) & turn & self.running):
            m.d.comb += [adds.eq(1), told.slot.eq(slot), told.row.eq(row),
                         taken.eq(1 << slot)]
            m.d.sync += slot.eq(Mux(slot == slots - 1, 0, slot + 1))
        with m.Else():
            m.d.comb += [asked.eq(self.read & (left == 0) & (busy == 0) & ~self.ready),
                         told.slot.eq(self.column[:-1]), told.row.eq(self.row)]
        m.d.comb += [read.addr.eq(told), read.en.eq(1)]

        # 2. The count is added to it.
        added  = Signal(pair)
        begins = Signal()
        adding = Signal()
        target = Signal(place)
        part   = Signal()
        m.d.sync += [
            adding.eq(adds),
            target.eq(told),
            added.eq(Mux(hands_over, old[slots - 1], counts[slot])),
            begins.eq(Mux(hands_over, old_untold[slots - 1], untold.bit_select(slot, 1))),
            part.eq(self.column[-1]),
            self.ready.eq(asked),
        ]
        m.d.comb += self.value.eq(read.data[part])

        # 3. The sum is written.
        m.d.sync += [write.en.eq(adding), write.addr.eq(target)]
        for k in range(2):
            m.d.sync += write.data[k].eq(Mux(begins, 0, read.data[k]) + added[k])
        return m

    def _events(self):
        """Events of this cycle, in the order of the counters."""
        idle = ~self.pointwise & ~self.depthwise
        return [
            Const(1, 1), self.pointwise, self.depthwise,
            *(idle & (self.stall == cause) for cause in Stall if cause != Stall.NONE),
            *self.read_beat, self.write_beat,
        ]
