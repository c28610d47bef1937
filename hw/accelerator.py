"""The accelerator: one program, one memory port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .axi import AxiSignature, join
from .config import COUNTER_ROWS, IMAGE_CHANNELS, AcceleratorConfig
from .core import Core
from .counters import Counters
from .identity import configuration_hash, constant_registers
from .layouts import activation_word
from .map_port import MapPort
from .program import Work
from .read_port import ReadPort
from .register_map import REGISTER_ADDRESS_BITS
from .registers import AxiLiteSignature, Registers
from .sequencer import Sequencer
from .supervisor import Supervisor
from .turn_counter import TurnCounter
from .write_port import WritePort

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """Runs a program from external memory: single blocks, or a network from image to logits.

    The host writes the program's image to memory once, and pictures; it sets the registers, starts,
    and waits for the interrupt or for the status; then the output is in memory and the counters, if
    there are any, can be read. All addresses in a program are relative to registers. A program is
    executed once, or turn after turn on rings of pictures and logits, see
    :mod:`mnv2.hw.register_map`.

    Parameters
    ----------
    config : AcceleratorConfig
        Lanes, widths and memories.

    Members
    -------
    control
        AXI4-Lite port to the registers, see :data:`mnv2.hw.register_map.REGISTERS`.
    interrupt
        A program, or a turn of it, has ended, and that interrupt is enabled.
    bus
        AXI4 port to external memory.
    running, finished
        A program is running; descriptors that it has completed, modulo 2**32. For watchers; the
        registers tell the same.
    """

    def __init__(self, config):
        if not isinstance(config, AcceleratorConfig):
            raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
        self.config = config
        super().__init__({
            "control":   In(AxiLiteSignature(address_bits=REGISTER_ADDRESS_BITS)),
            "interrupt": Out(1),
            "running":   Out(1),
            "finished":  Out(32),
            "bus":       Out(AxiSignature(data_bits=config.data_bits,
                                          address_bits=config.address_bits)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self.config
        begin   = Signal()                   # of a program
        clear   = Signal()                   # a cycle later, before anything has come for it
        give_up = Signal()                   # the program
        abandoned = ResetInserter(give_up)
        port = {"streams": config.streams, "data_bits": config.data_bits,
                "address_bits": config.address_bits, "burst_beats": config.burst_beats}
        registers  = Registers(counter_rows=COUNTER_ROWS, address_bits=config.address_bits,
                               constants=constant_registers(config))
        supervisor = Supervisor(patience_cycles=config.patience_cycles)
        turns      = TurnCounter(address_bits=config.address_bits)
        sequencer  = Sequencer(data_bits=config.data_bits, address_bits=config.address_bits,
                               configuration=configuration_hash(config),
                               map_words=config.map_words, tap_words=config.tap_words,
                               parameter_words=config.parameter_words)
        core = Core(config)
        map_port   = MapPort(word_bits=config.word_bits,
                             logits_bits=config.streams["logits"].word_bits,
                             address_bits=config.address_bits)
        read_port  = ReadPort(fifo_beats=config.read_queue_beats, outstanding=config.outstanding,
                              **port)
        write_port = WritePort(fifo_beats=config.write_queue_beats, **port)
        m.submodules.registers  = registers
        m.submodules.supervisor = supervisor
        m.submodules.turns      = turns
        m.submodules.sequencer  = abandoned(sequencer)
        m.submodules.core       = abandoned(core)
        m.submodules.map_port   = abandoned(map_port)
        m.submodules.read_port  = read_port
        m.submodules.write_port = write_port

        # The host, its program, and what ends it.
        connect(m, flipped(self.control), registers.bus)
        _wire(m, supervisor, registers, "status", "ended")
        _wire(m, registers, supervisor, "start", "abort", "misaligned")
        _wire(m, registers, sequencer, "base", "program_records")
        _wire(m, registers, turns, "stop", "frames", "picture", "picture_stride", "picture_count",
              "logits", "logits_stride", "logits_count")
        _wire(m, sequencer, supervisor, "complete", "wrong")
        _wire(m, sequencer, turns, "turn", "block", "finish")
        _wire(m, turns, sequencer, "ending")
        _wire(m, turns, registers, "frames_done", "frame_ended")
        m.d.comb += [
            self.interrupt.eq(registers.interrupt),
            self.running.eq(sequencer.running),
            registers.finished.eq(self.finished),
            supervisor.descriptor_error.eq(sequencer.bad),
            # That of the program before is still there in the cycle in which it is cleared.
            supervisor.bus_error.eq((read_port.error | write_port.error) & ~clear),
            supervisor.bus_busy.eq(read_port.busy | write_port.busy),
            begin.eq(supervisor.begin),
            give_up.eq(supervisor.give_up),
            sequencer.start.eq(begin),
            turns.begin.eq(begin),
            map_port.base.eq(registers.base),
            map_port.picture.eq(turns.picture_address),
            map_port.logits.eq(turns.logits_address),
            core.clear.eq(clear),
        ]
        m.d.sync += [
            clear.eq(begin),
            supervisor.moving.eq(core.pointwise | core.depthwise | core.moving
                                 | (self.bus.rvalid & self.bus.rready)
                                 | (self.bus.wvalid & self.bus.wready)),
        ]
        for one in (read_port, write_port):
            m.d.comb += [one.clear.eq(clear), one.abort.eq(give_up)]
        with m.If(begin):
            m.d.sync += self.finished.eq(0)
        with m.Elif(sequencer.finish):
            m.d.sync += self.finished.eq(self.finished + 1)

        self._connect_sequencer(m, sequencer, core, map_port, read_port, write_port)
        self._connect_words(m, sequencer, core, map_port, read_port, write_port)
        join(m, self.bus, read_port.bus, write_port.bus)
        if config.counters:
            m.submodules.counters = counters = Counters(rows=COUNTER_ROWS)
            # All a cycle late: nothing waits for it.
            for name, event in (
                    ("running",    sequencer.running),
                    ("finish",     sequencer.finish),
                    ("stem",       sequencer.imaging),
                    ("pointwise",  core.pointwise),
                    ("depthwise",  core.depthwise),
                    ("stall",      Mux(core.issuing, core.stall, sequencer.stall)),
                    ("read_beat",  read_port.received),
                    ("write_beat", self.bus.wvalid & self.bus.wready)):
                port    = getattr(counters, name)
                counted = Signal(port.shape(), name=f"counted_{name}")
                m.d.sync += counted.eq(event)
                m.d.comb += port.eq(counted)
            m.d.comb += [
                counters.clear.eq(clear),
                counters.row.eq(registers.counter_row),
                counters.column.eq(registers.counter_column),
                counters.read.eq(registers.counter_read),
                registers.counter_ready.eq(counters.ready),
                registers.counter_value.eq(counters.value),
            ]
        else:
            m.d.comb += registers.counter_ready.eq(1)
        return m

    def _connect_sequencer(self, m, sequencer, core, map_port, read_port, write_port):
        """Commands of the sequencer, and what they wait for."""
        connect(m, sequencer.o_pass, core.i_pass)
        connect(m, sequencer.o_line, core.i_line)
        _wire(m, sequencer, core, "settings", "residual_input", "taps_free", "parameters_free")
        _wire(m, core, sequencer, "quiet", "issued", "input_next", "index_next", "output_next",
              "residual_next")
        _wire(m, sequencer, map_port, "block", "checking", "begin", "freed",
              "produced")
        _wire(m, map_port, sequencer, "stored")
        for name in ("program", "parameters", "taps", "weights"):
            connect(m, getattr(sequencer, f"o_{name}"), getattr(read_port, f"i_{name}"))
        connect(m, map_port.o_read, read_port.i_activations)
        connect(m, map_port.o_write, write_port.i_command)
        m.d.comb += [
            read_port.restart.eq(sequencer.begin),
            read_port.image.eq(sequencer.block.stem),
            write_port.logits.eq(sequencer.block.work == Work.CLASSIFIER),
            sequencer.written.eq(~map_port.o_write.valid & ~write_port.busy),
        ]

    def _connect_words(self, m, sequencer, core, map_port, read_port, write_port):
        """Words from external memory and to it."""
        connect(m, read_port.o_program, sequencer.i_records)
        for name in ("parameters", "taps", "weights"):
            _connect_bits(m, getattr(read_port, f"o_{name}"), getattr(core, f"i_{name}"))
        connect(m, read_port.o_activations, map_port.i_words)
        _connect_bits(m, map_port.o_load, core.i_load)
        _wire(m, map_port, core, "loaded", "store_request", "store_address")
        _wire(m, core, map_port, "store_grant", "store_data")
        connect(m, map_port.o_words, write_port.i_activations)
        _connect_bits(m, core.o_logits, map_port.i_logits)
        connect(m, map_port.o_logits, write_port.i_logits)

        # An image has fewer channels than a word has lanes; it goes to the line buffer.
        config, image = self.config, read_port.o_image
        m.d.comb += [
            core.i_image.valid.eq(image.valid & sequencer.imaging),
            image.ready.eq(core.i_image.ready & sequencer.imaging),
        ]
        words = activation_word(config.frames * IMAGE_CHANNELS, config.pixels,
                                config.activation_bits)(image.payload)
        for pixel in range(config.pixels):
            for frame in range(config.frames):
                for channel in range(IMAGE_CHANNELS):
                    m.d.comb += core.i_image.payload[pixel][frame * config.inputs + channel].eq(
                        words[pixel][frame * IMAGE_CHANNELS + channel])


def _wire(m, source, target, *names):
    """Connect ports of the same names."""
    for name in names:
        m.d.comb += getattr(target, name).eq(getattr(source, name))


def _connect_bits(m, source, target):
    """Connect streams whose payloads have the same bits under different layouts."""
    m.d.comb += [
        target.valid.eq(source.valid),
        Value.cast(target.payload).eq(Value.cast(source.payload)),
        source.ready.eq(target.ready),
    ]
