"""A linear stream written through one AXI4 port."""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.axi import AxiSignature, beat

__all__ = ["WriteMaster", "write_command"]

#: Width of a length in bytes.
BYTES_BITS = 32


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
        Beats, see :func:`hw.axi.beat`, with ``last`` up on the last beat of each command: the
        output of a :class:`hw.gearbox.Gearbox` that emits partial words.
    bus
        The AXI4 port.
    clear
        Sets ``beats``, ``bytes`` and ``error`` to 0.
    abort
        While up: drops the bursts not announced yet, discards beats, takes no command. Hold it
        until ``busy`` falls.
    busy
        Some beat of a command is not written and acknowledged yet. Rises the cycle after a
        command is taken.
    error
        Sticky: a burst was answered with an error, or ``last`` was not on the last beat of a
        command.
    beats, bytes
        Beats and bytes written.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits=32, burst_beats=16, fifo_beats=32,
                 outstanding=4, id_bits=1):
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
            "beats":     Out(32),
            "bytes":     Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        return m
