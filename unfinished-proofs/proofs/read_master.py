"""The read master: AXI4's rules, and every beat of every command once, in order, to its channel.

Commands have a count of beats of a few bits, and addresses are of one page: a counter is as right
with three bits as with twenty, and the solver sees no end of those.
"""

from unittest import mock

from amaranth.hdl import C, Fragment, Mux, Signal

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
    commands, beats : list of Signal
        A command of each channel is taken, a beat of it is given, in this cycle.
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
        self.commands, self.beats = [], []
        #: Each channel reads an area of its own, so that its bursts can be told by their addresses.
        self.area_bits = address_bits - (channels - 1).bit_length()
        for index in range(channels):
            transfer, _ = b.source(unit.i[index], f"i{index}")
            command = unit.i[index].payload
            last = command.address[: self.area_bits] + command.beats * _BEAT_BYTES
            b.assume(command.address % _BEAT_BYTES == 0)
            b.assume(command.address[self.area_bits :] == index)
            b.assume((command.beats <= most) & (last <= (1 << self.area_bits)))
            given, _ = b.sink(unit.o[index], f"o{index}", unless=self.abort)
            self.commands.append(transfer)
            self.beats.append(given)
        self.request, self.length = check_address(
            b, bus, "ar", b.free("arready"), data_bits=_DATA_BITS, burst_beats=burst
        )
        self.valid, self.last = b.drive(bus.rvalid, "rvalid"), b.drive(bus.rlast, "rlast")
        self.response, self.datum = b.drive(bus.rresp, "rresp"), b.free("rdata", 1)
        m.d.comb += bus.rdata.eq(self.datum)
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


def data(channels=1, burst=2, queue=4, outstanding=2, arbitration="round-robin", most=3):
    """One beat of some command of some channel, any, is marked, and followed to its stream."""
    port = _Port(channels, burst, queue, outstanding, arbitration, most)
    b, m, unit, bursts = port.b, port.b.module, port.unit, port.bursts
    bus = unit.bus
    b.assume(~port.abort & (~port.valid | bursts.known))
    tag_bits = len(bus.araddr) - port.area_bits
    channel = b.constant("channel", range(channels)) if channels > 1 else C(0, 1)
    b.assume(channel < channels)

    def of_channel(values):
        return [Mux(channel == index, value, 0) for index, value in enumerate(values)]

    def any_of(values):
        total = C(0)
        for value in of_channel(values):
            total = total | value
        return total

    take, give = Signal(), Signal()
    address, beats = Signal(len(bus.araddr)), Signal(range(most + 1))
    datum, last = Signal(), Signal()
    m.d.comb += [
        take.eq(any_of(port.commands)),
        give.eq(any_of(port.beats)),
        address.eq(any_of([stream.payload.address for stream in unit.i])),
        beats.eq(any_of([stream.payload.beats for stream in unit.i])),
        datum.eq(any_of([stream.payload.data for stream in unit.o])),
        last.eq(any_of([stream.payload.last for stream in unit.o])),
    ]
    ours = (bus.araddr[port.area_bits :] == channel) if tag_bits else C(1)
    mine = bursts.tag == channel if tag_bits else C(1)

    # Beats of the channel: owed by the command, then on the bus, then in the queue.
    room = 1 << 4
    owed, due, queued = (Signal(range(room), name=name) for name in ("owed", "due", "queued"))
    following = Signal.like(address)
    # A burst counts as asked for from the cycle in which it is first offered.
    waits, asks, comes = Signal(), Signal(), Signal()
    m.d.sync += waits.eq(bus.arvalid & ~bus.arready)
    m.d.comb += [asks.eq(bus.arvalid & ~waits & ours), comes.eq(port.valid & mine)]
    count = Mux(asks, port.length, 0)
    b.check("a burst asks for what its command asked for", ~asks | (port.length <= owed))
    b.check("a burst begins where the one before ended", ~asks | (bus.araddr == following))
    b.check("a command waits for the one before", ~take | (owed == count))
    with m.If(asks):
        m.d.sync += [
            owed.eq(owed - port.length),
            following.eq(following + port.length * _BEAT_BYTES),
        ]
    with m.If(take):
        m.d.sync += [owed.eq(beats), following.eq(address)]
    m.d.sync += [due.eq(due + count - comes), queued.eq(queued + comes - give)]
    b.check("no beat comes from nowhere", ~give | (queued != 0))
    b.check("there is room for each beat that was asked for", due + queued <= queue)

    # The marked beat: how many leave before it.
    mark, place = b.free("mark"), b.free("place", range(most))
    marked, here, value, final = Signal(), Signal(), Signal(), Signal()
    before, pending = Signal(range(2 * room)), Signal(range(2 * room))
    with m.If(marked):
        m.d.sync += [before.eq(before - give), pending.eq(pending - comes)]
        with m.If(comes & (pending == 0) & ~here):
            m.d.sync += [here.eq(1), value.eq(port.datum)]
        with m.If(give & (before == 0)):
            m.d.sync += [marked.eq(0), here.eq(0)]
    with m.Elif(take & mark):
        m.d.sync += [
            marked.eq(1),
            here.eq(0),
            before.eq(count + due + queued - give + place),
            pending.eq(count + due - comes + place),
            final.eq(place + 1 == beats),
        ]
    b.assume(~(take & mark) | (place < beats))
    arrives = marked & give & (before == 0)
    b.check("a beat comes once and in its place", ~arrives | (here & (datum == value)))
    b.check("last is up with a command's last beat", ~arrives | (last == final))
    b.cover(arrives & final & (queued == queue))
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
    Proof(
        "read-master-data",
        "each beat of each command comes once, in order, with last; addresses exact",
        data,
        Fault("read_master", "space.eq(popped - self.length)", "space.eq(popped)"),
        fault_depth=16,
    ),
]
