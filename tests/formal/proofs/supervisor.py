"""The supervisor: every program that begins ends, once, whatever happens, with the bus idle."""

from dataclasses import replace

from amaranth.hdl import Mux, Signal, Value

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

_PATIENCE = 3


def bench():
    """All inputs are free but for the bus, which ends its transfers some day when it is told to."""
    from mnv2.hw.config import PRESETS
    from mnv2.hw.register_map import Status
    from mnv2.hw.units import UNITS

    unit = UNITS["supervisor"].build(replace(PRESETS["tiny"], patience_cycles=_PATIENCE))
    b = Bench(unit)
    m = b.module
    b.drive_inputs()
    status = Value.cast(unit.status)

    # A program is under way from `begin` until `ended`.
    running, leaving = Signal(), Signal()
    with m.If(unit.ended):
        m.d.sync += running.eq(0)
    with m.Elif(unit.begin):
        m.d.sync += running.eq(1)
    b.check("a program begins when none is under way", ~unit.begin | ~running)
    b.check(
        "a program begins when it is asked for, with addresses that are right",
        ~unit.begin | (unit.start & ~unit.misaligned),
    )
    refused = Signal()
    m.d.sync += refused.eq(unit.start & unit.misaligned & ~running)
    b.check(
        "an address that is wrong ends a start at once, and is told",
        ~refused | (~running & (status == Status.ALIGNMENT.value)),
    )
    b.check("the status tells it", running == (status == Status.RUNNING.value))
    b.check("only a program is given up", ~unit.give_up | running)
    b.check("it ends with an idle bus", ~(unit.ended & running) | ~unit.bus_busy)
    b.check("once given up it stays so until the bus is idle", ~leaving | unit.give_up)
    m.d.sync += leaving.eq(unit.give_up & unit.bus_busy)
    b.check(
        "given up, it ends as soon as the bus is idle", ~unit.give_up | unit.bus_busy | unit.ended
    )

    # Each of these ends it in the next cycle, or lets it be given up.
    going, still = Signal(), Signal(range(_PATIENCE + 3))
    m.d.comb += going.eq(running & ~unit.give_up & ~unit.ended)
    wrong = Signal()
    m.d.sync += wrong.eq(
        going & (unit.bus_error | unit.descriptor_error | unit.wrong | unit.complete | unit.abort)
    )
    b.check("errors, an abort and the end are obeyed at once", ~wrong | unit.give_up | ~running)
    m.d.sync += still.eq(Mux(going & ~unit.moving, Mux(still > _PATIENCE, still, still + 1), 0))
    b.check("it is given up when nothing moves", still <= _PATIENCE + 1)
    bad = Signal()
    m.d.sync += bad.eq(going & unit.bus_error)
    reason = Signal()
    with m.If(bad):
        m.d.sync += reason.eq(1)
    with m.Elif(~running):
        m.d.sync += reason.eq(0)
    done = Signal()
    m.d.sync += done.eq(reason & running & unit.ended)
    b.check("an error of the bus is told", ~done | (status == Status.BUS.value))
    b.cover(done)
    b.cover(unit.ended & (still > 1))
    b.cover(refused)
    b.cover(~running & (status == Status.ABORTED.value))
    return b  # fmt: skip


PROOFS = [
    Proof(
        "supervisor",
        "every program that begins ends once, with an idle bus; errors at once, stillness in time",
        bench,
        Fault("supervisor", "self.give_up.eq(self.bus_busy)", "self.give_up.eq(0)"),
        cover_depth=10,
    ),
]
