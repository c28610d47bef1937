"""The counters: whatever happens, a counter that is read is the number of its events."""

from unittest import mock

from amaranth.hdl import Array, Cat, Mux, Signal, Value

from mnv2.hw.config import COUNTER_ROWS
from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.inner import elaborate_open
from tests.formal.marked_memory import MarkedMemory
from tests.formal.proof import Proof

__all__ = ["PROOFS"]


class _Marked:
    """A counter, any: its slot, whether it is the stem's, and its row; and its state in the unit.

    Attributes
    ----------
    slot, part, row : Signal
        Constants of any value.
    event : Signal
        It counts in this cycle.
    count, old : Value
        Events that are not in the sum, of the descriptor that runs and of the one before.
    rest : Value
        Cycles until the walk comes by, while it runs: to the count of the descriptor that runs.
    total : Value
        The sum, with what is on its way to it.
    fresh : Value
        If its sum is read in this cycle to be added to, nothing is on its way to it; or what is
        added begins it.
    """

    def __init__(self, b, inner, rows):
        slots = inner["slots"]
        self.slot = b.constant("slot", range(slots))
        self.part = b.constant("part")
        self.row = b.constant("row", range(rows))
        b.assume((self.slot < slots) & (self.row < rows))
        unit, memory, left = b.unit, inner["memory"], inner["left"]
        self.event = Signal()
        # As the unit counts them, but for one event among those of the cycle.
        events = Array(unit._events())
        b.module.d.comb += self.event.eq(
            events[self.slot] & unit.running & (unit.stem == self.part)
        )
        bits = inner["_COUNT_BITS"]

        def of(counts, slot):
            pair = Value.cast(counts).word_select(slot, 2 * bits)
            return pair.word_select(self.part, bits)

        self.count = of(inner["counts"], self.slot)
        self.untold = inner["untold"].bit_select(self.slot, 1)
        # Those of the descriptor before are moved up as the last one is handed over.
        moved = Mux(left < slots, slots - left, 0)
        self.old = of(inner["old"], (self.slot + moved)[:5])
        self.old_untold = inner["old_untold"].bit_select((self.slot + moved)[:5], 1)
        self.handing = (left > self.slot) & (inner["old_row"] == self.row)
        distance = Mux(
            self.slot >= inner["slot"],
            self.slot - inner["slot"],
            self.slot + slots - inner["slot"],
        )
        self.rest = left + ~inner["turn"] + (distance[:5] << 1)
        # Three steps: a sum is read, something is added, and it is written.
        self.place = Cat(self.slot, self.row)
        b.module.d.comb += memory.mark.eq(self.place)
        write, read = memory.write, memory.read
        self.adding = inner["adding"] & (Value.cast(inner["target"]) == self.place)
        self.writing = write.en & (write.addr == self.place)
        self.begins, self.read = inner["begins"], self.part_of(read.data)
        kept = Mux(self.writing, self.part_of(write.data), self.part_of(memory.word))
        added = Mux(self.begins, 0, self.read) + Value.cast(inner["added"]).word_select(
            self.part, bits
        )
        self.total = Mux(self.adding, added, kept)[:32]
        reads = inner["adds"] & (Value.cast(inner["told"]) == self.place)
        begins = Mux(
            inner["hands_over"],
            inner["old_untold"][slots - 1],
            inner["untold"].bit_select(inner["slot"], 1),
        )
        self.fresh = ~(reads & ~begins & (self.adding | self.writing))

    def part_of(self, sums):
        """The marked half of a word of sums."""
        return Value.cast(sums).word_select(self.part, 32)


def _environment(b, inner):
    """The accelerator around them: a program clears the counters, runs, and stops at the end.

    Returns
    -------
    begun, paused : Signal
        Something ran since the last descriptor ended; it stopped before its end.
    """
    unit, m = b.unit, b.module
    b.drive_inputs()
    apart = Signal(range(unit.hand_over))
    begun, paused = Signal(), Signal()
    m.d.sync += apart.eq(Mux(unit.finish, unit.hand_over - 1, apart - apart.any()))
    with m.If(unit.clear | unit.finish):
        m.d.sync += [begun.eq(0), paused.eq(0)]
    with m.Else():
        m.d.sync += [begun.eq(begun | unit.running), paused.eq((begun & ~unit.running) | paused)]
    b.assume(~unit.finish | ((apart == 0) & unit.running & ~unit.clear))
    b.assume(~(paused & unit.running))
    b.check("a row is handed over within the stated cycles", inner["left"] == apart)
    return begun, paused


def _opened(rows):
    """The counters with one word of their memory, under proof; what is inside; one, any, marked."""
    from mnv2.hw import counters as module

    with mock.patch.object(module, "Memory", MarkedMemory):
        unit = module.Counters(rows=rows)
        elaborated, inner = elaborate_open(unit)
    inner["_COUNT_BITS"] = module._COUNT_BITS
    b = Bench(unit, elaborated)
    b.release(inner["memory"].other)
    b.begun, b.paused = _environment(b, inner)
    return b, inner, _Marked(b, inner, rows)


def walk(rows=COUNTER_ROWS):
    """Counts are taken in time, and no sum is read while something is on its way to it."""
    b, inner, one = _opened(rows)
    full = (1 << inner["_COUNT_BITS"]) - 1
    b.check("no count overflows", ~one.event | (one.count < full))
    b.check("a count is taken before it is full", b.paused | (one.count + one.rest < full))
    b.check("a count begins with its descriptor", b.begun | (one.count == 0))
    b.check("a slot is one", inner["slot"] < inner["slots"])
    b.check("rows are handed over in time", inner["left"] < b.unit.hand_over)
    b.check("sums of one row at a time are added to", (inner["left"] == 0) | one.untold)
    b.check("no sum is read while something is on its way to it", one.fresh)
    b.cover(one.event & (one.count == 20) & (one.slot == 3))
    b.cover(one.handing & (one.old == 2) & one.part)
    return b


def sums(rows=COUNTER_ROWS):
    """A counter that is read is right, if what `walk` shows holds."""
    b, inner, one = _opened(rows)
    b.assume(one.fresh)
    b.assume(~one.event | (one.count < (1 << inner["_COUNT_BITS"]) - 1))
    m, unit = b.module, b.unit
    # The reference: events of the row, without bound but for the 32 bits of a counter.
    where, known, reference = Signal(range(rows)), Signal(), Signal(32)
    current = where == one.row
    after = Mux(where == rows - 1, 0, where + 1)
    with m.If(unit.clear):
        m.d.sync += where.eq(0)
        with m.If(current):
            m.d.sync += known.eq(0)
        with m.If(one.row == 0):
            m.d.sync += reference.eq(0)
    with m.Else():
        with m.If(unit.finish):
            m.d.sync += where.eq(after)
        with m.If(unit.finish & (after == one.row)):
            m.d.sync += reference.eq(0)
        with m.Elif(current):
            m.d.sync += reference.eq(reference + one.event)
        with m.If(unit.finish & current):
            m.d.sync += known.eq(1)

    asked, expected = Signal(), Signal(32)
    of_it = (unit.row == one.row) & (unit.column == Cat(one.slot, one.part))
    m.d.sync += [asked.eq(of_it & known & ~current), expected.eq(reference)]
    b.check("a counter that is read is right", ~(unit.ready & asked) | (unit.value == expected))
    handed = Mux(one.handing, one.old, 0) + Mux(one.handing & one.old_untold, 0, one.total)
    counted = one.count + Mux(one.untold, 0, one.total)
    for name, condition in {
        "rows are taken in turn": inner["row"] == where,
        "a slot is one": inner["slot"] < inner["slots"],
        "sums of one row at a time are added to": (inner["left"] == 0) | one.untold,
        "a sum is added to as it is": ~(one.adding & ~one.begins)
        | (~one.writing & (one.read == one.part_of(inner["memory"].word))),
        "sums of a row that has been counted are settled before they are read": current
        | ~known
        | (
            ~(one.adding & (inner["left"] == 0) & ~inner["busy"][0])
            & ~(one.writing & (inner["left"] == 0) & (inner["busy"] == 0))
        ),
        "of the row that is counted": ~current | (reference == counted[:32]),
        "of a row that has been counted": current | ~known | (reference == handed[:32]),
    }.items():
        b.check(name, condition)
    b.cover(unit.ready & asked & (unit.value == 2) & (one.slot == 1) & one.part)
    return b


PROOFS = [
    Proof(
        "counters-walk",
        "no count overflows its bits; no sum is read while an addition to it is under way",
        walk,
        Fault("counters", "(left == 0) & turn & self.running", "turn & self.running"),
        depth=4,
        cover_depth=40,
        fault_depth=50,
    ),
    Proof(
        "counters-sums",
        "each counter that is read is its row's number of events, if `counters-walk` holds",
        sums,
        Fault(
            "counters", "old_untold.eq(untold & ~taken), old_row", "old_untold.eq(untold), old_row"
        ),
        depth=2,
        cover_depth=40,
        fault_depth=50,
        small=False,
    ),
]
