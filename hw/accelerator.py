"""The accelerator: one program, one memory port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .axi import AxiSignature, join
from .config import (
    COUNTER_ROWS,
    IMAGE_CHANNELS,
    MEMORY_ADDRESS_BITS,
    RECORD_BYTES,
    RECORDS_BITS,
    STREAMS,
    WRITE_OUTSTANDING,
    AcceleratorConfig,
)
from .core import Core
from .counters import Counters
from .gearbox import Gearbox
from .layouts import logits_word
from .map_mover import MapLoader, MapStorer
from .program import Work
from .read_master import ReadMaster
from .registers import REGISTER_ADDRESS_BITS, AxiLiteSignature, Registers
from .sequencer import Sequencer
from .supervisor import Supervisor
from .write_master import WriteMaster

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """Runs a program from external memory: single blocks, or a network from image to logits.

    The host writes program, weights, parameters and input to memory, sets the registers, starts,
    and waits for the interrupt or for the status; then the output is in memory and the counters can
    be read.

    Parameters
    ----------
    config : AcceleratorConfig
        Lanes, widths and memories.

    Members
    -------
    control
        AXI4-Lite port to the registers, see :class:`mnv2.hw.registers.Register`.
    interrupt
        A program has ended, and the interrupt is enabled.
    bus
        AXI4 port to external memory.
    running, finished
        A program is running; descriptors that it has completed. For watchers; the registers tell
        the same.
    """

    def __init__(self, config):
        if not isinstance(config, AcceleratorConfig):
            raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
        self.config = config
        super().__init__({
            "control":   In(AxiLiteSignature(address_bits=REGISTER_ADDRESS_BITS)),
            "interrupt": Out(1),
            "running":   Out(1),
            "finished":  Out(RECORDS_BITS),
            "bus":       Out(AxiSignature(data_bits=config.data_bits,
                                          address_bits=MEMORY_ADDRESS_BITS)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        begin   = Signal()                   # of a program
        give_up = Signal()                   # the program
        abandoned = ResetInserter(give_up)
        m.submodules.registers  = registers  = Registers(counter_rows=COUNTER_ROWS)
        m.submodules.supervisor = supervisor = Supervisor(patience_cycles=config.patience_cycles)
        sequencer = Sequencer(data_bits=config.data_bits, map_words=config.map_words,
                              tap_words=config.tap_words, parameter_words=config.parameter_words)
        core = Core(
            outputs=config.outputs, inputs=config.inputs, pixels=config.pixels,
            weight_bits=config.weight_bits, activation_bits=config.activation_bits,
            map_words=config.map_words, strip_words=config.strip_words,
            line_words=config.line_words, weight_words=config.weight_words,
            tap_words=config.tap_words, parameter_words=config.parameter_words,
            queue_words=config.queue_words)
        m.submodules.sequencer = abandoned(sequencer)
        m.submodules.core      = abandoned(core)
        connect(m, flipped(self.control), registers.bus)
        m.d.comb += [
            self.interrupt.eq(registers.interrupt),
            registers.status.eq(supervisor.status),
            registers.finished.eq(self.finished),
            registers.ended.eq(supervisor.ended),
            supervisor.start.eq(registers.start),
            supervisor.complete.eq(sequencer.complete),
            supervisor.descriptor_error.eq(sequencer.bad),
            begin.eq(supervisor.begin),
            give_up.eq(supervisor.give_up),
            sequencer.start.eq(begin),
            sequencer.program_address.eq(registers.program_address),
            sequencer.program_records.eq(registers.program_records),
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
        for name in ("quiet", "issued", "input_next", "index_next", "output_next", "residual_next"):
            m.d.comb += getattr(sequencer, name).eq(getattr(core, name))

        # External memory, read: a channel for each stream.
        m.submodules.read_master = read_master = ReadMaster(
            data_bits=config.data_bits, address_bits=MEMORY_ADDRESS_BITS,
            channels=len(STREAMS), burst_beats=config.burst_beats,
            fifo_beats=config.read_queue_beats, outstanding=config.outstanding,
            arbitration="round-robin")
        word_bits = {"program": 8 * RECORD_BYTES, "activations": config.word_bits,
                     "parameters": config.parameter_word_bits, "taps": config.tap_word_bits,
                     "weights": config.weight_word_bits}
        block = sequencer.block
        words = {}
        # An image has fewer channels than a word has lanes, and its own way to the line buffer.
        word_bits["image"] = IMAGE_CHANNELS * config.pixels * config.activation_bits
        for name, bits in word_bits.items():
            gearbox = Gearbox(input_bits=config.data_bits, output_bits=bits, partial="drop")
            m.submodules[f"{name}_gearbox"] = abandoned(gearbox)
            if name in ("activations", "image"):
                beats = read_master.o[STREAMS.index("activations")]
                chosen = block.stem == (name == "image")
                m.d.comb += [
                    gearbox.i.valid.eq(beats.valid & chosen),
                    gearbox.i.payload.eq(beats.payload),
                    gearbox.clear.eq(begin | sequencer.begin),
                ]
                with m.If(chosen):
                    m.d.comb += beats.ready.eq(gearbox.i.ready)
            else:
                connect(m, read_master.o[STREAMS.index(name)], gearbox.i)
                m.d.comb += gearbox.clear.eq(begin)
            words[name] = gearbox.o
        image = words["image"]
        m.d.comb += [
            core.i_image.valid.eq(image.valid & sequencer.imaging),
            image.ready.eq(core.i_image.ready & sequencer.imaging),
        ]
        for pixel in range(config.pixels):
            for channel in range(IMAGE_CHANNELS):
                m.d.comb += core.i_image.payload[pixel][channel].eq(image.payload.word_select(
                    pixel * IMAGE_CHANNELS + channel, config.activation_bits))
        for name in ("program", "parameters", "taps", "weights"):
            channel = STREAMS.index(name)
            connect(m, getattr(sequencer, f"o_{name}"), read_master.i[channel])
        for name, port in (("program", sequencer.i_records), ("parameters", core.i_parameters),
                           ("taps", core.i_taps), ("weights", core.i_weights)):
            m.d.comb += [
                port.valid.eq(words[name].valid),
                Value.cast(port.payload).eq(words[name].payload),
                words[name].ready.eq(port.ready),
            ]

        # Maps: loaded from and stored to external memory as the block asks.
        loading = read_master.i[STREAMS.index("activations")]
        loader = MapLoader(word_bits=config.word_bits)
        storer = MapStorer(word_bits=config.word_bits)
        store_gearbox = Gearbox(
            input_bits=config.word_bits, output_bits=config.data_bits, partial="emit")
        m.submodules.write_master = write_master = WriteMaster(
            data_bits=config.data_bits, address_bits=MEMORY_ADDRESS_BITS,
            burst_beats=config.burst_beats, fifo_beats=config.write_queue_beats,
            outstanding=WRITE_OUTSTANDING)
        connect(m, words["activations"], loader.i)
        connect(m, storer.o, store_gearbox.i)
        logits_bits = logits_word(config.inputs).size
        logits_gearbox = Gearbox(
            input_bits=logits_bits, output_bits=config.data_bits, partial="emit")
        for name, unit in (("loader", loader), ("storer", storer),
                           ("store_gearbox", store_gearbox), ("logits_gearbox", logits_gearbox)):
            m.submodules[name] = abandoned(unit)
        logits_left = Signal(len(block.store_words))
        with m.If(sequencer.begin):
            m.d.sync += logits_left.eq(block.store_words)
        with m.Elif(core.o_logits.valid & core.o_logits.ready):
            m.d.sync += logits_left.eq(logits_left - 1)
        m.d.comb += [
            logits_gearbox.i.valid.eq(core.o_logits.valid),
            logits_gearbox.i.payload.data.eq(core.o_logits.payload),
            logits_gearbox.i.payload.last.eq(logits_left == 1),
            core.o_logits.ready.eq(logits_gearbox.i.ready),
        ]
        with m.If(block.work == Work.CLASSIFIER):
            m.d.comb += _join_stream(logits_gearbox.o, write_master.i)
        with m.Else():
            m.d.comb += _join_stream(store_gearbox.o, write_master.i)
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
            storer.words.eq(Mux(block.work == Work.CLASSIFIER, 0, block.store_words)),
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
            logits_gearbox.clear.eq(begin),
            read_master.clear.eq(begin),
            write_master.clear.eq(begin),
            read_master.abort.eq(give_up),
            write_master.abort.eq(give_up),
            supervisor.bus_error.eq(read_master.error | write_master.error),
            supervisor.bus_busy.eq(read_master.busy | write_master.busy),
            supervisor.moving.eq(core.pointwise | core.depthwise | core.moving
                                 | (self.bus.rvalid & self.bus.rready)
                                 | (self.bus.wvalid & self.bus.wready)),
        ]
        storing = write_master.i_command
        for command, wanted in ((loading, block.load | block.stem), (storing, block.store)):
            asked = Signal()
            m.d.comb += command.valid.eq(asked)
            with m.If(give_up):
                m.d.sync += asked.eq(0)
            with m.Elif(sequencer.begin):
                m.d.sync += asked.eq(wanted)
            with m.Elif(command.ready):
                m.d.sync += asked.eq(0)
        join(m, self.bus, read_master.bus, write_master.bus)

        # Counters.
        m.submodules.counters = counters = Counters(rows=COUNTER_ROWS)
        read_beats = Signal(len(STREAMS))
        for channel in range(len(STREAMS)):
            previous = Signal(read_master.beats[channel].shape(), name=f"previous_{channel}")
            # The counts of the bus begin with the program, too, but a cycle later.
            m.d.sync += previous.eq(Mux(begin, 0, read_master.beats[channel]))
            m.d.comb += read_beats[channel].eq(read_master.beats[channel] != previous)
        m.d.comb += [
            counters.clear.eq(begin),
            counters.running.eq(sequencer.running),
            counters.stem.eq(sequencer.imaging),
            counters.pointwise.eq(core.pointwise),
            counters.depthwise.eq(core.depthwise),
            counters.stall.eq(Mux(core.issuing, core.stall, sequencer.stall)),
            counters.read_beat.eq(read_beats),
            counters.write_beat.eq(self.bus.wvalid & self.bus.wready),
            counters.finish.eq(sequencer.finish),
            counters.row.eq(registers.counter_row),
            counters.column.eq(registers.counter_column),
            registers.counter_value.eq(counters.value),
        ]
        return m


def _join_stream(producer, consumer):
    """Statements that connect two streams, to be used under a condition."""
    return [
        consumer.valid.eq(producer.valid),
        consumer.payload.eq(producer.payload),
        producer.ready.eq(consumer.ready),
    ]
