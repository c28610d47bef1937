"""The ring: every word can be read until it is freed, and is the word that was written."""

from amaranth.hdl import Mux, Signal

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]


def bench(depth, free_limit=None, width=2):
    """A ring whose reader stays within the words that are available; one word, any, is marked."""
    from mnv2.hw.ring import Ring

    unit = Ring(shape=width, depth=depth, free_limit=free_limit)
    b = Bench(unit)
    m = b.module
    take, word = b.source(unit.i, "i")
    address = b.drive(unit.read_address, "read_address")
    enable = b.drive(unit.read_enable, "read_enable")
    free = b.drive(unit.free, "free")
    clear = b.drive(unit.clear, "clear")
    b.assume((free <= unit.available) & (free <= unit.free_limit) & (address < depth))

    def wrapped(value):
        return Mux(value >= depth, value - depth, value)

    mark = b.free("mark")
    marked, kept = Signal(), Signal(width)
    offset, place = Signal(range(depth)), Signal(range(depth))
    with m.If(clear):
        m.d.sync += marked.eq(0)
    with m.Elif(marked):
        m.d.sync += offset.eq(offset - free)
        with m.If(free > offset):
            m.d.sync += marked.eq(0)
    with m.Elif(take & mark):
        m.d.sync += [
            marked.eq(1),
            kept.eq(word),
            offset.eq(unit.available - free),
            place.eq(wrapped(unit.base + unit.available)),
        ]
    b.check("a word keeps its place", ~marked | (place == wrapped(unit.base + offset)))
    b.check("a word stays until it is freed", ~marked | (offset < unit.available))

    asked, expected = Signal(), Signal(width)
    with m.If(enable):
        m.d.sync += [asked.eq(marked & (address == place)), expected.eq(kept)]
    b.check("the word that was written is read", ~asked | (unit.read_data == expected))

    count = Signal(range(depth + 1))
    m.d.sync += count.eq(Mux(clear, 0, count + take - free))
    b.check("available counts the words", count == unit.available)
    b.check("words are taken while there is space", unit.i.ready == (count != depth))
    b.check("arrives shows a transfer", unit.arrives == take)
    b.cover(asked & (place == 0) & (unit.base == 1) & (unit.available == depth))
    return b


_CLAIM = (
    "a word is kept in its place, and read as written, until it is freed; space and counts exact"
)

PROOFS = [
    Proof(
        "ring-2",
        _CLAIM,
        lambda: bench(2),
        Fault("ring", "self.available != self.depth)", "1)"),
    ),
    Proof(
        "ring-5",
        _CLAIM,
        lambda: bench(5),
        Fault("ring", "Mux(address == self.depth - 1, 0,", "Mux(address == self.depth, 0,"),
    ),
    Proof(
        "ring-8",
        _CLAIM,
        lambda: bench(8),
        Fault("ring", "self.available.eq(self.available + write", "self.available.eq(write"),
        small=False,
    ),
]
