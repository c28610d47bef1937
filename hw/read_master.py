"""Several linear streams read through one AXI4 port."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from .arguments import check_integer
from .axi import (
    BURST_INCR,
    CACHE_MODIFIABLE,
    AxiSignature,
    beat,
    check_address_bits,
    check_bursts,
)
from .config import BEATS_BITS

__all__ = ["ReadMaster", "read_command"]


def read_command(address_bits):
    """Layout of a command to read.

    Parameters
    ----------
    address_bits : int
        Width of an address in bits.

    Members
    -------
    address
        Address in bytes of the first beat, a multiple of the bytes in a beat.
    beats
        Number of beats; 0 does nothing.
    """
    return data.StructLayout({"address": address_bits, "beats": BEATS_BITS})


class ReadChannel(wiring.Component):
    """One channel of a :class:`ReadMaster`: cuts commands into bursts and queues the beats.

    Parameters
    ----------
    data_bits, address_bits, burst_beats, fifo_beats : int
        As for :class:`ReadMaster`.

    Members
    -------
    i, o, abort, busy
        As for :class:`ReadMaster`.
    request
        There is a burst to request, with room for it: ``address`` in bytes, ``length`` in beats,
        ``last``, one less, ``final`` if it ends its command. They hold until ``grant``, except
        under ``abort``.
    grant
        The burst is asked for; only while ``request`` is up.
    push
        A beat of a granted burst arrives: ``beat``.
    """

    def __init__(self, *, data_bits, address_bits, burst_beats, fifo_beats):
        check_address_bits(address_bits)
        check_bursts(data_bits, burst_beats, fifo_beats)
        self.data_bits    = data_bits
        self.address_bits = address_bits
        self.burst_beats  = burst_beats
        self.fifo_beats   = fifo_beats
        super().__init__({
            "i":       In(stream.Signature(read_command(address_bits))),
            "o":       Out(stream.Signature(beat(data_bits))),
            "request": Out(1),
            "address": Out(address_bits),
            "length":  Out(range(burst_beats + 1)),
            "last":    Out(range(burst_beats)),
            "final":   Out(1),
            "grant":   In(1),
            "push":    In(1),
            "beat":    In(beat(data_bits)),
            "abort":   In(1),
            "busy":    Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        offset_bits = exact_log2(self.data_bits // 8)
        number      = Signal(self.address_bits - offset_bits)   # of the next beat, in memory
        remaining   = Signal(BEATS_BITS)                        # beats not asked for
        space       = Signal(range(self.fifo_beats + 1),        # beats neither queued nor due
                             init=self.fifo_beats)
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=len(self.beat.as_value()),
                                                           depth=self.fifo_beats)
        m.d.comb += [
            self.i.ready.eq((remaining == 0) & ~self.abort),
            self.address.eq(number << offset_bits),
            self.busy.eq((remaining != 0) | (space != self.fifo_beats)),
            queue.w_data.eq(self.beat),
            queue.w_en.eq(self.push),
            queue.r_en.eq(self.o.ready | self.abort),
            self.o.valid.eq(queue.r_rdy & ~self.abort),
            self.o.payload.eq(queue.r_data),
        ]
        m.d.sync += Assert(~self.push | queue.w_rdy, "A beat came without room for it")

        # 1. The next burst, up to a multiple of the burst length, is worked out in a cycle of
        # its own; a grant changes what it is worked out from, so none is offered the cycle after.
        room = Signal(range(self.burst_beats + 1))      # up to that multiple
        ends = Signal()
        m.d.comb += ends.eq(remaining <= room)
        m.d.sync += [
            self.request.eq((remaining != 0) & ((space >= remaining) | (space >= room))
                            & ~self.grant & ~self.abort),
            self.length.eq(Mux(ends, remaining, room)),
            self.last.eq(Mux(ends, remaining, room) - 1),
            self.final.eq(ends),
        ]

        # 2. Granted. Another burst of the command begins at a multiple.
        popped = Signal.like(space, attrs={"keep": 1})  # space, with a beat that leaves
        m.d.comb += popped.eq(space + (queue.r_rdy & queue.r_en))
        m.d.sync += space.eq(popped)
        with m.If(self.grant):
            m.d.sync += [
                number.eq(number + self.length),
                remaining.eq(remaining - self.length),
                room.eq(self.burst_beats),
                space.eq(popped - self.length),
            ]

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                number.eq(self.i.payload.address[offset_bits:]),
                remaining.eq(self.i.payload.beats),
                room.eq(self.burst_beats - self.i.payload.address[
                    offset_bits:offset_bits + exact_log2(self.burst_beats)]),
                Assert(self.i.payload.address[:offset_bits] == 0,
                       Format("Address {:#x} is inside a beat", self.i.payload.address)),
            ]
        with m.If(self.abort):
            m.d.sync += remaining.eq(0)
        return m


class ReadMaster(wiring.Component):
    """Reads linear runs of memory into a number of streams through one AXI4 port.

    Each channel takes commands and yields their beats, in order, the last beat of each command
    with ``last`` up. A burst is requested only when the channel's queue has room for all its
    beats, so one channel that does not empty its queue never holds up another. All bursts have
    the same identifier and return in the order of request.

    Timing: a command taken in cycle t raises ``arvalid`` in cycle t + 3; a beat transferred in
    cycle t appears at ``o`` in cycle t + 2. A channel requests a burst at most every second
    cycle. One beat a cycle is sustained when ``outstanding * burst_beats`` is at least
    the latency of the memory + ``burst_beats`` + 8, and so is ``fifo_beats`` of one channel
    alone; among several, each needs its share of (latency + 8) and two bursts.

    Parameters
    ----------
    data_bits : int
        Width of a beat in bits: 64, 128, 256 or 512.
    address_bits : int
        Width of an address in bits.
    channels : int
        Number of channels, at least 1.
    burst_beats : int
        Longest burst in beats, a power of two; a burst of that length must fit in 4096 bytes.
        Bursts end at its multiples, and therefore never cross a page.
    fifo_beats : int
        Beats a channel has room for, at least ``burst_beats`` and 4.
    outstanding : int
        Bursts requested and not finished, at least 1.
    arbitration : str
        ``"round-robin"``, or ``"priority"`` (the lowest channel first), burst by burst.
    id_bits : int
        Width of the identifier, which is always 0.

    Members
    -------
    i
        Commands of each channel, see :func:`read_command`. Taken when all the beats of the
        previous one are requested.
    o
        Beats of each channel, see :func:`mnv2.hw.axi.beat`.
    bus
        The AXI4 port.
    clear
        Sets ``error`` to 0; a beat that comes in the same cycle is not ``received``.
    abort
        While up: drops what is not requested yet, discards beats, takes no command. Hold it until
        ``busy`` falls.
    busy
        Some beat is still to be requested, on its way, or in a queue. Rises the cycle after a
        command is taken.
    error
        Sticky: a beat came with an error response, unasked, or with ``rlast`` out of place.
    received
        A beat of each channel has come in the cycle before.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits=32, channels, burst_beats=16, fifo_beats=64,
                 outstanding=8, arbitration="round-robin", id_bits=1):
        check_integer("Channels", channels)
        check_bursts(data_bits, burst_beats, fifo_beats, outstanding)
        if arbitration not in ("round-robin", "priority"):
            raise ValueError(f"Arbitration must be 'round-robin' or 'priority', "
                             f"not {arbitration!r}")
        self.data_bits    = data_bits
        self.address_bits = address_bits
        self.channels     = channels
        self.burst_beats  = burst_beats
        self.fifo_beats   = fifo_beats
        self.outstanding  = outstanding
        self.arbitration  = arbitration
        self.id_bits      = id_bits
        bus = AxiSignature(data_bits=data_bits, address_bits=address_bits, id_bits=id_bits,
                           access="r")
        super().__init__({
            "i":        In(stream.Signature(read_command(address_bits))).array(channels),
            "o":        Out(stream.Signature(beat(data_bits))).array(channels),
            "bus":      Out(bus),
            "clear":    In(1),
            "abort":    In(1),
            "busy":     Out(1),
            "error":    Out(1),
            "received": Out(channels),
        })

    def elaborate(self, platform):
        m = Module()

        channels = []
        for index in range(self.channels):
            m.submodules[f"channel_{index}"] = channel = ReadChannel(
                data_bits=self.data_bits, address_bits=self.address_bits,
                burst_beats=self.burst_beats, fifo_beats=self.fifo_beats)
            connect(m, flipped(self.i[index]), channel.i)
            connect(m, channel.o, flipped(self.o[index]))
            m.d.comb += channel.abort.eq(self.abort)
            channels.append(channel)
        m.d.comb += self.busy.eq(Cat(channel.busy for channel in channels).any())

        # 1. One request is chosen and becomes the read address; `due` remembers whose it is.
        burst = data.StructLayout({
            "channel": range(self.channels),
            "length":  range(self.burst_beats + 1),
            "final":   1,
        })
        m.submodules.due = due = fifo.SyncFIFO(width=burst.size, depth=self.outstanding)
        chosen = Signal(self.channels)
        asked  = Signal(burst)
        free   = Signal()
        grant  = Signal()
        requests = Cat(channel.request for channel in channels)
        self._choose(m, requests, chosen, grant)
        m.d.comb += [
            free.eq(due.w_rdy & (~self.bus.arvalid | self.bus.arready)),
            grant.eq(requests.any() & free),
            due.w_data.eq(asked),
            due.w_en.eq(grant),
        ]
        address, last = (_select(chosen, [getattr(channel, name) for channel in channels])
                         for name in ("address", "last"))
        m.d.comb += [
            asked.channel.eq(_select(chosen, [C(index, asked.channel.shape())
                                              for index in range(self.channels)])),
            asked.length.eq(_select(chosen, [channel.length for channel in channels])),
            asked.final.eq(_select(chosen, [channel.final for channel in channels])),
        ]
        for index, channel in enumerate(channels):
            m.d.comb += channel.grant.eq(chosen[index] & free)
        with m.If(self.bus.arready):
            m.d.sync += self.bus.arvalid.eq(0)
        with m.If(grant):
            m.d.sync += [
                self.bus.arvalid.eq(1),
                self.bus.araddr.eq(address),
                self.bus.arlen.eq(last),
            ]
        m.d.comb += [
            self.bus.arsize.eq(exact_log2(self.data_bits // 8)),
            self.bus.arburst.eq(BURST_INCR),
            self.bus.arcache.eq(CACHE_MODIFIABLE),
        ]

        # 2. Beats return in the order of request, to the channel at the head of `due`.
        head     = Signal(burst)
        received = Signal(range(self.burst_beats))   # beats of the head burst
        ends     = Signal()
        push     = Signal()
        m.d.comb += [
            self.bus.rready.eq(1),
            head.eq(due.r_data),
            ends.eq(received == head.length - 1),
            push.eq(self.bus.rvalid & due.r_rdy),
            due.r_en.eq(push & ends),
        ]
        with m.If(push):
            m.d.sync += received.eq(Mux(ends, 0, received + 1))
        for index, channel in enumerate(channels):
            here = Signal(name=f"here_{index}")
            m.d.comb += [
                here.eq(push & (head.channel == index)),
                channel.push.eq(here),
                channel.beat.data.eq(self.bus.rdata),
                channel.beat.last.eq(ends & head.final),
            ]
            m.d.sync += self.received[index].eq(here & ~self.clear)

        wrong = Signal()
        m.d.comb += wrong.eq(~due.r_rdy | self.bus.rresp[1] | (self.bus.rlast != ends))
        with m.If(self.clear):
            m.d.sync += self.error.eq(0)
        with m.If(self.bus.rvalid & wrong):
            m.d.sync += self.error.eq(1)
        return m

    def _choose(self, m, requests, chosen, grant):
        """Drive ``chosen``: one bit, that of the request that is served next; none without any."""
        def first(wanted):
            return Cat(wanted[index] & ~wanted[:index].any() for index in range(self.channels))

        if self.arbitration == "priority":
            m.d.comb += chosen.eq(first(requests))
            return
        # Requests after the one served last come first.
        later = Signal(self.channels)
        urgent = requests & later
        m.d.comb += chosen.eq(Mux(urgent.any(), first(urgent), first(requests)))
        with m.If(grant):
            m.d.sync += later.eq(Cat(chosen[:index].any() for index in range(self.channels)))


def _select(chosen, values):
    """The value whose bit is up; 0 if none is."""
    total = C(0)
    for bit, value in zip(chosen, values, strict=True):
        total = total | Mux(bit, value, 0)
    return total
