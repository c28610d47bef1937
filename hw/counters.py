"""Counts what happens during each descriptor, and keeps the counts until the host reads them."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import COUNTER_COLUMNS, COUNTERS, STREAMS
from .passes import Stall

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counters of 32 bits: a row for each descriptor, a set for its block and one for its stem.

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
    row, column, value
        Reads a counter, one cycle later. ``column`` is the position in
        :data:`mnv2.hw.config.COUNTERS`; half of :data:`mnv2.hw.config.COUNTER_COLUMNS` more for
        the stem.
    """

    def __init__(self, *, rows):
        check_integer("Rows", rows)
        self.rows = rows
        self._memory = MemoryData(shape=2 * 32 * len(COUNTERS), depth=rows, init=())
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
            "row":        In(range(rows)),
            "column":     In(range(COUNTER_COLUMNS)),
            "value":      Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(self._memory)
        write, read = memory.write_port(), memory.read_port()

        causes = [cause for cause in Stall if cause != Stall.NONE]
        idle   = ~self.pointwise & ~self.depthwise
        events = Cat(Const(1, 1), self.pointwise, self.depthwise,
                     (idle & (self.stall == cause) for cause in causes),
                     self.read_beat, self.write_beat)
        layout = data.ArrayLayout(data.ArrayLayout(32, len(COUNTERS)), 2)
        counts = Signal(layout)
        sums   = Signal(layout)
        row    = Signal(range(self.rows))
        for part, chosen in ((0, ~self.stem), (1, self.stem)):
            for k in range(len(COUNTERS)):
                m.d.comb += sums[part][k].eq(counts[part][k]
                                             + (events[k] & self.running & chosen))
                m.d.sync += counts[part][k].eq(Mux(self.clear | self.finish, 0, sums[part][k]))
        m.d.comb += [write.en.eq(self.finish), write.addr.eq(row), write.data.eq(sums)]
        with m.If(self.clear):
            m.d.sync += row.eq(0)
        with m.Elif(self.finish):
            m.d.sync += row.eq(Mux(row == self.rows - 1, 0, row + 1))
        column = Signal.like(self.column)
        m.d.sync += column.eq(self.column)
        m.d.comb += [
            read.addr.eq(self.row),
            self.value.eq(Mux(column >= COUNTER_COLUMNS // 2,
                              read.data[32 * len(COUNTERS):],
                              read.data[:32 * len(COUNTERS)])
                          .word_select(column[:-1], 32)),
        ]
        return m
