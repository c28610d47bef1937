"""The registers' AXI4-Lite port: every address answers, once and in time, and none unasked."""

from amaranth.hdl import Cat, Mux, Signal

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

#: Cycles from a request, with the response's ready up, to its response.
_READ_CYCLES, _WRITE_CYCLES = 5, 1
#: Cycles in which a counter is read, at most, so that the above holds.
_COUNTER_CYCLES = 3


def bench():
    """The registers of a configuration, with a host that does anything AXI4-Lite allows."""
    from mnv2.hw.config import PRESETS
    from mnv2.hw.units import UNITS

    unit = UNITS["registers"].build(PRESETS["tiny"])
    b = Bench(unit)
    m = b.module
    b.drive_inputs()
    bus = unit.bus
    for channel, payload in (
        ("aw", [bus.awaddr]),
        ("w", [bus.wdata, bus.wstrb]),
        ("ar", [bus.araddr]),
    ):
        valid = b.drive(getattr(bus, f"{channel}valid"), f"{channel}valid")
        values = Cat(b.drive(port, f"{channel}_{k}") for k, port in enumerate(payload))
        waits, last = Signal(name=f"{channel}_waits"), Signal(len(values), name=f"{channel}_last")
        m.d.sync += [waits.eq(valid & ~getattr(bus, f"{channel}ready")), last.eq(values)]
        b.assume(~waits | (valid & (values == last)))
    bready, rready = b.drive(bus.bready, "bready"), b.drive(bus.rready, "rready")
    b.hold("b", bus.bvalid, bready, bus.bresp)
    b.hold("r", bus.rvalid, rready, Cat(bus.rdata, bus.rresp))

    # Requests without their response: addresses and data of writes, and reads.
    named, given, asked = (Signal(2, name=name) for name in ("named", "given", "asked"))
    m.d.sync += [
        named.eq(named + (bus.awvalid & bus.awready) - (bus.bvalid & bready)),
        given.eq(given + (bus.wvalid & bus.wready) - (bus.bvalid & bready)),
        asked.eq(asked + (bus.arvalid & bus.arready) - (bus.rvalid & rready)),
    ]
    b.check(
        "a write is answered after its address and data", ~bus.bvalid | (named.any() & given.any())
    )
    b.check("a read is answered after its address", ~bus.rvalid | asked.any())
    b.check("one write at a time", (named <= 1) & (given <= 1))
    b.check("one read at a time", asked <= 1)
    b.check("a response is OKAY or SLVERR", ~bus.bresp[0] & ~bus.rresp[0])

    def waited(condition, cycles, name):
        count = Signal(range(cycles + 2), name=name)
        m.d.sync += count.eq(Mux(condition, Mux(count > cycles, count, count + 1), 0))
        return count

    # How long counters take is theirs; here they come within some cycles.
    counting = waited(unit.counter_read & ~unit.counter_ready, _COUNTER_CYCLES, "counting")
    b.assume(counting < _COUNTER_CYCLES)
    reading = waited(asked.any() & ~bus.rvalid, _READ_CYCLES, "reading")
    writing = waited(named.any() & ~bus.bvalid, _WRITE_CYCLES, "writing")
    b.check("every read is answered in time", reading < _READ_CYCLES)
    b.check("every write is answered in time", writing < _WRITE_CYCLES)
    offers = waited(bus.arvalid & rready & ~bus.arready, _READ_CYCLES + 2, "offers")
    b.check("a read is taken in time", offers < _READ_CYCLES + 2)
    refused = waited(bus.awvalid & bus.wvalid & bready & ~bus.awready, _WRITE_CYCLES, "refused")
    b.check("a write is taken in time", refused < _WRITE_CYCLES)
    b.cover(bus.rvalid & (bus.rresp == 0b10))
    b.cover(bus.bvalid & (bus.bresp == 0b10))
    return b


PROOFS = [
    Proof(
        "registers",
        "each access at any address is answered once, and in time if counters are; B and R held",
        bench,
        Fault("registers", "bus.arready.eq(~busy & ~bus.rvalid)", "bus.arready.eq(~busy)"),
        cover_depth=10,
    ),
]
