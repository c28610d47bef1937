"""The map loader and storer: each word of a map once, in order, in its ring, never too early."""

from unittest import mock

from amaranth.hdl import Cat, Fragment, Mux, Signal

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

#: Bits of the words that are moved; their order is what matters.
_WORD_BITS = 1


def _begin(b, unit):
    """Drive what a map begins with: it holds until the next one does, and its ring has words.

    Returns
    -------
    begin, begun : Signal
        A map begins in this cycle; one has begun.
    """
    begin = b.drive(unit.begin, "begin")
    ports = [unit.words, unit.base, unit.end]
    values = Cat(
        b.drive(port, name) for port, name in zip(ports, ("words", "base", "end"), strict=True)
    )
    last, begun = Signal(len(values)), Signal()
    b.module.d.sync += [last.eq(values), begun.eq(begun | begin)]
    b.assume(begin | ~begun | (values == last))
    b.assume(unit.base < unit.end)
    return begin, begun


def _step(unit, address):
    """The address after one, in the ring."""
    return Mux(address + 1 == unit.end, unit.base, address + 1)


def loader():
    """Maps one after another, freed at will; the next may begin at any time."""
    from mnv2.hw.map_mover import MapLoader

    unit = MapLoader(word_bits=_WORD_BITS)
    b = Bench(unit)
    m = b.module
    take, word = b.source(unit.i, "i")
    begin, begun = _begin(b, unit)
    give, _ = b.sink(unit.o, "o", unless=begin | ~begun)
    freed = b.drive(unit.freed, "freed")
    # Freed words were loaded, and stay free until the next map.
    before, fresh = Signal(len(freed)), Signal()
    m.d.sync += [before.eq(freed), fresh.eq(begin)]
    b.assume(~begun | begin | ((freed <= unit.loaded) & (fresh | (freed >= before))))
    b.assume(~begun | ~fresh | (freed == 0))
    b.assume(unit.words < (1 << len(unit.words) - 1))

    address, loaded = Signal(len(unit.base)), Signal(len(unit.words))
    with m.If(begin):
        m.d.sync += [address.eq(unit.base), loaded.eq(0)]
    with m.Elif(give):
        m.d.sync += [address.eq(_step(unit, address)), loaded.eq(loaded + 1)]
    place, size = unit.o.payload.address, unit.end - unit.base
    b.check("a word leaves as it came", ~give | (unit.o.payload.word == word))
    for name, condition in {
        "each word that is taken leaves, until the map is there": (take == give)
        | (take & (loaded == unit.words)),
        "words are placed in turn, in their ring": place == address,
        "a place is in the ring": (place >= unit.base) & (place < unit.end),
        "words of the map are counted": unit.loaded == loaded,
        "no more are placed than the map has": (loaded < unit.words)
        | ((loaded == unit.words) & ~unit.o.valid),
        "no word is overwritten before it is freed": (loaded - freed < size)
        | ((loaded - freed == size) & ~unit.o.valid),
    }.items():
        b.check(name, ~begun | begin | condition)
    b.cover(begun & give & (loaded == 3) & (unit.end == unit.base + 2) & (freed == 2))
    return b  # fmt: skip


def storer(index_bits=3, address_bits=2):
    """Maps one after another, produced at will, and a memory that grants reads when it likes.

    Counters and addresses have a few bits: as right as wide ones, and the solver sees an end.
    """
    from mnv2.hw import map_mover
    from mnv2.hw.config import STORE_QUEUE_WORDS

    widths = {"INDEX_BITS": index_bits, "ADDRESS_BITS": address_bits}
    with mock.patch.multiple(map_mover, **widths):
        unit = map_mover.MapStorer(word_bits=_WORD_BITS)
        b = Bench(unit, Fragment.get(unit, None))
    m = b.module
    begin, begun = _begin(b, unit)
    give, _ = b.sink(unit.o, "o")
    wish, produced = b.free("wish"), b.drive(unit.produced, "produced")
    datum = b.drive(unit.data, "data")
    grant = Signal()
    m.d.comb += [grant.eq(wish & unit.request), unit.grant.eq(grant)]
    # Before the first map nothing is produced. Words that are complete stay so.
    before, fresh = Signal(len(produced)), Signal()
    m.d.sync += [before.eq(produced), fresh.eq(begin)]
    b.assume(begin | begun | (produced == 0))
    b.assume(begin | ~begun | (produced <= unit.words))
    b.assume(begin | ~begun | fresh | (produced >= before))

    address, stored = Signal(len(unit.base)), Signal(len(unit.words))
    with m.If(begin):
        m.d.sync += [address.eq(unit.base), stored.eq(0)]
    with m.Elif(grant):
        m.d.sync += [address.eq(_step(unit, address)), stored.eq(stored + 1)]
    b.check("words are read in turn, in their ring", begin | (unit.address == address))
    b.check("words that are read are counted", begin | (unit.stored == stored))
    b.check("no word is read before it is complete", ~unit.request | (stored < produced))

    # The marked word: how many leave before it.
    mark = b.free("mark")
    marked, comes, value, last = Signal(), Signal(), Signal(_WORD_BITS), Signal()
    count, ahead = (Signal(range(2 * STORE_QUEUE_WORDS), name=name) for name in ("count", "ahead"))
    m.d.sync += count.eq(count + grant - give)
    arrives = marked & give & (ahead == 0)
    with m.If(comes):
        m.d.sync += value.eq(datum)
    m.d.sync += comes.eq(0)
    with m.If(marked):
        m.d.sync += ahead.eq(ahead - give)
        with m.If(arrives):
            m.d.sync += marked.eq(0)
    with m.Elif(grant & mark):
        m.d.sync += [
            marked.eq(1),
            comes.eq(1),
            ahead.eq(count - give),
            last.eq(stored + 1 == unit.words),
        ]
    b.check("no more words are under way than there is room for", count <= STORE_QUEUE_WORDS)
    b.check("no word comes from nowhere", ~give | (count != 0))
    b.check("a word leaves once and in its place", ~arrives | (unit.o.payload.data == value))
    b.check("last is up with the last word of the map", ~arrives | (unit.o.payload.last == last))
    b.cover(arrives & last & (count == STORE_QUEUE_WORDS))
    return b


PROOFS = [
    Proof(
        "map-loader",
        "each word once, in order, in its ring, and never onto one that is not free",
        loader,
        Fault("map_mover", "(self.loaded < limit)", "(self.loaded <= limit)"),
        depth=6,
    ),
    Proof(
        "map-storer",
        "each word is read once, in order, once it is complete, and leaves once, with last",
        storer,
        Fault("map_mover", "(room != 0)", "1"),
        fault_depth=14,
    ),
]
