"""Datapath: on-chip memories, line buffer, multiplier array, requantiser, residual adder, pool.

Results of an expansion go through the requantiser and a queue to the line buffer, whose windows
return to the same array; depthwise results go to the strip memory, which the projection reads; its
results go to the map memory, through the residual adder where the block has one. So the expanded
map never leaves the chip, and no more than two of its rows are ever kept. The stem takes its
windows from the same line buffer, which an image fills; the head's results go to the pool, whose
totals return to the requantiser; the classifier's leave at once.
"""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out, connect, flipped

from .config import ADDRESS_BITS, INDEX_BITS, WORDS_BITS, AcceleratorConfig
from .issue import Issue
from .layouts import activation_word, logits_word
from .line_buffer import LineBuffer, LineCommand
from .line_input import LineInput
from .logits_path import LogitsPath
from .mac_array import MacArray
from .map_memory import MapMemory, placed_word
from .passes import LayerSettings, PassCommand, Range, Target, slot_layout
from .pool import Pool
from .requantize import Requantize
from .residual_path import ResidualPath
from .ring import Ring
from .step_input import StepInput
from .tile_results import TileResults

__all__ = ["Core"]


class Core(wiring.Component):
    """Everything that computes, under the command of a sequencer.

    Parameters
    ----------
    config : AcceleratorConfig
        Lanes, widths and memories.

    Members
    -------
    i_pass, i_line
        Passes, and rows for the line buffer to take in.
    settings
        Constant while anything of a block is under way.
    residual_input
        Address of the residual word of the next pass's first output word.
    loaded
        Words of the block's input map that have arrived.
    i_weights, i_taps, i_parameters
        Words for the rings.
    taps_free, parameters_free
        Words to release in this cycle.
    i_image
        Words of an image for the line buffer.
    o_logits
        Logits of the first pixel, see :func:`mnv2.hw.layouts.logits_word`.
    i_load
        Words to write to the map memory; results go first.
    store_request, store_address, store_grant, store_data
        Reads of the map memory in cycles when no one else reads; data comes the cycle after the
        grant.
    input_next, index_next, output_next, residual_next
        See :class:`mnv2.hw.issue.Issue`.
    issued
        The last pass that was asked for has been issued; its results may be under way.
    issuing
        A pass is being issued, or a window waits.
    quiet
        Nothing is under way.
    moving
        A word is copied, or goes to the line buffer.
    pointwise, depthwise, stall
        What the array was given in this cycle; why nothing, valid while ``issuing``.
    """

    def __init__(self, config):
        if not isinstance(config, AcceleratorConfig):
            raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
        self.config = config
        lanes = {"inputs": config.inputs, "frames": config.frames, "pixels": config.pixels}
        word_lanes = {"channels": config.word_channels, "pixels": config.pixels}
        narrow = {"accumulator_bits": config.accumulator_bits}
        bits   = {"activation_bits": config.activation_bits}
        rescaling = {"rounding": config.requantize, "operand_bits": config.operand_bits,
                     "multipliers_in_luts": config.multipliers_in_luts}
        self._word  = activation_word(config.word_channels, config.pixels, config.activation_bits)
        self._slot  = slot_layout(config.tile_words)
        self._strip = MemoryData(shape=self._word, depth=config.strip_words, init=())
        self._array = MacArray(
            outputs=config.outputs, weight_bits=config.weight_bits, packing=config.packing,
            operand_bits=config.operand_bits, lut_outputs=config.lut_outputs,
            tag_shape=self._slot, **lanes, **narrow, **bits)
        self._requantize = Requantize(
            channels=config.inputs, frames=config.frames, pixels=config.pixels,
            tag_shape=self._slot, **rescaling, **narrow, **bits)
        self._pool = Pool(tile_words=config.tile_words, **word_lanes, **bits)
        self._tile = TileResults(tile_words=config.tile_words, **lanes, **narrow)
        self._residual = ResidualPath(
            lanes=config.residual_lanes, queue_words=config.queue_words, **word_lanes,
            **rescaling, **bits)
        self._logits = LogitsPath(
            inputs=config.inputs, frames=config.frames, queue_words=config.queue_words,
            **narrow, **bits)
        self._line_buffer = LineBuffer(
            tile_words=config.tile_words, depth=config.line_words, address_bits=ADDRESS_BITS,
            **word_lanes, **bits)
        self._step_input = StepInput(**lanes, **bits)
        operands = self._array.i.payload.shape().members
        self._weights    = _ring(operands["weights"], config.weight_words, config.weight_ram)
        self._taps       = _ring(operands["taps"], config.tap_words)
        self._parameters = _ring(self._requantize.i.payload.shape().members["parameters"],
                                 config.parameter_words)
        self._issue = Issue(
            tile_words=config.tile_words, weight_ring=config.weight_words,
            tap_ring=config.tap_words, parameter_ring=config.parameter_words,
            queue_words=config.queue_words,
            pool_cycles=self._requantize.latency + self._pool.latency)
        super().__init__({
            "i_pass":          In(stream.Signature(PassCommand)),
            "i_line":          In(stream.Signature(LineCommand)),
            "settings":        In(LayerSettings),
            "residual_input":  In(ADDRESS_BITS),
            "loaded":          In(INDEX_BITS),
            "i_weights":       In(stream.Signature(self._weights.i.payload.shape())),
            "i_taps":          In(stream.Signature(self._taps.i.payload.shape())),
            "i_parameters":    In(stream.Signature(self._parameters.i.payload.shape())),
            "taps_free":       In(WORDS_BITS),
            "parameters_free": In(WORDS_BITS),
            "i_image":         In(stream.Signature(self._word)),
            "o_logits":        Out(stream.Signature(logits_word(config.word_channels))),
            "i_load":          In(stream.Signature(placed_word(self._word))),
            "store_request":   In(1),
            "store_address":   In(ADDRESS_BITS),
            "store_grant":     Out(1),
            "store_data":      Out(self._word),
            "clear":           In(1),
            "input_next":      Out(ADDRESS_BITS),
            "index_next":      Out(INDEX_BITS),
            "output_next":     Out(ADDRESS_BITS),
            "residual_next":   Out(ADDRESS_BITS),
            "issued":          Out(1),
            "issuing":         Out(1),
            "quiet":           Out(1),
            "moving":          Out(1),
            "pointwise":       Out(1),
            "depthwise":       Out(1),
            "stall":           Out(self._issue.stall.shape()),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.issue       = self._issue
        m.submodules.line_buffer = self._line_buffer
        m.submodules.line_input  = self._line_input = LineInput(
            word=self._word, queue_words=self.config.queue_words)
        m.submodules.map_memory  = self._map = MapMemory(
            word=self._word, depth=self.config.map_words, ram=self.config.map_ram)
        m.submodules.strip       = strip = Memory(self._strip)
        m.submodules.weights     = self._weights
        m.submodules.taps        = self._taps
        m.submodules.parameters  = self._parameters
        m.submodules.step_input  = self._step_input
        m.submodules.array       = self._array
        m.submodules.tile        = self._tile
        m.submodules.requantize  = self._requantize
        m.submodules.pool        = self._pool
        m.submodules.residual    = self._residual
        m.submodules.logits      = self._logits
        self._strip_read, self._strip_write = strip.read_port(), strip.write_port()

        self._connect_issue(m)
        self._connect_operands(m)
        self._connect_requantiser(m)
        self._connect_results(m)
        self._connect_map_memory(m)
        self._count_words(m)
        return m

    def _connect_issue(self, m):
        """The issue decides what to read, and what to do with it two cycles later."""
        issue, window = self._issue, self._line_buffer.o
        connect(m, flipped(self.i_pass), issue.i_command)
        connect(m, flipped(self.i_line), self._line_buffer.i_command)
        m.d.comb += [
            issue.window_valid.eq(window.valid),
            issue.window_word.eq(window.payload.word),
            issue.window_address.eq(window.payload.address),
            window.ready.eq(issue.window_ready),
            issue.window_follows.eq(self._line_buffer.follows),
            issue.window_next.eq(self._line_buffer.word_next),
            issue.depthwise_parameters.eq(self.settings.depthwise_parameters),
            issue.residual_input.eq(self.residual_input),
            issue.residual_base.eq(self.settings.residual_base),
            issue.residual_end.eq(self.settings.residual_end),
            issue.loaded.eq(self.loaded),
            issue.loading.eq(self.i_load.valid & self.i_load.ready),
            issue.weights_base.eq(self._weights.base),
            issue.weights_available.eq(self._weights.available),
            issue.weights_arrive.eq(self._weights.arrives),
            issue.taps_available.eq(self._taps.available),
            issue.taps_arrive.eq(self._taps.arrives),
            issue.parameters_available.eq(self._parameters.available),
            issue.parameters_arrive.eq(self._parameters.arrives),
            issue.image_valid.eq(self.i_image.valid),
            issue.queue_taken.eq(self._line_input.taken),
            issue.side_taken.eq(self._residual.taken | self._logits.taken),
            self.issued.eq(issue.i_command.ready & ~issue.i_command.valid),
            self.issuing.eq(issue.active),
        ]
        for name in ("input_next", "index_next", "output_next", "residual_next", "pointwise",
                     "depthwise", "stall"):
            m.d.comb += getattr(self, name).eq(getattr(issue, name))

    def _connect_operands(self, m):
        """Weights, taps and activations of a step or of a window."""
        issue, window, item = self._issue, self._line_buffer.o, self._array.i
        weights, taps, source = self._weights, self._taps, self._step_input
        read, reading = Signal.like(item.payload, name="read"), Signal()
        connect(m, flipped(self.i_weights), weights.i)
        connect(m, flipped(self.i_taps), taps.i)
        m.d.comb += [
            weights.clear.eq(self.clear),
            weights.free.eq(issue.weights_free),
            weights.read_address.eq(issue.weight_address),
            weights.read_enable.eq(issue.weight_read),
            taps.clear.eq(self.clear),
            taps.free.eq(self.taps_free),
            taps.read_address.eq(_wrap(taps, window.payload.word)),
            taps.read_enable.eq(window.valid),
            self._strip_read.addr.eq(issue.strip_address),
            self._strip_read.en.eq(issue.strip_read),
            source.map_word.eq(self._map.read_word),
            source.strip_word.eq(self._strip_read.data),
            source.windows.eq(read.windows),
        ]
        # 1. While the memories read. 2. Their words are chosen from, and wait for the array.
        m.d.sync += [
            reading.eq(issue.pointwise | issue.depthwise | issue.slot.valid),
            read.pointwise.eq(issue.pointwise),
            read.depthwise.eq(issue.depthwise),
            read.first.eq(issue.first),
            read.tag.eq(issue.slot),
            source.from_strip.eq(issue.from_strip),
            source.from_stem.eq(issue.stem),
            source.stem_step.eq(issue.stem_step),
            item.valid.eq(reading),
            item.payload.eq(read),
            item.payload.x.eq(source.x),
            item.payload.weights.eq(weights.read_data),
            item.payload.taps.eq(taps.read_data),
        ]
        with m.If(window.valid & window.ready):
            m.d.sync += read.windows.eq(window.payload.window)

    def _connect_requantiser(self, m):
        """A finished tile is taken over, and one word a cycle is requantised."""
        array, tile, scale = self._array.o, self._tile, self._requantize.i
        parameters, settings = self._parameters, self.settings
        connect(m, flipped(self.i_parameters), parameters.i)
        m.d.comb += [
            array.ready.eq(1),
            tile.valid.eq(array.valid),
            tile.accumulators.eq(array.payload.accumulators),
            tile.sums.eq(array.payload.sums),
            tile.slot.eq(array.payload.tag),
            tile.pool_totals.eq(self._pool.totals),
            self._pool.read_word.eq(tile.pool_word),
            parameters.clear.eq(self.clear),
            parameters.free.eq(self.parameters_free),
            parameters.read_address.eq(_wrap(parameters, array.payload.tag.parameters)),
            parameters.read_enable.eq(1),
            scale.valid.eq(tile.o_valid),
            scale.payload.accumulators.eq(tile.o_word),
            scale.payload.parameters.eq(parameters.read_data),
            scale.payload.tag.eq(tile.o_slot),
            self._requantize.o.ready.eq(1),
        ]
        with m.Switch(tile.o_slot.range):
            for layer, limits in ((Range.EXPAND, settings.expand),
                                  (Range.DEPTHWISE, settings.depthwise),
                                  (Range.STEM, settings.stem)):
                with m.Case(layer):
                    m.d.comb += scale.payload.range.eq(limits)
            with m.Default():
                m.d.comb += scale.payload.range.eq(settings.project)
        # A mean has the pool's factor, the same for all channels.
        with m.If(tile.o_slot.mean):
            m.d.comb += scale.payload.range.eq(settings.pool)
            for channel in range(self.config.inputs):
                for name in ("bias", "multiplier", "shift"):
                    m.d.comb += getattr(scale.payload.parameters[channel], name).eq(
                        getattr(settings.pool_parameters, name))

    def _connect_results(self, m):
        """Destinations of a requantised word. Copied words come straight from the map memory."""
        issue, tile, result = self._issue, self._tile, self._requantize.o.payload
        source, pool, residual, logits = (self._line_input, self._pool, self._residual,
                                          self._logits)
        self._arrived = arrived = {target: Signal(name=f"to_{target.name.lower()}")
                                   for target in Target}
        for target, signal in arrived.items():
            m.d.comb += signal.eq(self._requantize.o.valid & (result.tag.target == target))
        m.d.sync += source.copied_valid.eq(issue.copy)
        connect(m, flipped(self.i_image), source.i_image)
        connect(m, source.o, self._line_buffer.i)
        connect(m, logits.o, flipped(self.o_logits))
        m.d.comb += [
            self._strip_write.en.eq(arrived[Target.STRIP]),
            self._strip_write.addr.eq(result.tag.address),
            self._strip_write.data.eq(result.word),
            source.expanded_valid.eq(arrived[Target.QUEUE]),
            source.expanded.eq(result.word),
            source.copied.eq(self._map.read_word),
            residual.valid.eq(arrived[Target.RESIDUAL]),
            residual.word.eq(result.word),
            residual.address.eq(result.tag.address),
            residual.residual_address.eq(result.tag.residual_address),
            residual.parameters.eq(self.settings.add),
            pool.i.valid.eq(arrived[Target.POOL]),
            pool.i.payload.word.eq(result.word),
            pool.i.payload.tile_word.eq(result.tag.tile_word),
            pool.i.payload.valid.eq(
                Mux(result.tag.row_ends, self.settings.tail, self.config.pixels)),
            pool.i.payload.first.eq(result.tag.first_pixels),
            logits.valid.eq(tile.o_valid & (tile.o_slot.target == Target.LOGITS)),
            logits.accumulators.eq(tile.o_word[0]),
            logits.result_valid.eq(arrived[Target.LOGITS]),
            logits.results.eq(result.word[0]),
        ]
        for channel in range(self.config.inputs):
            m.d.comb += logits.biases[channel].eq(self._parameters.read_data[channel].bias)

    def _connect_map_memory(self, m):
        """Steps, the residual adder and the port read maps; sums, results and the port write."""
        issue, residual, memory = self._issue, self._residual, self._map
        result = self._requantize.o.payload
        connect(m, flipped(self.i_load), memory.i_load)
        m.d.comb += [
            memory.step.eq(issue.map_read),
            memory.step_address.eq(issue.map_address),
            memory.summand.eq(residual.fetch),
            memory.summand_address.eq(residual.fetch_address),
            residual.grant.eq(memory.summand_grant),
            residual.fetched.eq(memory.read_word),
            memory.store.eq(self.store_request),
            memory.store_address.eq(self.store_address),
            self.store_grant.eq(memory.store_grant),
            self.store_data.eq(memory.read_word),
            memory.sum_valid.eq(residual.sum_valid),
            memory.sum.eq(residual.sum),
            memory.result_valid.eq(self._arrived[Target.MAP]),
            memory.result.word.eq(result.word),
            memory.result.address.eq(result.tag.address),
        ]

    def _count_words(self, m):
        """Words between issue and their place: each counts until it is written or taken in."""
        issue, arrived = self._issue, self._arrived
        line_buffer = self._line_buffer
        under_way = Signal(range(64 + 2 * self.config.queue_words))
        # A cycle late: no word is in its place by then, and who takes it from the line buffer's
        # queue is busy with it.
        issued, taken = Signal(2), Signal(2)
        m.d.sync += [
            issued.eq(issue.slot.valid + issue.copy),
            taken.eq(self._line_input.taken + self._logits.taken),
            under_way.eq(
                under_way + issued - arrived[Target.STRIP] - arrived[Target.MAP]
                - arrived[Target.POOL] - self._residual.sum_valid - taken),
        ]
        m.d.comb += [
            self.moving.eq(issue.copy | (line_buffer.i.valid & line_buffer.i.ready)),
            self.quiet.eq((under_way == 0) & ~issued.any() & ~issue.busy & ~line_buffer.busy
                          & ~line_buffer.i_command.valid & ~issue.i_command.valid),
        ]


def _ring(word, depth, ram="block"):
    """Ring of words of a stream."""
    return Ring(shape=word, depth=depth, free_limit=min(depth, 2**WORDS_BITS - 1), ram=ram)


def _wrap(ring, offset):
    """Absolute address of the word at an offset from the ring's oldest."""
    address = ring.base + offset
    return Mux(address >= ring.depth, address - ring.depth, address)[:len(ring.read_address)]
