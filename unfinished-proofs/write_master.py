"""The write master: AXI4's rules, every B before the end, aborts at any time.

Commands have a count of bytes of a few bits, and addresses are of one page, as in
:mod:`tests.formal.proofs.read_master`.
"""

from unittest import mock

from amaranth.hdl import Cat, Fragment, Mux, Signal

from tests.formal.axi import Bursts, check_address
from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]

_DATA_BITS = 64
_BEAT_BYTES = _DATA_BITS // 8
_COUNT_BITS = 6


class _Port:
    """A write master with free streams, and a slave that answers bursts when all of them is there.

    Attributes
    ----------
    b : Bench
    unit : WriteMaster
    abort, clear : Signal
    command, send : Signal
        A command is taken, a beat is sent, in this cycle.
    rise, length : Signal
        A burst is offered for the first time; its beats.
    owed : Signal
        Beats of the command that are not announced.
    following : Signal
        Where its next burst begins.
    bursts : Bursts
        Whose beats are owed; its tag is up for the last burst of a command.
    """

    def __init__(self, burst, queue, outstanding, most, address_bits=12):
        from mnv2.hw import write_master

        with mock.patch.object(write_master, "BYTES_BITS", _COUNT_BITS):
            self.unit = unit = write_master.WriteMaster(
                data_bits=_DATA_BITS,
                address_bits=address_bits,
                burst_beats=burst,
                fifo_beats=queue,
                outstanding=outstanding,
            )
            self.b = b = Bench(unit, Fragment.get(unit, None))
        m = b.module
        bus = unit.bus
        self.abort = b.drive(unit.abort, "abort")
        self.clear = b.drive(unit.clear, "clear")
        self.command, _ = b.source(unit.i_command, "command")
        b.source(unit.i, "i")
        command = unit.i_command.payload
        b.assume((command.address % _BEAT_BYTES == 0) & (command.bytes <= most * _BEAT_BYTES))
        b.assume(command.address + command.bytes <= (1 << address_bits))
        _, self.length = check_address(
            b, bus, "aw", b.free("awready"), data_bits=_DATA_BITS, burst_beats=burst
        )
        waits, self.rise = Signal(), Signal()
        m.d.sync += waits.eq(bus.awvalid & ~bus.awready)
        m.d.comb += self.rise.eq(bus.awvalid & ~waits)
        wready = b.drive(bus.wready, "wready")
        b.hold("w", bus.wvalid, wready, Cat(bus.wdata, bus.wstrb, bus.wlast))
        self.send = Signal()
        m.d.comb += self.send.eq(bus.wvalid & wready)

        self.owed, self.following = Signal(range(most + 1)), Signal(address_bits)
        with m.If(self.rise):
            m.d.sync += [
                self.owed.eq(self.owed - self.length),
                self.following.eq(self.following + self.length * _BEAT_BYTES),
            ]
        with m.If(self.abort):
            m.d.sync += self.owed.eq(0)
        with m.If(self.command):
            m.d.sync += [
                self.owed.eq((command.bytes + (_BEAT_BYTES - 1)) // _BEAT_BYTES),
                self.following.eq(command.address),
            ]
        self.bursts = Bursts(
            b,
            "write",
            depth=outstanding,
            begin=self.rise,
            beats=self.length,
            tag=self.length == self.owed,
            beat=self.send,
            longest=burst,
            early=True,
        )
        # Bursts whose address, and whose data, were taken and that are not answered.
        self.answer, self.response = b.drive(bus.bvalid, "bvalid"), b.drive(bus.bresp, "bresp")
        self.named, self.written = (
            Signal(range(outstanding + 2), name=n) for n in ("named", "written")
        )
        m.d.sync += [
            self.named.eq(self.named + (bus.awvalid & bus.awready) - self.answer),
            self.written.eq(self.written + self.bursts.over - self.answer),
        ]
        b.assume(~self.answer | ((self.named != 0) & (self.written != 0)))


def rules(burst=2, queue=4, outstanding=2, most=3):
    """The address and data channels, bursts under way, ``error``, ``busy``; abort at any time."""
    port = _Port(burst, queue, outstanding, most)
    b, m, unit, bursts = port.b, port.b.module, port.unit, port.bursts
    bus = unit.bus
    b.check("data belong to a burst that was offered", ~bus.wvalid | bursts.known)
    b.check("wlast is up with the last beat of a burst", ~bus.wvalid | (bus.wlast == bursts.ends))
    b.check("never more bursts unanswered than allowed", port.named + bus.awvalid <= outstanding)
    b.check("an answer never waits", bus.bready)
    b.check("a burst announces what its command asked for", ~port.rise | (port.length <= port.owed))
    b.check(
        "a burst begins where the one before ended", ~port.rise | (bus.awaddr == port.following)
    )
    late = Signal(range(3))
    m.d.sync += late.eq(Mux(bursts.known & ~bus.wvalid, late + 1, 0))
    b.check("all data of an announced burst are there", late < 2)

    noted = Signal()
    m.d.sync += noted.eq((noted & ~port.clear) | (port.answer & port.response[1]))
    b.check("each response with an error is noted", unit.error | ~noted)
    done = (port.owed == 0) & (port.named == 0) & ~bus.awvalid & (bursts.level == 0)
    b.check("busy until every burst is answered", unit.busy | done)

    # Nothing more comes and nothing is under way: the queue empties, and busy falls.
    idle = Signal(range(queue + 4))
    quiet = port.abort & ~unit.i.valid & ~bus.awvalid & (port.named == 0) & (bursts.level == 0)
    m.d.sync += idle.eq(Mux(quiet, idle + (idle != queue + 3), 0))
    b.check("busy falls after an abort", ~unit.busy | (idle < queue + 3))
    b.cover(port.answer & (port.named == outstanding))
    b.cover((idle == queue + 3) & ~unit.busy & (port.written == 0))
    return b


def unasked():
    """An answer that belongs to no burst is an error."""
    from mnv2.hw.write_master import WriteMaster

    unit = WriteMaster(
        data_bits=_DATA_BITS, address_bits=13, burst_beats=1, fifo_beats=4, outstanding=1
    )
    b = Bench(unit)
    clear, answer = b.drive(unit.clear, "clear"), b.drive(unit.bus.bvalid, "bvalid")
    b.drive(unit.bus.bresp, "bresp")
    error = Signal()
    b.module.d.sync += error.eq((error & ~clear) | answer)
    b.check("an unasked answer is an error", unit.error == error)
    b.check("and makes nobody busy", ~unit.busy)
    b.cover(error)
    return b


PROOFS = [
    Proof(
        "write-master-rules",
        "AW and W held, aligned, in a page; wlast exact; bursts under way; B before done; abort",
        rules,
        Fault(
            "write_master",
            "(pending != self.outstanding) & ~self.abort",
            "(pending != self.outstanding)",
        ),
    ),
    Proof(
        "write-master-unasked",
        "an answer that belongs to no burst is an error",
        unasked,
        Fault("write_master", "self.bus.bresp[1] | (pending == 0)", "self.bus.bresp[1]"),
    ),
]
