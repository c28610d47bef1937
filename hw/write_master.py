"""A linear stream written through one AXI4 port."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .axi import BURST_INCR, CACHE_MODIFIABLE, AxiSignature, beat, check_bursts
from .config import BYTES_BITS, WRITE_OUTSTANDING

__all__ = ["WriteMaster", "write_command"]


def write_command(address_bits):
    """Layout of a command to write.

    Parameters
    ----------
    address_bits : int
        Width of an address in bits.

    Members
    -------
    address
        Address in bytes of the first beat, a multiple of the bytes in a beat.
    bytes
        Number of bytes; 0 does nothing. The last beat is strobed for what remains.
    """
    return data.StructLayout({"address": address_bits, "bytes": BYTES_BITS})


class WriteMaster(wiring.Component):
    """Writes a stream of beats to a linear run of memory through one AXI4 port.

    A command of n bytes takes ``ceil(n / bytes in a beat)`` beats from ``i``; a beat may come
    before its command. A burst is announced when all its beats are in the queue, so the bus
    never waits for the stream.

    Parameters
    ----------
    data_bits : int
        Width of a beat in bits: 64, 128, 256 or 512.
    address_bits : int
        Width of an address in bits.
    burst_beats : int
        Longest burst in beats, a power of two; a burst of that length must fit in 4096 bytes.
        Bursts end at its multiples, and therefore never cross a page.
    fifo_beats : int
        Beats that wait, at least ``burst_beats`` and 4; twice ``burst_beats`` keeps the rate.
    outstanding : int
        Bursts announced and not answered, at least 1.
    id_bits : int
        Width of the identifier, which is always 0.

    Members
    -------
    i_command
        Commands, see :func:`write_command`. Taken when all the bursts of the previous one are
        announced.
    i
        Beats, see :func:`mnv2.hw.axi.beat`, with ``last`` up on the last beat of each command: the
        output of a :class:`mnv2.hw.gearbox.Gearbox` that emits partial words.
    bus
        The AXI4 port.
    clear
        Sets ``error`` to 0.
    abort
        While up: drops the bursts not announced yet, discards beats, takes no command. Hold it
        until ``busy`` falls.
    busy
        Some beat of a command is not written and acknowledged yet. Rises the cycle after a
        command is taken.
    error
        Sticky: a burst was answered with an error or unasked, or ``last`` was not on the last
        beat of a command.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits=32, burst_beats=16, fifo_beats=32,
                 outstanding=WRITE_OUTSTANDING, id_bits=1):
        check_bursts(data_bits, burst_beats, fifo_beats, outstanding)
        self.data_bits    = data_bits
        self.address_bits = address_bits
        self.burst_beats  = burst_beats
        self.fifo_beats   = fifo_beats
        self.outstanding  = outstanding
        self.id_bits      = id_bits
        bus = AxiSignature(data_bits=data_bits, address_bits=address_bits, id_bits=id_bits,
                           access="w")
        super().__init__({
            "i_command": In(stream.Signature(write_command(address_bits))),
            "i":         In(stream.Signature(beat(data_bits))),
            "bus":       Out(bus),
            "clear":     In(1),
            "abort":     In(1),
            "busy":      Out(1),
            "error":     Out(1),
        })

    def elaborate(self, platform):
        m = Module()

        beat_bytes  = self.data_bits // 8
        offset_bits = exact_log2(beat_bytes)
        number      = Signal(self.address_bits - offset_bits)       # of the next beat, in memory
        remaining   = Signal(BYTES_BITS - offset_bits + 1)          # beats not announced
        tail_bytes  = Signal(offset_bits)                           # in the last beat; 0 is all
        stored      = Signal(range(self.fifo_beats + 1))            # queued beats not announced
        pending     = Signal(range(self.outstanding + 1))           # bursts not answered

        burst = data.StructLayout({
            "length":     range(self.burst_beats + 1),
            "final":      1,
            "tail_bytes": offset_bits,
        })
        m.submodules.queue  = queue  = fifo.SyncFIFOBuffered(width=self.data_bits + 1,
                                                             depth=self.fifo_beats)
        m.submodules.bursts = bursts = fifo.SyncFIFO(width=burst.size, depth=self.outstanding)
        announced = Signal(burst)
        head      = Signal(burst)
        grant     = Signal()
        store     = Signal()
        discard   = Signal()
        answer    = Signal()
        m.d.comb += [
            self.i_command.ready.eq((remaining == 0) & ~self.abort),
            self.i.ready.eq(queue.w_rdy),
            store.eq(self.i.valid & self.i.ready),
            queue.w_data.eq(self.i.payload),
            queue.w_en.eq(store),
            discard.eq(self.abort & ~bursts.r_rdy & queue.r_rdy),
            answer.eq(self.bus.bvalid & (pending != 0)),
            self.busy.eq((remaining != 0) | (pending != 0) | (self.abort & (stored != 0))),
        ]

        # 1. The next burst, up to a multiple of the burst length, is worked out in a cycle of
        # its own; a grant changes what it is worked out from, so none is offered the cycle after.
        request = Signal()
        room = Signal(range(self.burst_beats + 1))      # up to that multiple
        last = Signal(range(self.burst_beats))          # beat of the burst
        m.d.sync += [
            request.eq((remaining != 0) & ((stored >= remaining) | (stored >= room)) & ~grant),
            announced.length.eq(Mux(remaining <= room, remaining, room)),
            announced.final.eq(remaining <= room),
            announced.tail_bytes.eq(tail_bytes),
            last.eq(Mux(remaining <= room, remaining, room) - 1),
        ]

        # 2. It is announced, and remembered for the data.
        m.d.comb += [
            grant.eq(request & (pending != self.outstanding) & ~self.abort
                     & (~self.bus.awvalid | self.bus.awready)),
            bursts.w_data.eq(announced),
            bursts.w_en.eq(grant),
            self.bus.awsize.eq(offset_bits),
            self.bus.awburst.eq(BURST_INCR),
            self.bus.awcache.eq(CACHE_MODIFIABLE),
        ]
        with m.If(self.bus.awready):
            m.d.sync += self.bus.awvalid.eq(0)
        with m.If(grant):
            m.d.sync += [
                self.bus.awvalid.eq(1),
                self.bus.awaddr.eq(number << offset_bits),
                self.bus.awlen.eq(last),
                number.eq(number + announced.length),
                remaining.eq(remaining - announced.length),
                # Another burst of the command begins at a multiple.
                room.eq(self.burst_beats),
            ]
        m.d.sync += [
            stored.eq(stored + store - discard - Mux(grant, announced.length, 0)),
            pending.eq(pending + grant - answer),
        ]

        with m.If(self.i_command.valid & self.i_command.ready):
            m.d.sync += [
                number.eq(self.i_command.payload.address[offset_bits:]),
                remaining.eq((self.i_command.payload.bytes + (beat_bytes - 1)) >> offset_bits),
                tail_bytes.eq(self.i_command.payload.bytes),
                room.eq(self.burst_beats - self.i_command.payload.address[
                    offset_bits:offset_bits + exact_log2(self.burst_beats)]),
                Assert(self.i_command.payload.address[:offset_bits] == 0,
                       Format("Address {:#x} is inside a beat", self.i_command.payload.address)),
            ]
        with m.If(self.abort):
            m.d.sync += [
                remaining.eq(0),
                request.eq(0),
            ]

        # 3. The data follow from the queue; they do not wait for the announcement to be taken,
        # since a slave may want to see both (ARM IHI 0022E, A3.3.1).
        beat_out = Signal(beat(self.data_bits))
        sent     = Signal(range(self.burst_beats))     # beats of the head burst
        ends     = Signal()
        partial  = Signal()
        transfer = Signal()
        m.d.comb += [
            head.eq(bursts.r_data),
            beat_out.eq(queue.r_data),
            ends.eq(sent == head.length - 1),
            partial.eq(ends & head.final & (head.tail_bytes != 0)),
            self.bus.wvalid.eq(bursts.r_rdy & queue.r_rdy),
            self.bus.wdata.eq(beat_out.data),
            self.bus.wlast.eq(ends),
            transfer.eq(self.bus.wvalid & self.bus.wready),
            queue.r_en.eq(transfer | discard),
            bursts.r_en.eq(transfer & ends),
        ]
        for index in range(beat_bytes):
            m.d.comb += self.bus.wstrb[index].eq(~partial | (index < head.tail_bytes))
        with m.If(transfer):
            m.d.sync += sent.eq(Mux(ends, 0, sent + 1))

        # 4. Responses.
        m.d.comb += self.bus.bready.eq(1)
        wrong = Signal()
        m.d.comb += wrong.eq((self.bus.bvalid & (self.bus.bresp[1] | (pending == 0)))
                             | (transfer & (beat_out.last != (ends & head.final))))
        with m.If(self.clear):
            m.d.sync += self.error.eq(0)
        with m.If(wrong):
            m.d.sync += self.error.eq(1)
        return m
