"""The read master: AXI4's rules, whatever the memory answers, with aborts at any time.

Commands have a count of beats of a few bits, and addresses are of one page: a counter is as right
with three bits as with twenty, and the solver sees no end of those.
"""

from unittest import mock

from amaranth.hdl import Fragment, Signal

from tests.formal.axi import Bursts, check_address
from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

_DATA_BITS = 64
_BEAT_BYTES = _DATA_BITS // 8
_COUNT_BITS = 3


class _Port:
    """A read master with free streams and a slave that may do anything.

    Attributes
    ----------
    b : Bench
    unit : ReadMaster
    abort, clear : Signal
    request : Signal
        A burst is requested in this cycle, of ``length`` beats.
    """

    def __init__(self, channels, burst, queue, outstanding, arbitration, most, address_bits=12):
        from mnv2.hw import read_master

        with mock.patch.object(read_master, "BEATS_BITS", _COUNT_BITS):
            self.unit = unit = read_master.ReadMaster(
                data_bits=_DATA_BITS,
                address_bits=address_bits,
                channels=channels,
                burst_beats=burst,
                fifo_beats=queue,
                outstanding=outstanding,
                arbitration=arbitration,
            )
            self.b = b = Bench(unit, Fragment.get(unit, None))
        m = b.module
        bus = unit.bus
        self.abort, self.clear = b.drive(unit.abort, "abort"), b.drive(unit.clear, "clear")
        #: Each channel reads an area of its own, so that its bursts can be told by their addresses.
        self.area_bits = address_bits - (channels - 1).bit_length()
        for index in range(channels):
            b.source(unit.i[index], f"i{index}")
            command = unit.i[index].payload
            last = command.address[: self.area_bits] + command.beats * _BEAT_BYTES
            b.assume(command.address % _BEAT_BYTES == 0)
            b.assume(command.address[self.area_bits :] == index)
            b.assume((command.beats <= most) & (last <= (1 << self.area_bits)))
            b.sink(unit.o[index], f"o{index}", unless=self.abort)
        self.request, self.length = check_address(
            b, bus, "ar", b.free("arready"), data_bits=_DATA_BITS, burst_beats=burst
        )
        self.valid, self.last = b.drive(bus.rvalid, "rvalid"), b.drive(bus.rlast, "rlast")
        self.response = b.drive(bus.rresp, "rresp")
        m.d.comb += bus.rdata.eq(b.free("rdata"))
        self.bursts = Bursts(
            b,
            "read",
            depth=outstanding,
            begin=self.request,
            beats=self.length,
            tag=bus.araddr[self.area_bits :],
            beat=self.valid & bus.rready,
            longest=burst,
        )


def rules(channels=1, burst=2, queue=4, outstanding=2, arbitration="round-robin", most=7):
    """The address channel, bursts under way, and ``error``, whatever the memory answers.

    The memory may answer with any response, and with ``rlast`` anywhere, once it was asked.
    """
    port = _Port(channels, burst, queue, outstanding, arbitration, most)
    b, m, unit, bursts = port.b, port.b.module, port.unit, port.bursts
    b.assume(~port.valid | bursts.known)
    b.check(
        "never more bursts under way than allowed", bursts.level + unit.bus.arvalid <= outstanding
    )
    b.check("a beat never waits", unit.bus.rready)
    error, wrong = Signal(), Signal()
    m.d.comb += wrong.eq(port.valid & (port.response[1] | (port.last != bursts.ends)))
    m.d.sync += error.eq((error & ~port.clear) | wrong)
    b.check("each wrong response is noted, and nothing else", unit.error == error)
    b.check(
        "busy while bursts are under way", unit.busy | ((bursts.level == 0) & ~unit.bus.arvalid)
    )
    b.cover((bursts.level == outstanding) & port.valid & bursts.ends)
    b.cover(error & port.abort & ~unit.busy)
    return b


def unasked():
    """A beat that nobody asked for is noted, and reaches no stream."""
    port = _Port(1, 1, 4, 1, "round-robin", 1)
    b, m, unit = port.b, port.b.module, port.unit
    fresh = Signal(init=1)  # nothing was ever asked for
    b.assume(~unit.i[0].valid)
    m.d.sync += fresh.eq(1)
    error = Signal()
    m.d.sync += error.eq((error & ~port.clear) | port.valid)
    b.check("an unasked beat is an error", unit.error == error)
    b.check("an unasked beat reaches no stream", ~unit.o[0].valid)
    b.cover(error)
    return b


PROOFS = [
    Proof(
        "read-master-rules",
        "AR held, aligned, in a page, not too long; bursts under way; error exact; aborts",
        rules,
        Fault("read_master", "self.bus.rresp[1] | ", ""),
    ),
    Proof(
        "read-master-unasked",
        "a beat that nobody asked for is an error and reaches no stream",
        unasked,
        Fault("read_master", "wrong.eq(~due.r_rdy | ", "wrong.eq("),
    ),
]
