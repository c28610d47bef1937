"""The accelerator: one program, one memory port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from .axi import AxiSignature, join
from .config import AcceleratorConfig
from .core import Core
from .counters import COUNTERS, READ_CHANNELS, Counters
from .gearbox import Gearbox
from .map_mover import MapLoader, MapStorer
from .program import MEMORY_ADDRESS_BITS, RECORD_BYTES
from .read_master import ReadMaster
from .sequencer import RECORDS_BITS, Sequencer
from .write_master import WriteMaster

__all__ = ["COUNTER_ROWS", "Accelerator"]

#: Descriptors whose counters are kept.
COUNTER_ROWS = 32


class Accelerator(wiring.Component):
    """Runs a program of inverted-residual blocks that lies in external memory.

    The host writes program, weights, parameters and input to memory, raises ``start`` for a cycle and waits until
    ``running`` falls; then the output is in memory and the counters can be read.

    Parameters
    ----------
    config : AcceleratorConfig
        Lanes, widths and memories.

    Members
    -------
    start, program_address, program_records
        Begin a program, see :class:`hw.sequencer.Sequencer`.
    running
        A program is under way.
    finished
        Descriptors that have been worked off since ``start``.
    error
        The bus has answered with an error, or not as AXI4 asks, since ``start``.
    counter_row, counter_column, counter_value
        Reads a counter of a descriptor, see :class:`hw.counters.Counters`.
    bus
        AXI4 port to external memory.
    """

    def __init__(self, config):
        if not isinstance(config, AcceleratorConfig):
            raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
        self.config = config
        super().__init__({
            "start":           In(1),
            "program_address": In(MEMORY_ADDRESS_BITS),
            "program_records": In(RECORDS_BITS),
            "running":         Out(1),
            "finished":        Out(RECORDS_BITS),
            "error":           Out(1),
            "counter_row":     In(range(COUNTER_ROWS)),
            "counter_column":  In(range(len(COUNTERS))),
            "counter_value":   Out(32),
            "bus":             Out(AxiSignature(data_bits=config.data_bits,
                                                address_bits=MEMORY_ADDRESS_BITS)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        begin  = Signal()                    # of a program
        m.submodules.sequencer = sequencer = Sequencer(data_bits=config.data_bits)
        m.submodules.core = core = Core(
            outputs=config.outputs, inputs=config.inputs, pixels=config.pixels,
            weight_bits=config.weight_bits, activation_bits=config.activation_bits,
            map_words=config.map_words, strip_words=config.strip_words,
            line_words=config.line_words, weight_words=config.weight_words,
            tap_words=config.tap_words, parameter_words=config.parameter_words,
            queue_words=config.queue_words)
        m.d.comb += [
            begin.eq(self.start & ~sequencer.running),
            sequencer.start.eq(self.start),
            sequencer.program_address.eq(self.program_address),
            sequencer.program_records.eq(self.program_records),
            self.running.eq(sequencer.running),
            core.clear.eq(begin),
        ]
        with m.If(begin):
            m.d.sync += self.finished.eq(0)
        with m.Elif(sequencer.finish):
            m.d.sync += self.finished.eq(self.finished + 1)

        # Sequencer and core.
        connect(m, sequencer.o_pass, core.i_pass)
        connect(m, sequencer.o_line, core.i_line)
        for name in ("settings", "residual_input", "taps_free", "parameters_free"):
            m.d.comb += getattr(core, name).eq(getattr(sequencer, name))
        for name in ("quiet", "input_next", "index_next", "output_next", "residual_next"):
            m.d.comb += getattr(sequencer, name).eq(getattr(core, name))

        # External memory, read: a channel for each stream, the scarcest first.
        m.submodules.read_master = read_master = ReadMaster(
            data_bits=config.data_bits, address_bits=MEMORY_ADDRESS_BITS,
            channels=len(READ_CHANNELS), burst_beats=config.burst_beats,
            fifo_beats=max(8 * config.burst_beats, 4), outstanding=config.outstanding,
            arbitration="priority")
        word_bits = {"program": 8 * RECORD_BYTES, "activations": config.word_bits,
                     "parameters": config.parameter_word_bits, "taps": config.tap_word_bits,
                     "weights": config.weight_word_bits}
        words = {}
        for channel, name in enumerate(READ_CHANNELS):
            gearbox = Gearbox(input_bits=config.data_bits, output_bits=word_bits[name],
                              partial="drop")
            m.submodules[f"{name}_gearbox"] = gearbox
            connect(m, read_master.o[channel], gearbox.i)
            m.d.comb += gearbox.clear.eq(begin | (sequencer.begin if name == "activations" else 0))
            words[name] = gearbox.o
        for name in ("program", "parameters", "taps", "weights"):
            channel = READ_CHANNELS.index(name)
            connect(m, getattr(sequencer, f"o_{name}"), read_master.i[channel])
        for name, port in (("program", sequencer.i_records), ("parameters", core.i_parameters),
                           ("taps", core.i_taps), ("weights", core.i_weights)):
            m.d.comb += [
                port.valid.eq(words[name].valid),
                Value.cast(port.payload).eq(words[name].payload),
                words[name].ready.eq(port.ready),
            ]

        # Maps: loaded from and stored to external memory as the block asks.
        block   = sequencer.block
        loading = read_master.i[READ_CHANNELS.index("activations")]
        m.submodules.loader = loader = MapLoader(word_bits=config.word_bits)
        m.submodules.storer = storer = MapStorer(word_bits=config.word_bits)
        m.submodules.store_gearbox = store_gearbox = Gearbox(
            input_bits=config.word_bits, output_bits=config.data_bits, partial="emit")
        m.submodules.write_master = write_master = WriteMaster(
            data_bits=config.data_bits, address_bits=MEMORY_ADDRESS_BITS,
            burst_beats=config.burst_beats, fifo_beats=max(2 * config.burst_beats, 4))
        connect(m, words["activations"], loader.i)
        connect(m, storer.o, store_gearbox.i)
        connect(m, store_gearbox.o, write_master.i)
        m.d.comb += [
            loader.begin.eq(sequencer.begin),
            loader.words.eq(block.load_words),
            loader.base.eq(block.input_base),
            loader.end.eq(block.input_end),
            loader.freed.eq(sequencer.freed),
            core.i_load.valid.eq(loader.o.valid),
            Value.cast(core.i_load.payload).eq(loader.o.payload),
            loader.o.ready.eq(core.i_load.ready),
            core.loaded.eq(Mux(block.load, loader.loaded, 2**len(core.loaded) - 1)),
            storer.begin.eq(sequencer.begin),
            storer.words.eq(block.store_words),
            storer.base.eq(block.output_base),
            storer.end.eq(block.output_end),
            storer.produced.eq(sequencer.produced),
            core.store_request.eq(storer.request),
            core.store_address.eq(storer.address),
            storer.grant.eq(core.store_grant),
            storer.data.eq(core.store_data),
            sequencer.stored.eq(storer.stored),
            sequencer.written.eq(~write_master.i_command.valid & ~write_master.busy),
            loading.payload.address.eq(block.load_address),
            loading.payload.beats.eq(block.load_beats),
            write_master.i_command.payload.address.eq(block.store_address),
            write_master.i_command.payload.bytes.eq(block.store_bytes),
            store_gearbox.clear.eq(begin),
            read_master.clear.eq(begin),
            write_master.clear.eq(begin),
            self.error.eq(read_master.error | write_master.error),
        ]
        for command, wanted in ((loading, block.load), (write_master.i_command, block.store)):
            asked = Signal()
            m.d.comb += command.valid.eq(asked)
            with m.If(sequencer.begin):
                m.d.sync += asked.eq(wanted)
            with m.Elif(command.ready):
                m.d.sync += asked.eq(0)
        join(m, self.bus, read_master.bus, write_master.bus)

        # Counters.
        m.submodules.counters = counters = Counters(rows=COUNTER_ROWS)
        read_beats = Signal(len(READ_CHANNELS))
        for channel in range(len(READ_CHANNELS)):
            previous = Signal(read_master.beats[channel].shape(), name=f"previous_{channel}")
            m.d.sync += previous.eq(read_master.beats[channel])
            m.d.comb += read_beats[channel].eq((read_master.beats[channel] != previous) & ~begin)
        m.d.comb += [
            counters.clear.eq(begin),
            counters.running.eq(sequencer.running),
            counters.pointwise.eq(core.pointwise),
            counters.depthwise.eq(core.depthwise),
            counters.stall.eq(Mux(core.issuing, core.stall, sequencer.stall)),
            counters.read_beat.eq(read_beats),
            counters.write_beat.eq(self.bus.wvalid & self.bus.wready),
            counters.finish.eq(sequencer.finish),
            counters.row.eq(self.counter_row),
            counters.column.eq(self.counter_column),
            self.counter_value.eq(counters.value),
        ]
        return m
