"""Words of maps and logits written to external memory."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .axi import AxiSignature, beat
from .config import WRITE_OUTSTANDING
from .gearbox import Gearbox
from .stream_layout import check_layouts
from .write_master import WriteMaster, write_command

__all__ = ["WritePort"]

#: Streams that are written.
_WORDS = ("activations", "logits")


class WritePort(wiring.Component):
    """Packs words into beats and writes them.

    Timing: a beat reaches the queue of :class:`mnv2.hw.write_master.WriteMaster` the cycle after
    the word that fills it.

    Parameters
    ----------
    streams : dict of str to StreamLayout
        Layout of the words of ``"activations"`` and ``"logits"``, see
        :attr:`mnv2.hw.config.AcceleratorConfig.streams`; others are ignored.
    data_bits, address_bits, burst_beats, fifo_beats : int
        See :class:`mnv2.hw.write_master.WriteMaster`.

    Members
    -------
    i_command
        Commands, see :func:`mnv2.hw.write_master.write_command`.
    i_activations, i_logits
        Words of a map or of logits, see :func:`mnv2.hw.axi.beat`, with ``last`` up on the last word
        of each command.
    logits
        Logits are written, not a map; changes only when nothing is under way.
    bus
        The AXI4 port.
    clear, abort, busy, error
        See :class:`mnv2.hw.write_master.WriteMaster`. ``clear`` and ``abort`` empty the gearboxes,
        too.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, streams, data_bits, address_bits, burst_beats, fifo_beats):
        self._master = WriteMaster(
            data_bits=data_bits, address_bits=address_bits, burst_beats=burst_beats,
            fifo_beats=fifo_beats, outstanding=WRITE_OUTSTANDING)
        check_layouts(streams, _WORDS, data_bits)
        self._gearboxes = {
            name: Gearbox(input_bits=streams[name].taken_bits, output_bits=streams[name].beat_bits,
                          partial="emit")
            for name in _WORDS}
        super().__init__({
            "i_command": In(stream.Signature(write_command(address_bits))),
            **{f"i_{name}": In(stream.Signature(beat(streams[name].word_bits)))
               for name in _WORDS},
            "logits":    In(1),
            "bus":       Out(AxiSignature(data_bits=data_bits, address_bits=address_bits,
                                          access="w")),
            "clear":     In(1),
            "abort":     In(1),
            "busy":      Out(1),
            "error":     Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.write_master = master = self._master
        connect(m, flipped(self.i_command), master.i_command)
        connect(m, master.bus, flipped(self.bus))
        m.d.comb += [
            master.clear.eq(self.clear),
            master.abort.eq(self.abort),
            self.busy.eq(master.busy),
            self.error.eq(master.error),
        ]
        for name, chosen in {"activations": ~self.logits, "logits": self.logits}.items():
            m.submodules[f"{name}_gearbox"] = gearbox = self._gearboxes[name]
            words = getattr(self, f"i_{name}")
            m.d.comb += [
                gearbox.clear.eq(self.clear | self.abort),
                gearbox.i.valid.eq(words.valid),
                gearbox.i.payload.data.eq(words.payload.data),
                gearbox.i.payload.last.eq(words.payload.last),
                words.ready.eq(gearbox.i.ready),
            ]
            with m.If(chosen):
                m.d.comb += [
                    master.i.valid.eq(gearbox.o.valid),
                    master.i.payload.data.eq(gearbox.o.payload.data),
                    master.i.payload.last.eq(gearbox.o.payload.last),
                    gearbox.o.ready.eq(master.i.ready),
                ]
        return m
