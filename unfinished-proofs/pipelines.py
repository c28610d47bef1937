"""Pipelines: every item comes out once, in order, after the stated cycles, at the stated rate."""

from amaranth.hdl import C, Signal, Value

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

#: Bits of the tags by which items are told apart; they are any.
_TAG_BITS = 2


def pipeline(unit, payload=None):
    """A pipeline whose items are tags; what is computed is left out.

    Parameters
    ----------
    unit : Component
        With streams ``i`` and ``o``, which carry a ``tag``, and attributes ``latency`` and
        ``cycles_per_item``.
    payload : function of (View) to list of statements, or None
        Sets what the unit asks of its items.
    """
    b = Bench(unit)
    m = b.module
    if payload is not None:
        m.d.comb += payload(unit.i.payload)
    take, tag = b.source(unit.i, "i", of=unit.i.payload.tag)
    b.sink(unit.o, "o", of=unit.o.payload.tag)

    # What a pipeline of that latency holds: it moves unless its last item waits.
    moves = Signal()
    m.d.comb += moves.eq(~unit.o.valid | unit.o.ready)
    slots = [(take, tag)]
    for stage in range(1, unit.latency + 1):
        valid, kept = Signal(name=f"valid_{stage}"), Signal(_TAG_BITS, name=f"tag_{stage}")
        with m.If(moves):
            m.d.sync += [valid.eq(slots[-1][0]), kept.eq(slots[-1][1])]
        slots.append((valid, kept))
    valid, kept = slots[-1]
    b.check("an item comes out after its latency, and none from nowhere", unit.o.valid == valid)
    b.check("items come out in order", ~valid | (Value.cast(unit.o.payload.tag) == kept))
    busy = C(0)
    for valid, _ in slots[1 : unit.cycles_per_item]:
        busy = busy | valid
    b.check("items are taken at the rate that is stated", unit.i.ready == (moves & ~busy))
    b.cover(unit.o.valid & slots[1][0] & (kept == 3))
    return b


def requantize(rounding):
    """One lane of the requantiser."""
    from mnv2.hw.requantize import Requantize

    return pipeline(
        Requantize(
            channels=1, pixels=1, accumulator_bits=16, rounding=rounding, tag_shape=_TAG_BITS
        )
    )


def residual_add(elements):
    """The residual adder, with one lane for all elements of a word."""
    from mnv2.hw.residual import ResidualAdd

    return pipeline(
        ResidualAdd(channels=elements, pixels=1, lanes=1, tag_shape=_TAG_BITS),
        lambda item: [item.parameters.a_multiplier.eq(1 << 30)],
    )


def mac_array():
    """The array, for 1x1 convolutions."""
    from mnv2.hw.mac_array import MacArray

    unit = MacArray(outputs=1, inputs=1, pixels=1, depthwise=False, tag_shape=_TAG_BITS)
    unit.cycles_per_item = 1
    return pipeline(unit)


_CLAIM = "each item leaves once, in order, after the latency; valid and tag held; the stated rate"

PROOFS = [
    Proof(
        "pipeline-requantize-double",
        _CLAIM,
        lambda: requantize("double"),
        Fault("requantize", "last   = self.latency - 1", "last   = self.latency - 2"),
    ),
    Proof(
        "pipeline-residual-add-3",
        _CLAIM,
        lambda: residual_add(3),
        Fault("residual", "group == self.cycles_per_item - 2", "group == self.cycles_per_item - 1"),
    ),
    Proof(
        "pipeline-mac-array",
        _CLAIM,
        mac_array,
        Fault("mac_array", "control[stage + 1].eq(control[stage]), tags[stage + 1].eq(tags[stage])",
              "control[stage + 1].eq(control[stage]), tags[stage + 1].eq(tags[stage] | 1)"),
    ),
]  # fmt: skip
