"""The gearbox: each bit of a packet leaves once, in its place, at the rate of the narrower side."""

from amaranth.hdl import Mux, Signal

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]


def bench(input_bits, output_bits, partial):
    """A gearbox between free streams; one bit of some packet, any, is marked."""
    from mnv2.hw.gearbox import Gearbox

    unit = Gearbox(input_bits=input_bits, output_bits=output_bits, partial=partial)
    b = Bench(unit)
    m = b.module
    clear = b.drive(unit.clear, "clear")
    take, _ = b.source(unit.i, "i")
    give, _ = b.sink(unit.o, "o", unless=clear)
    item = unit.i.payload
    word = unit.o.payload.data if partial == "emit" else unit.o.payload

    # Bits of the packet that are held, whether its end is, and what leaves in this cycle.
    bound = 2 * (input_bits + output_bits) + 1
    held, ended = Signal(range(bound)), Signal()
    left = Signal(range(bound))
    whole, rest = Signal(), Signal()
    m.d.comb += [
        whole.eq(held >= output_bits),
        rest.eq(ended & (held <= output_bits)),
        left.eq(Mux(give, Mux(whole, held - output_bits, 0), held)),
    ]
    m.d.sync += held.eq(left)
    with m.If(take):
        m.d.sync += [held.eq(left + input_bits), ended.eq(item.last)]
    over = (give & rest) if partial == "emit" else (ended & ~whole)
    with m.If(clear | over):
        m.d.sync += [held.eq(0), ended.eq(0)]

    mark, place = b.free("mark"), b.free("place", range(input_bits))
    marked, bit = Signal(), Signal()
    ahead = Signal(range(bound))  # bits that leave before it
    with m.If(marked & give):
        m.d.sync += ahead.eq(ahead - output_bits)
        with m.If(ahead < output_bits):
            m.d.sync += marked.eq(0)
    with m.If(take & mark & ~(marked & ~(give & (ahead < output_bits)))):
        m.d.sync += [marked.eq(1), ahead.eq(left + place), bit.eq(item.data.bit_select(place, 1))]
    with m.If(clear | over):
        m.d.sync += marked.eq(0)
    b.assume(place < input_bits)

    here = marked & (ahead < output_bits)
    b.check(
        "a bit leaves once and in its place",
        ~(unit.o.valid & here) | (word.bit_select(ahead[: len(place) + 4], 1) == bit),
    )
    if partial == "emit":
        b.check("words come as soon as they are there", unit.o.valid == (whole | ended))
        b.check("zeros follow the last bit", ~(unit.o.valid & ~whole) | ((word >> held) == 0))
        b.check("last is up with the last word", ~unit.o.valid | (unit.o.payload.last == rest))
    else:
        b.check("words come as soon as they are there", unit.o.valid == whole)
    b.check("nothing is taken after the end of a packet", ~(unit.i.ready & ended))

    # The rate: of a packet whose input and output never wait, the narrower side never waits.
    flows = Signal(init=1)
    begun = Signal()
    with m.If(take):
        m.d.sync += begun.eq(1)
    with m.If(clear | over):
        m.d.sync += [flows.eq(1), begun.eq(0)]
    with m.Elif(~unit.o.ready | ((input_bits > output_bits) & ~unit.i.valid)):
        m.d.sync += flows.eq(0)
    if input_bits <= output_bits:
        b.check("inputs never wait", ~(flows & ~ended) | unit.i.ready)
    if input_bits >= output_bits:
        b.check("outputs never wait", ~(flows & begun & ~ended) | unit.o.valid)

    # The marked bit leaves with a packet's last word, which is a partial one where there are such.
    last = marked & give & here & ended & (ahead != 0)
    b.cover(last & ~whole if partial == "emit" and input_bits % output_bits else last)
    return b


_CLAIM = {
    "emit": "each bit of a packet leaves once, in place; zeros above; last exact; full rate",
    "drop": "each bit of a packet leaves once, in place; partial words are dropped; full rate",
}

#: By widths of input and output, and kind of partial words; each storage of a gearbox has one.
_FAULTS = {
    (2, 8, "emit"): Fault("gearbox", "(level == 0) | give)", "(level == 0))"),
    (8, 2, "drop"): Fault("gearbox", "with m.If(level == 1):", "with m.If(level == 0):"),
    (4, 6, "emit"): Fault("gearbox", "Mux(place == given - 1, 0,", "Mux(place == given, 0,"),
    (6, 4, "drop"): Fault("gearbox", "(level <= capacity - taken) &", "(level <= capacity) &"),
    (2, 8, "drop"): Fault("gearbox", "(level == 0) | give)", "(level == 0))"),
    (8, 2, "emit"): Fault("gearbox", "with m.If(level == 1):", "with m.If(level == 0):"),
    (4, 6, "drop"): Fault("gearbox", "Mux(place == given - 1, 0,", "Mux(place == given, 0,"),
    (6, 4, "emit"): Fault("gearbox", "(level <= capacity - taken) &", "(level <= capacity) &"),
}

PROOFS = [
    Proof(
        f"gearbox-{taken}-{given}-{partial}",
        _CLAIM[partial],
        lambda taken=taken, given=given, partial=partial: bench(taken, given, partial),
        fault,
    )
    for (taken, given, partial), fault in _FAULTS.items()
]
