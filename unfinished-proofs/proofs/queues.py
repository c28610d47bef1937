"""Short queues, and what is around them: every word leaves once, in order, none is overwritten."""

from amaranth.hdl import Signal, Value

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

_DEPTH = 3


def _marked(b, comes, word, leaves, *, room=2 * _DEPTH + 2):
    """Mark one word, any, of those that come, and follow it until it leaves.

    Returns
    -------
    count : Signal
        Words that came and did not leave.
    arrives, value : Signal
        The marked word leaves in this cycle; what it was.
    begins : Signal
        It comes in this cycle.
    """
    m = b.module
    mark, marked, value = b.free("mark"), Signal(), Signal(len(word))
    count, ahead = Signal(range(room), name="count"), Signal(range(room), name="ahead")
    arrives, begins = Signal(), Signal()
    m.d.comb += [arrives.eq(marked & leaves & (ahead == 0)), begins.eq(comes & mark & ~marked)]
    m.d.sync += count.eq(count + comes - leaves)
    with m.If(marked):
        m.d.sync += ahead.eq(ahead - leaves)
        with m.If(arrives):
            m.d.sync += marked.eq(0)
    with m.Elif(begins):
        m.d.sync += [marked.eq(1), value.eq(word), ahead.eq(count - leaves)]
    b.check("no word leaves that did not come", ~leaves | (count != 0))
    return count, arrives, value, begins


def line_input():
    """Words of an expansion or a copy, no more than wait; or words of an image."""
    from mnv2.hw.line_input import LineInput

    unit = LineInput(word=2, queue_words=_DEPTH)
    b = Bench(unit)
    expanded, copied = (
        b.drive(unit.expanded_valid, "expanded"),
        b.drive(unit.copied_valid, "copied"),
    )
    words = b.free("word", 2)
    b.module.d.comb += [unit.expanded.eq(words), unit.copied.eq(words)]
    image, image_word = b.source(unit.i_image, "image")
    give, word = b.sink(unit.o, "o")
    taken = give & ~unit.i_image.valid
    count, arrives, value, _ = _marked(b, expanded | copied, words, taken)
    b.assume(~(expanded & copied))
    b.assume(~(expanded | copied) | (count != _DEPTH))
    b.assume(~unit.i_image.valid | (count == 0))
    b.check("a word leaves once and in its place", ~arrives | (word == value))
    b.check("taken tells that a word left the queue", unit.taken == taken)
    b.check("a word of an image passes", ~image | (give & (word == image_word)))
    b.check("a word that waits is offered", unit.o.valid == ((count != 0) | unit.i_image.valid))
    b.cover(arrives & (count == _DEPTH) & (value == 3))
    b.cover(image)
    return b


def logits_path():
    """Accumulators, no more than wait, and their requantised values some cycles later."""
    from mnv2.hw.logits_path import LogitsPath

    bits = 16
    unit = LogitsPath(inputs=1, accumulator_bits=bits, activation_bits=4, queue_words=_DEPTH)
    b = Bench(unit)
    m = b.module
    valid, result_valid = b.drive(unit.valid, "valid"), b.drive(unit.result_valid, "result_valid")
    # Few of their bits, since each word is as good as any other.
    accumulator, bias, result = b.free("accumulator"), b.free("bias"), b.free("result")
    m.d.comb += [
        unit.accumulators[0].eq(accumulator),
        unit.biases[0].eq(bias),
        unit.results[0].eq(result),
    ]
    total = Signal(2)
    m.d.comb += total.eq(accumulator + bias)
    give, _ = b.sink(unit.o, "o")
    count, arrives, value, begins = _marked(b, valid, total, give)
    # Words without their value, and how many values come before that of the marked word.
    without, pending, had, kept = Signal(3), Signal(3), Signal(), Signal()
    m.d.sync += without.eq(without + valid - result_valid)
    b.assume(~valid | (count != _DEPTH))
    b.assume(~result_valid | (without != 0))
    with m.If(begins):
        m.d.sync += [pending.eq(without - result_valid), had.eq(0)]
    with m.Elif(result_valid & ~had):
        m.d.sync += pending.eq(pending - 1)
        with m.If(pending == 0):
            m.d.sync += [had.eq(1), kept.eq(result)]
    out = unit.o.payload
    b.check(
        "accumulators leave once, with their biases",
        ~arrives | (out.accumulators[0] == value),
    )
    b.check("values leave with their accumulators", ~arrives | (had & (out.logits[0] == kept)))
    b.check("taken tells that a word left", unit.taken == give)
    b.cover(arrives & (count == _DEPTH) & (value == 2))
    return b


def residual_path():
    """Results, no more than wait, and a map memory that grants reads when it likes."""
    from mnv2.hw.residual_path import ResidualPath

    unit = ResidualPath(channels=2, pixels=1, lanes=1, queue_words=_DEPTH)
    b = Bench(unit)
    m = b.module
    valid = b.drive(unit.valid, "valid")
    address, other = b.free("address", 2), b.free("other", 2)
    wish = b.free("wish")
    grant = Signal()
    m.d.comb += [
        unit.address.eq(address),
        unit.residual_address.eq(other),
        unit.parameters.a_multiplier.eq(1 << 30),
        grant.eq(wish & unit.fetch),
        unit.grant.eq(grant),
    ]
    count, arrives, value, _ = _marked(b, valid, Value.cast(address + (other << 2))[:4], grant)
    b.assume(~valid | (count != _DEPTH))
    b.check("a result fetches its own summand", ~arrives | (unit.fetch_address == value[2:]))
    b.check("taken tells that a result left the queue", unit.taken == grant)
    # The result that leaves is added, and its sum comes after the latency.
    oldest = Signal(2)
    m.d.comb += oldest.eq(value[:2])
    came = b.late(grant, unit.latency, "sum", resets=True)
    ours = b.late(arrives, unit.latency, "ours", resets=True)
    place = b.late(oldest, unit.latency, "place", resets=True)
    b.check("each sum comes after the latency", unit.sum_valid == came)
    b.check("a sum goes to its result's address", ~ours | (unit.sum.address == place))
    b.cover(ours & (count == _DEPTH) & (place == 3))
    return b


PROOFS = [
    Proof(
        "line-input",
        "each word leaves once, in order; those of an image pass; o held",
        line_input,
        Fault("line_input", "self.i_image.valid | queue.r_rdy", "queue.r_rdy"),
        cover_depth=10,
    ),
    Proof(
        "logits-path",
        "each accumulator with its bias leaves once, in order, with its own value; o held",
        logits_path,
        Fault(
            "logits_path", "total_queue.r_en.eq(self.taken)", "total_queue.r_en.eq(self.o.ready)"
        ),
        cover_depth=10,
    ),
    Proof(
        "residual-path",
        "each result fetches its summand, once, in order; its sum comes after the latency",
        residual_path,
        Fault("residual_path", "queue.r_rdy & adder.i.ready & ~reading", "queue.r_rdy & ~reading"),
        cover_depth=20,
        fault_depth=16,
    ),
]
