"""Streams of words read from external memory."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .axi import AxiSignature
from .config import STREAMS
from .gearbox import Gearbox
from .read_master import ReadMaster, read_command
from .stream_layout import check_layouts

__all__ = ["ReadPort"]

#: Streams that words leave by.
_WORDS = (*STREAMS, "image")


class ReadPort(wiring.Component):
    """Reads streams from external memory and cuts their beats into words.

    The streams are :data:`mnv2.hw.config.STREAMS`; images come with the commands of activations.

    Timing: as :class:`mnv2.hw.read_master.ReadMaster`; a word leaves the cycle after its last beat
    has left the master.

    Parameters
    ----------
    streams : dict of str to StreamLayout
        Layout of the words of each stream, and of ``"image"``, see
        :attr:`mnv2.hw.config.AcceleratorConfig.streams`.
    data_bits, address_bits, burst_beats, fifo_beats, outstanding : int
        See :class:`mnv2.hw.read_master.ReadMaster`.

    Members
    -------
    i_program, i_activations, i_parameters, i_taps, i_weights
        Commands of each stream, see :func:`mnv2.hw.read_master.read_command`.
    o_program, o_activations, o_parameters, o_taps, o_weights, o_image
        Words of each stream.
    image
        Activations are words of an image, not of a map; changes only with ``restart``.
    restart
        Forget what is left of the activations.
    bus
        The AXI4 port.
    received
        A beat of each stream has come in the cycle before.
    clear, abort, busy, error
        See :class:`mnv2.hw.read_master.ReadMaster`. ``clear`` and ``abort`` empty the gearboxes,
        too.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, streams, data_bits, address_bits, burst_beats, fifo_beats, outstanding):
        self._master = ReadMaster(
            data_bits=data_bits, address_bits=address_bits, channels=len(STREAMS),
            burst_beats=burst_beats, fifo_beats=fifo_beats, outstanding=outstanding,
            arbitration="round-robin")
        check_layouts(streams, _WORDS, data_bits)
        self._gearboxes = {
            name: Gearbox(input_bits=streams[name].beat_bits, output_bits=streams[name].taken_bits,
                          partial="drop")
            for name in _WORDS}
        command = stream.Signature(read_command(address_bits))
        super().__init__({
            **{f"i_{name}": In(command) for name in STREAMS},
            **{f"o_{name}": Out(stream.Signature(streams[name].word_bits)) for name in _WORDS},
            "image":    In(1),
            "restart":  In(1),
            "bus":      Out(AxiSignature(data_bits=data_bits, address_bits=address_bits,
                                         access="r")),
            "received": Out(len(STREAMS)),
            "clear":    In(1),
            "abort":    In(1),
            "busy":     Out(1),
            "error":    Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.read_master = master = self._master
        connect(m, master.bus, flipped(self.bus))
        for index, name in enumerate(STREAMS):
            connect(m, flipped(getattr(self, f"i_{name}")), master.i[index])
        for name in ("clear", "abort"):
            m.d.comb += getattr(master, name).eq(getattr(self, name))
        for name in ("received", "busy", "error"):
            m.d.comb += getattr(self, name).eq(getattr(master, name))

        # Beats of the activations go to one of two gearboxes.
        wanted = {"activations": ~self.image, "image": self.image}
        for name, gearbox in self._gearboxes.items():
            m.submodules[f"{name}_gearbox"] = gearbox
            beats  = master.o[STREAMS.index("activations" if name in wanted else name)]
            chosen = wanted.get(name, Const(1))
            words  = getattr(self, f"o_{name}")
            m.d.comb += [
                gearbox.i.valid.eq(beats.valid & chosen),
                gearbox.i.payload.data.eq(beats.payload.data),      # without its padding
                gearbox.i.payload.last.eq(beats.payload.last),
                gearbox.clear.eq(self.clear | self.abort | (self.restart & (name in wanted))),
                words.valid.eq(gearbox.o.valid),
                words.payload.eq(gearbox.o.payload),                # without its padding
                gearbox.o.ready.eq(words.ready),
            ]
            with m.If(chosen):
                m.d.comb += beats.ready.eq(gearbox.i.ready)
        return m
