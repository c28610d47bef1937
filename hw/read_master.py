"""Several linear streams read through one AXI4 port."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.axi import AxiSignature, beat

__all__ = ["ReadMaster", "read_command"]

#: Width of a length in beats.
BEATS_BITS = 24


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


class ReadMaster(wiring.Component):
    """Reads linear runs of memory into a number of streams through one AXI4 port.

    Each channel takes commands and yields their beats, in order, the last beat of each command
    with ``last`` up. A burst is requested only when the channel's queue has room for all its
    beats, so one channel that does not empty its queue never holds up another. All bursts have
    the same identifier and return in the order of request.

    Timing: a command taken in cycle t raises ``arvalid`` in cycle t + 3; a beat transferred in
    cycle t appears at ``o`` in cycle t + 2. A channel requests a burst at most every second
    cycle. One beat a cycle is sustained when ``outstanding * burst_beats`` and the sum of
    the active channels' ``fifo_beats`` both cover the latency of the memory plus a burst
    plus 8.

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
        Beats of each channel, see :func:`hw.axi.beat`.
    bus
        The AXI4 port.
    clear
        Sets ``beats`` and ``error`` to 0.
    abort
        While up: drops what is not requested yet, discards beats, takes no command. Hold it until
        ``busy`` falls.
    busy
        Some beat is still to be requested, on its way, or in a queue. Rises the cycle after a
        command is taken.
    error
        Sticky: a beat came with an error response, unasked, or with ``rlast`` out of place.
    beats
        Beats received by each channel.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits=32, channels, burst_beats=16, fifo_beats=64,
                 outstanding=8, arbitration="round-robin", id_bits=1):
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
            "i":     In(stream.Signature(read_command(address_bits))).array(channels),
            "o":     Out(stream.Signature(beat(data_bits))).array(channels),
            "bus":   Out(bus),
            "clear": In(1),
            "abort": In(1),
            "busy":  Out(1),
            "error": Out(1),
            "beats": Out(32).array(channels),
        })

    def elaborate(self, platform):
        m = Module()
        return m
