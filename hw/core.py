"""Datapath: on-chip memories, line buffer, multiplier array, requantiser, residual adder, pool.

Results of an expansion go through the requantiser and a queue to the line buffer, whose windows
return to the same array; depthwise results go to the strip memory, which the projection reads; its
results go to the map memory, through the residual adder where the block has one. So the expanded
map never leaves the chip, and no more than two of its rows are ever kept. The stem takes its
windows from the same line buffer, which an image fills; the head's results go to the pool, the
classifier's leave at once.
"""

from amaranth import *
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.memory import Memory, MemoryData
from amaranth.lib.wiring import In, Out, connect, flipped

from .arguments import check_integer
from .config import ADDRESS_BITS, IMAGE_CHANNELS, INDEX_BITS, PIXELS_BITS, TAPS, WORDS_BITS
from .issue import Issue
from .layouts import ChannelParameters, activation_word, logits_word
from .line_buffer import LineBuffer, LineCommand
from .mac_array import MacArray
from .passes import LayerSettings, PassCommand, Range, Target, slot_layout
from .pool import Pool
from .requantize import Requantize
from .residual import ResidualAdd
from .ring import Ring

__all__ = ["Core"]

class Core(wiring.Component):
    """Everything that computes, under the command of a sequencer.

    Parameters
    ----------
    outputs, inputs, pixels, weight_bits, activation_bits : int
        Lanes and widths, see :class:`mnv2.hw.mac_array.MacArray`.
    map_words, strip_words, line_words, weight_words, tap_words, parameter_words, queue_words : int
        Depths of the memories, see :class:`mnv2.hw.config.AcceleratorConfig`.

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
        Logits of the first pixel, see :func:`logits_word`.
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

    def __init__(self, *, outputs, inputs, pixels, weight_bits, activation_bits, map_words,
                 strip_words, line_words, weight_words, tap_words, parameter_words, queue_words):
        check_integer("Outputs", outputs)
        check_integer("Inputs", inputs, IMAGE_CHANNELS)
        check_integer("Pixels", pixels, 1, 2**PIXELS_BITS - 1)
        check_integer("Activation bits", activation_bits, 4, 8)
        check_integer("Map words", map_words, 1, 2**ADDRESS_BITS - 1)
        check_integer("Strip words", strip_words, 1, 2**ADDRESS_BITS - 1)
        check_integer("Line words", line_words)
        check_integer("Weight words", weight_words, 2)
        check_integer("Tap words", tap_words, 2)
        check_integer("Parameter words", parameter_words, 2)
        check_integer("Queue words", queue_words)
        self.outputs         = outputs
        self.inputs          = inputs
        self.pixels          = pixels
        self.weight_bits     = weight_bits
        self.activation_bits = activation_bits
        self.queue_words     = queue_words
        self.tile_words      = outputs // inputs
        self._word = activation_word(inputs, pixels, activation_bits)
        self._map   = MemoryData(shape=self._word, depth=map_words, init=())
        self._strip = MemoryData(shape=self._word, depth=strip_words, init=())
        self._slot  = slot_layout(self.tile_words)
        self._array = MacArray(
            outputs=outputs, inputs=inputs, pixels=pixels, weight_bits=weight_bits,
            activation_bits=activation_bits, tag_shape=self._slot)
        self._line_buffer = LineBuffer(
            channels=inputs, pixels=pixels, tile_words=self.tile_words, depth=line_words,
            activation_bits=activation_bits, address_bits=ADDRESS_BITS)
        operands = self._array.i.payload.shape().members
        self._weights    = Ring(shape=operands["weights"], depth=weight_words,
                                free_limit=min(weight_words, 2**WORDS_BITS - 1))
        self._taps       = Ring(shape=operands["taps"], depth=tap_words,
                                free_limit=min(tap_words, 2**WORDS_BITS - 1))
        self._parameters = Ring(shape=data.ArrayLayout(ChannelParameters, inputs),
                                depth=parameter_words,
                                free_limit=min(parameter_words, 2**WORDS_BITS - 1))
        self._issue = Issue(
            tile_words=self.tile_words, weight_ring=weight_words, tap_ring=tap_words,
            parameter_ring=parameter_words, queue_words=queue_words)
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
            "o_logits":        Out(stream.Signature(logits_word(inputs))),
            "i_load":          In(stream.Signature(data.StructLayout({
                "address": ADDRESS_BITS, "word": self._word}))),
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
        m.submodules.issue       = issue       = self._issue
        m.submodules.line_buffer = line_buffer = self._line_buffer
        m.submodules.array       = array       = self._array
        m.submodules.weights     = weights     = self._weights
        m.submodules.taps        = taps        = self._taps
        m.submodules.parameters  = parameters  = self._parameters
        m.submodules.map         = map_memory   = Memory(self._map)
        m.submodules.strip       = strip_memory = Memory(self._strip)
        map_read,   map_write   = map_memory.read_port(), map_memory.write_port()
        strip_read, strip_write = strip_memory.read_port(), strip_memory.write_port()

        connect(m, flipped(self.i_pass), issue.i_command)
        connect(m, flipped(self.i_line), line_buffer.i_command)
        connect(m, flipped(self.i_weights), weights.i)
        connect(m, flipped(self.i_taps), taps.i)
        connect(m, flipped(self.i_parameters), parameters.i)

        # Issue: what to read, and what to do with it one cycle later.
        window = line_buffer.o
        m.d.comb += [
            issue.window_valid.eq(window.valid),
            issue.window_word.eq(window.payload.word),
            issue.window_address.eq(window.payload.address),
            window.ready.eq(issue.window_ready),
            issue.depthwise_parameters.eq(self.settings.depthwise_parameters),
            issue.residual_input.eq(self.residual_input),
            issue.residual_base.eq(self.settings.residual_base),
            issue.residual_end.eq(self.settings.residual_end),
            issue.loaded.eq(self.loaded),
            issue.weights_base.eq(weights.base),
            issue.weights_available.eq(weights.available),
            weights.free.eq(issue.weights_free),
            issue.taps_available.eq(taps.available),
            issue.parameters_available.eq(parameters.available),
            taps.free.eq(self.taps_free),
            parameters.free.eq(self.parameters_free),
            weights.clear.eq(self.clear),
            taps.clear.eq(self.clear),
            parameters.clear.eq(self.clear),
            weights.read_address.eq(issue.weight_address),
            weights.read_enable.eq(issue.pointwise),
            taps.read_address.eq(_wrap(taps, window.payload.word)),
            taps.read_enable.eq(issue.depthwise),
            strip_read.addr.eq(issue.strip_address),
            strip_read.en.eq(issue.pointwise & issue.from_strip),
            self.input_next.eq(issue.input_next),
            self.index_next.eq(issue.index_next),
            self.output_next.eq(issue.output_next),
            self.residual_next.eq(issue.residual_next),
            self.issued.eq(issue.i_command.ready & ~issue.i_command.valid),
            self.issuing.eq(issue.active),
            self.pointwise.eq(issue.pointwise),
            self.depthwise.eq(issue.depthwise),
            self.stall.eq(issue.stall),
        ]
        item = array.i
        from_strip = Signal()
        from_stem  = Signal()
        stem_step  = Signal.like(issue.stem_step)
        stem_input = Signal(self._word)
        m.d.sync += [
            item.valid.eq(issue.pointwise | issue.depthwise | issue.slot.valid),
            item.payload.pointwise.eq(issue.pointwise),
            item.payload.depthwise.eq(issue.depthwise),
            item.payload.first.eq(issue.first),
            item.payload.tag.eq(issue.slot),
            from_strip.eq(issue.from_strip),
            from_stem.eq(issue.stem),
            stem_step.eq(issue.stem_step),
        ]
        with m.If(window.valid & window.ready):
            m.d.sync += item.payload.windows.eq(window.payload.window)
        # The stem's inputs are numbered tap by tap, within a tap channel by channel.
        with m.Switch(stem_step):
            for step in range(-(-IMAGE_CHANNELS * TAPS // self.inputs)):
                with m.Case(step):
                    for lane in range(self.inputs):
                        tap, channel = divmod(step * self.inputs + lane, IMAGE_CHANNELS)
                        for pixel in range(self.pixels):
                            if tap < TAPS:
                                m.d.comb += stem_input[pixel][lane].eq(
                                    item.payload.windows[pixel][channel][tap])
        m.d.comb += [
            item.payload.x.eq(Mux(from_stem, stem_input,
                                  Mux(from_strip, strip_read.data, map_read.data))),
            item.payload.weights.eq(weights.read_data),
            item.payload.taps.eq(taps.read_data),
            array.o.ready.eq(1),
        ]

        # After the array: a finished tile is taken over, and one word a cycle is requantised.
        m.submodules.requantize = requantize = Requantize(
            channels=self.inputs, pixels=self.pixels, activation_bits=self.activation_bits,
            tag_shape=self._slot)
        done  = array.o.payload
        tile  = Signal(done.accumulators.shape())
        sums  = Signal(done.sums.shape())
        slot  = Signal(self._slot)
        valid = Signal()
        with m.If(array.o.valid & done.tag.load):
            m.d.sync += tile.eq(done.accumulators)
        with m.If(array.o.valid & done.tag.depthwise):
            m.d.sync += sums.eq(done.sums)
        m.d.sync += [valid.eq(array.o.valid & done.tag.valid), slot.eq(done.tag)]
        m.d.comb += [
            parameters.read_address.eq(_wrap(parameters, done.tag.parameters)),
            parameters.read_enable.eq(1),
            requantize.i.valid.eq(valid),
            requantize.i.payload.accumulators.eq(Mux(slot.depthwise, sums, tile[slot.tile_word])),
            requantize.i.payload.parameters.eq(parameters.read_data),
            requantize.i.payload.tag.eq(slot),
            requantize.o.ready.eq(1),
        ]
        with m.Switch(slot.range):
            with m.Case(Range.EXPAND):
                m.d.comb += requantize.i.payload.range.eq(self.settings.expand)
            with m.Case(Range.DEPTHWISE):
                m.d.comb += requantize.i.payload.range.eq(self.settings.depthwise)
            with m.Case(Range.STEM):
                m.d.comb += requantize.i.payload.range.eq(self.settings.stem)
            with m.Default():
                m.d.comb += requantize.i.payload.range.eq(self.settings.project)

        # Where the word goes. Copied words come straight from the map memory.
        result = requantize.o.payload
        copied = Signal()
        m.d.sync += copied.eq(issue.copy)
        arrived = {target: Signal(name=f"to_{target.name.lower()}") for target in Target}
        for target, signal in arrived.items():
            m.d.comb += signal.eq(requantize.o.valid & (result.tag.target == target))
        to_queue, to_strip, to_map = (arrived[Target.QUEUE], arrived[Target.STRIP],
                                      arrived[Target.MAP])
        to_residual, to_pool = arrived[Target.RESIDUAL], arrived[Target.POOL]
        m.d.comb += [
            strip_write.en.eq(to_strip),
            strip_write.addr.eq(result.tag.address),
            strip_write.data.eq(result.word),
        ]
        m.submodules.queue = queue = fifo.SyncFIFO(
            width=self._word.size, depth=self.queue_words)
        m.d.comb += [
            queue.w_en.eq(to_queue | copied),
            queue.w_data.eq(Mux(copied, map_read.data, result.word)),
            queue.r_en.eq(line_buffer.i.ready),
            issue.queue_taken.eq(queue.r_rdy & line_buffer.i.ready),
            issue.image_valid.eq(self.i_image.valid),
        ]
        # Words of an image and words of the queue never wait at the same time.
        with m.If(self.i_image.valid):
            m.d.comb += [
                line_buffer.i.valid.eq(1),
                line_buffer.i.payload.eq(self.i_image.payload),
                self.i_image.ready.eq(line_buffer.i.ready),
                queue.r_en.eq(0),
                issue.queue_taken.eq(0),
            ]
        with m.Else():
            m.d.comb += [
                line_buffer.i.valid.eq(queue.r_rdy),
                line_buffer.i.payload.eq(queue.r_data),
            ]

        # Residual addition: a word waits until the map memory can be read for its other summand.
        m.submodules.residual = residual = ResidualAdd(
            channels=self.inputs, pixels=self.pixels, lanes=self.inputs,
            activation_bits=self.activation_bits, tag_shape=ADDRESS_BITS)
        entry = data.StructLayout({
            "word": self._word, "address": ADDRESS_BITS, "residual_address": ADDRESS_BITS})
        m.submodules.residual_queue = residual_queue = fifo.SyncFIFO(
            width=entry.size, depth=self.queue_words)
        logits_taken = Signal()
        arriving, waiting = Signal(entry), Signal(entry)
        fetch, fetched = Signal(), Signal()
        held = Signal(entry)
        m.d.comb += [
            arriving.word.eq(result.word),
            arriving.address.eq(result.tag.address),
            arriving.residual_address.eq(result.tag.residual_address),
            residual_queue.w_en.eq(to_residual),
            residual_queue.w_data.eq(arriving),
            waiting.eq(residual_queue.r_data),
            fetch.eq(residual_queue.r_rdy & residual.i.ready & ~fetched & ~issue.map_read),
            residual_queue.r_en.eq(fetch),
            issue.side_taken.eq(fetch | logits_taken),
            residual.i.valid.eq(fetched),
            residual.i.payload.a.eq(map_read.data),
            residual.i.payload.b.eq(held.word),
            residual.i.payload.parameters.eq(self.settings.add),
            residual.i.payload.tag.eq(held.address),
            residual.o.ready.eq(1),
        ]
        m.d.sync += fetched.eq(fetch)
        with m.If(fetch):
            m.d.sync += held.eq(waiting)

        # Pool: means go back to the map memory, as maps of one pixel.
        m.submodules.pool = pool = Pool(
            channels=self.inputs, pixels=self.pixels, tile_words=self.tile_words,
            activation_bits=self.activation_bits, tag_shape=ADDRESS_BITS)
        pooled = Signal(self._word)
        m.d.comb += [
            pool.i.valid.eq(to_pool),
            pool.i.payload.word.eq(result.word),
            pool.i.payload.tile_word.eq(result.tag.tile_word),
            pool.i.payload.valid.eq(Mux(result.tag.row_ends, self.settings.tail, self.pixels)),
            pool.i.payload.first.eq(result.tag.first_pixels),
            pool.i.payload.last.eq(result.tag.last_pixels),
            pool.i.payload.tag.eq(result.tag.address),
            pool.parameters.eq(self.settings.pool_parameters),
            pool.range.eq(self.settings.pool),
            pool.o.ready.eq(1),
            pooled[0].eq(pool.o.payload.means),
        ]

        # Logits: accumulators wait in one queue for their requantised values in another.
        logits = logits_word(self.inputs)
        m.submodules.wide_queue = wide_queue = fifo.SyncFIFO(
            width=logits["accumulators"].width, depth=self.queue_words)
        m.submodules.logits_queue = logits_queue = fifo.SyncFIFO(
            width=logits["logits"].width, depth=self.queue_words)
        requantized = Signal(logits["logits"].shape)      # sign-extended to 8 bits
        for channel in range(self.inputs):
            m.d.comb += requantized[channel].eq(result.word[0][channel])
        wide, wide_valid = Signal(logits["accumulators"].shape), Signal()
        m.d.sync += wide_valid.eq(valid & (slot.target == Target.LOGITS))
        for channel in range(self.inputs):
            m.d.sync += wide[channel].eq(requantize.i.payload.accumulators[0][channel]
                                         + parameters.read_data[channel].bias)
        m.d.comb += [
            wide_queue.w_en.eq(wide_valid),
            wide_queue.w_data.eq(wide),
            logits_queue.w_en.eq(arrived[Target.LOGITS]),
            logits_queue.w_data.eq(requantized),
            self.o_logits.valid.eq(wide_queue.r_rdy & logits_queue.r_rdy),
            Value.cast(self.o_logits.payload).eq(Cat(wide_queue.r_data, logits_queue.r_data)),
            logits_taken.eq(self.o_logits.valid & self.o_logits.ready),
            wide_queue.r_en.eq(logits_taken),
            logits_queue.r_en.eq(logits_taken),
        ]

        # Map memory. Read: a step, else a residual word, else a word to store. Write: results
        # first.
        m.d.comb += [
            self.store_grant.eq(self.store_request & ~issue.map_read & ~fetch),
            self.store_data.eq(map_read.data),
            map_read.addr.eq(Mux(issue.map_read, issue.map_address,
                                 Mux(fetch, waiting.residual_address, self.store_address))),
            map_read.en.eq(issue.map_read | fetch | self.store_grant),
        ]
        with m.If(residual.o.valid):
            m.d.comb += [
                map_write.en.eq(1),
                map_write.addr.eq(residual.o.payload.tag),
                map_write.data.eq(residual.o.payload.word),
            ]
        with m.Elif(to_map):
            m.d.comb += [
                map_write.en.eq(1),
                map_write.addr.eq(result.tag.address),
                map_write.data.eq(result.word),
            ]
        with m.Elif(pool.o.valid):
            m.d.comb += [
                map_write.en.eq(1),
                map_write.addr.eq(pool.o.payload.tag),
                map_write.data.eq(pooled),
            ]
        with m.Else():
            m.d.comb += [
                self.i_load.ready.eq(1),
                map_write.en.eq(self.i_load.valid),
                map_write.addr.eq(self.i_load.payload.address),
                map_write.data.eq(self.i_load.payload.word),
            ]

        # Words between issue and their place; each counts until it is written or in the line
        # buffer.
        under_way = Signal(range(64 + 2 * self.queue_words))
        m.d.sync += under_way.eq(under_way + issue.slot.valid + issue.copy - to_strip - to_map
                                 - residual.o.valid - issue.queue_taken - logits_taken
                                 - (to_pool & ~result.tag.last_pixels) - pool.o.valid)
        m.d.comb += self.moving.eq(issue.copy | (line_buffer.i.valid & line_buffer.i.ready))
        m.d.comb += self.quiet.eq((under_way == 0) & ~issue.busy & ~line_buffer.busy
                                  & ~line_buffer.i_command.valid & ~issue.i_command.valid)
        return m


def _wrap(ring, offset):
    """Absolute address of the word at an offset from the ring's oldest."""
    address = ring.base + offset
    return Mux(address >= ring.depth, address - ring.depth, address)[:len(ring.read_address)]
