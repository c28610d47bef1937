"""The facts of the accelerator's design, and its parameters: one frozen record, named presets.

Plain Python: software that only needs sizes and names imports this without Amaranth. Each fact
is stated here once; the units, the mapping, the cycle model and the cost take it from here.
"""

from dataclasses import dataclass, fields

from .stream_layout import StreamLayout, dense_layout, padded_layout

__all__ = ["ACCUMULATOR_BITS", "ADDRESS_BITS", "BEATS_BITS", "BYTES_BITS", "CAUSES", "COUNTERS",
           "COUNTER_COLUMNS", "COUNTER_ROWS", "DATA_WIDTHS", "GROUPS_BITS", "IMAGE_CHANNELS",
           "INDEX_BITS", "LOGIT_BITS", "MEMORY_ADDRESS_WIDTHS", "NARROW_ACCUMULATOR_BITS",
           "OFFSET_BITS", "OPERAND_BITS", "PACKINGS", "PAGE_BYTES", "PIXELS_BITS", "POOL_SUM_BITS",
           "PRESETS", "RAMS", "RECORDS_BITS", "RECORD_BYTES", "REQUANTIZERS", "RINGS", "SEGMENTS",
           "STORE_QUEUE_WORDS", "STREAMS", "TAPS", "WORDS_BITS", "WRITE_OUTSTANDING",
           "AcceleratorConfig", "field_bits", "packed_products"]

# Networks.
IMAGE_CHANNELS = 3      # of an image
TAPS           = 9      # of a 3x3 kernel, numbered row by row: ``tap = 3 * dy + dx``

# Widths of values.
ACCUMULATOR_BITS = 32                       # and of a bias, as in LiteRT's int8 kernels
LOGIT_BITS       = ACCUMULATOR_BITS + 8     # of one class: accumulator and requantised value
POOL_SUM_BITS    = 24                       # of the pool: 2**16 pixels of 8 bits

#: Which two products share a multiplier of the device: none, those of two pixels of a frame, those
#: of the same pixel of two frames.
PACKINGS = ("none", "pixels", "frames")

#: Bits of the wider operand of a multiplier, sign included: ECP5's MULT18X18D, 7 series' DSP48E1,
#: UltraScale+'s DSP48E2. The other one has 18.
OPERAND_BITS = (18, 25, 27)

#: Widths of an accumulator with its bias that leave out the left shift before the multiplication;
#: with :data:`ACCUMULATOR_BITS` every network is taken that LiteRT takes.
NARROW_ACCUMULATOR_BITS = range(16, 29)

#: Roundings of requantisation: LiteRT's two, or one with a multiplier of 17 bits.
REQUANTIZERS = ("double", "single")

#: RAM that a memory is made of: the device's block RAM, or UltraScale+'s UltraRAM.
RAMS = ("block", "ultra")

# Widths of the fields of commands and descriptors.
ADDRESS_BITS = 16       # of a word in the map or strip memory
INDEX_BITS   = 24       # of a word in a map, which may be larger than the memory
WORDS_BITS   = 12       # channel words, or rows, of a map
GROUPS_BITS  = 8        # groups of pixels in a row
PIXELS_BITS  = 6        # pixels of a group

# Programs in external memory.
OFFSET_BITS         = 32        # of a place in a program's image, counted from its first byte
SEGMENTS            = 7         # of a stream of constants: four of blocks, three of the classifier
RECORDS_BITS        = 10        # of the number of records in a program
RECORD_BYTES        = 128       # that each record takes in memory
BEATS_BITS          = 24        # of a length in beats
BYTES_BITS          = 32        # of a length in bytes

# The memory port.
DATA_WIDTHS       = (64, 128, 256, 512)     # widths of the AXI4 port
MEMORY_ADDRESS_WIDTHS = range(32, 65)       # widths of its addresses
PAGE_BYTES        = 4096                    # that no AXI4 burst crosses (ARM IHI 0022E, A3.4.1)
WRITE_OUTSTANDING = 4                       # write bursts announced and not answered
STORE_QUEUE_WORDS = 4                       # between the map memory and the gearbox to the port

#: Streams that are read from external memory, in the order of the read master's channels.
STREAMS = ("program", "activations", "parameters", "taps", "weights")

#: Why the array does nothing in a cycle, in the order of :class:`mnv2.hw.passes.Stall` after NONE.
CAUSES = ("activations", "weights", "parameters", "requantize", "line_buffer", "residual",
          "output", "drain", "program")

#: Counters of a descriptor, in the order in which they are read. All but the beats count cycles,
#: and ``cycles`` is the sum of ``pointwise``, ``depthwise`` and the stalls.
COUNTERS = ("cycles", "pointwise", "depthwise",
            *(f"stall_{cause}" for cause in CAUSES),
            *(f"read_{stream}" for stream in STREAMS), "write")

#: Columns of a row of counters: those of the block, and from half of them on those of the stem
#: that precedes it.
COUNTER_COLUMNS = 64

#: Descriptors whose counters are kept.
COUNTER_ROWS = 32

#: Memories that are filled while they are read, so that they have two words or more.
RINGS = ("weight_words", "tap_words", "parameter_words")


def field_bits(operand_bits, activation_bits):
    """Bits of the lower product where two activations lie in one operand of a multiplier.

    The operand is ``x1 * 2**field + x0`` with both activations unsigned, and a zero as its sign.
    """
    return operand_bits - 1 - activation_bits


def packed_products(operand_bits, activation_bits, weight_bits):
    """Products of a pair that may be added before the lower sum leaves its field; 0 if not one."""
    field = field_bits(operand_bits, activation_bits)
    largest = (2**activation_bits - 1) * 2 ** (weight_bits - 1)
    return 2 ** (field - 1) // largest if field > activation_bits else 0


@dataclass(frozen=True)
class AcceleratorConfig:
    """Sizes of an accelerator.

    A *word* is ``inputs`` channels of ``pixels`` consecutive pixels of a row, of each of ``frames``
    frames. Every on-chip memory of activations moves one word a cycle.

    Attributes
    ----------
    outputs, inputs, pixels : int
        Lanes of the multiplier array: output channels, input channels and pixels. ``outputs`` is a
        multiple of ``inputs`` and at least 9, so that the 3x3 kernels of a word fit into one cycle.
    frames : int
        1, or 2 to compute two frames abreast: they share control, weights and parameters.
    packing : str
        Which two products share a multiplier, one of :data:`PACKINGS`; ``"frames"`` needs two.
    operand_bits : int
        Wider operand of the device's multipliers, one of :data:`OPERAND_BITS`: what a pair of
        activations, and the products of requantisation, are cut for.
    weight_bits, activation_bits : int
        Width of a weight and of an activation, 4 to 8 bits.
    accumulator_bits : int
        Width of an accumulator with its bias. 32 takes every network that LiteRT takes. 16 to 28
        save multipliers: a network is refused where a channel's sum may be wider, or where its
        scale is 1 or more.
    requantize : str
        Rounding of a layer's results, one of :data:`REQUANTIZERS`.
    lut_outputs : int
        Outputs of the array whose multipliers are made of LUTs; the others take DSPs.
    multipliers_in_luts : bool
        Make the multipliers of requantisation and of the residual addition of LUTs.
    residual_lanes : int
        Elements that are added to a block's input in a cycle; divides those of a word.
    map_words : int
        Map memory, in words: inputs and outputs of blocks.
    strip_words : int
        Strip memory, in words: depthwise outputs of the rows being processed.
    line_words : int
        Line memory, in words: two expanded rows are kept for each word of a row.
    weight_words, tap_words, parameter_words : int
        Rings that are filled from memory ahead of use: pointwise weights (``outputs * inputs``
        weights a word), 3x3 kernels (``9 * inputs`` weights a word) and requantisation parameters
        (``64 * inputs`` bits a word, 72 with accumulators of 32 bits).
    map_ram, weight_ram : str
        RAM of the map memory and of the ring of weights, one of :data:`RAMS`.
    queue_words : int
        Depth of the queue of expanded words and of the queue before the residual adder.
    data_bits : int
        Data width of the AXI4 port, 64 to 512 bits.
    address_bits : int
        Width of its addresses, 32 to 64 bits: 32 reach 4 GiB.
    burst_beats, outstanding : int
        Longest burst in beats; reads in flight at once, 2 or more.
    padded_words : bool
        Pad words in external memory to whole beats, or beats to whole words, so that gearboxes
        place words instead of shifting them, with a tenth of the LUTs and some percent more bytes.
    counters : bool
        Count cycles and beats of each descriptor; without, the host reads 0 for them.
    patience_cycles : int
        Cycles without any transfer or computation after which a program is aborted as stuck.
    """

    outputs:         int = 16
    inputs:          int = 4
    pixels:          int = 7
    frames:          int = 1
    packing:         str = "pixels"
    operand_bits:    int = 27
    weight_bits:     int = 8
    activation_bits: int = 8
    accumulator_bits: int = 27
    requantize:      str = "double"
    lut_outputs:     int = 0
    multipliers_in_luts: bool = False
    residual_lanes:  int = 4
    map_words:       int = 10240
    strip_words:     int = 2048
    line_words:      int = 512
    weight_words:    int = 9472
    tap_words:       int = 512
    parameter_words: int = 1024
    map_ram:         str = "block"
    weight_ram:      str = "block"
    queue_words:     int = 32
    data_bits:       int = 128
    address_bits:    int = 32
    burst_beats:     int = 16
    outstanding:     int = 16
    padded_words:    bool = False
    counters:        bool = True
    patience_cycles: int = 1 << 20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is bool and not isinstance(value, bool):
                raise ValueError(f"{field.name} must be true or false, not {value!r}")
            least = 0 if field.name == "lut_outputs" else 1
            if field.type is int and (isinstance(value, bool) or not isinstance(value, int)
                                      or value < least):
                kind = "a positive integer" if least else "an integer of 0 or more"
                raise ValueError(f"{field.name} must be {kind}, not {value!r}")
        for name, choices in (("packing", PACKINGS), ("requantize", REQUANTIZERS),
                              ("operand_bits", OPERAND_BITS), ("frames", (1, 2)),
                              ("map_ram", RAMS), ("weight_ram", RAMS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, "
                                 f"not {getattr(self, name)!r}")
        if self.outputs % self.inputs:
            raise ValueError(f"outputs must be a multiple of inputs ({self.inputs}), "
                             f"not {self.outputs}")
        if self.inputs < IMAGE_CHANNELS:
            raise ValueError(f"inputs must be at least {IMAGE_CHANNELS}, the channels of an image, "
                             f"not {self.inputs}")
        if self.outputs < TAPS:
            raise ValueError(f"outputs must be at least {TAPS}, the taps of a 3x3 kernel, "
                             f"not {self.outputs}")
        if self.lut_outputs > self.outputs:
            raise ValueError(f"lut_outputs must be at most the {self.outputs} outputs, "
                             f"not {self.lut_outputs}")
        for name in ("weight_bits", "activation_bits"):
            if not 4 <= getattr(self, name) <= 8:
                raise ValueError(f"{name} must be 4 to 8, not {getattr(self, name)}")
        # Widths of the fields of descriptors and registers.
        for name, limit in (("outputs", 2**12 - 1), ("inputs", 2**10 - 1),
                            ("pixels", 2**PIXELS_BITS - 1), ("map_words", 2**ADDRESS_BITS - 1),
                            ("strip_words", 2**ADDRESS_BITS - 1)):
            if getattr(self, name) > limit:
                raise ValueError(f"{name} must be at most {limit}, not {getattr(self, name)}")
        if self.packing == "frames" and self.frames != 2:
            raise ValueError(f"packing can be frames only with frames=2, not {self.frames}")
        if self.packing != "none" and not packed_products(
                self.operand_bits, self.activation_bits, self.weight_bits):
            raise ValueError(
                f"packing must be none: a multiplier of {self.operand_bits} x 18 bits holds no two "
                f"products of {self.activation_bits}-bit activations with a "
                f"{self.weight_bits}-bit weight")
        if (self.accumulator_bits != ACCUMULATOR_BITS
                and self.accumulator_bits not in NARROW_ACCUMULATOR_BITS):
            raise ValueError(
                f"accumulator_bits must be {NARROW_ACCUMULATOR_BITS[0]} to "
                f"{NARROW_ACCUMULATOR_BITS[-1]} or {ACCUMULATOR_BITS}, not {self.accumulator_bits}")
        if self.word_channels * self.pixels % self.residual_lanes:
            raise ValueError(
                f"residual_lanes must divide the {self.word_channels * self.pixels} elements of a "
                f"word, not {self.residual_lanes}")
        if self.outstanding < 2:
            raise ValueError(f"outstanding must be at least 2, not {self.outstanding}")
        if self.data_bits not in DATA_WIDTHS:
            raise ValueError(f"data_bits must be 64, 128, 256 or 512, not {self.data_bits}")
        if self.address_bits not in MEMORY_ADDRESS_WIDTHS:
            raise ValueError(f"address_bits must be 32 to 64, not {self.address_bits}")
        if self.queue_words < 2 * self.tile_words:
            raise ValueError(f"queue_words must be at least {2 * self.tile_words}, two tiles, "
                             f"not {self.queue_words}")
        longest = min(256, PAGE_BYTES // self.data_bytes)
        if self.burst_beats > longest:
            raise ValueError(f"burst_beats must be at most {longest}, not {self.burst_beats}")
        # With bursts of one beat the write master has a counter without bits, as Verilog has none.
        if self.burst_beats < 2 or self.burst_beats & self.burst_beats - 1:
            raise ValueError(f"burst_beats must be a power of two, 2 or more, "
                             f"not {self.burst_beats}")
        # A memory of one word has an address without bits, as Verilog has none.
        for name in ("map_words", "strip_words", "line_words", *RINGS):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2, not {getattr(self, name)}")

    @property
    def multipliers(self) -> int:
        """Products with weights in a cycle."""
        return self.outputs * self.inputs * self.pixels * self.frames

    @property
    def word_channels(self) -> int:
        """Channels of a word, those of all frames: frame by frame."""
        return self.frames * self.inputs

    @property
    def parameter_bits(self) -> int:
        """Bits of the requantisation parameters of one output channel."""
        return 72 if self.accumulator_bits == ACCUMULATOR_BITS else 64

    @property
    def residual_cycles(self) -> int:
        """Cycles in which the residual adder adds a word."""
        return self.word_channels * self.pixels // self.residual_lanes

    @property
    def tile_words(self) -> int:
        """Words of results that one tile of ``outputs`` channels gives for a group of pixels."""
        return self.outputs // self.inputs

    @property
    def word_bits(self) -> int:
        """Bits of a word of activations."""
        return self.word_channels * self.pixels * self.activation_bits

    @property
    def weight_word_bits(self) -> int:
        """Bits of a word of pointwise weights."""
        return self.outputs * self.inputs * self.weight_bits

    @property
    def tap_word_bits(self) -> int:
        """Bits of a word of 3x3 kernels."""
        return self.inputs * TAPS * self.weight_bits

    @property
    def parameter_word_bits(self) -> int:
        """Bits of a word of requantisation parameters."""
        return self.inputs * self.parameter_bits

    @property
    def streams(self) -> dict[str, StreamLayout]:
        """Words of each stream in external memory; image and logits are streams of their own.

        With :attr:`padded_words`, up to three words of an image share whole beats, since the array
        waits for images from the first cycle on. Constants are read in segments, each from a beat's
        begin; so that what follows a segment's last word is no word, those that are narrower than a
        beat take one each.
        """
        bits = {
            "program":     8 * RECORD_BYTES,
            "activations": self.word_bits,
            "parameters":  self.parameter_word_bits,
            "taps":        self.tap_word_bits,
            "weights":     self.weight_word_bits,
            "image":       self.frames * IMAGE_CHANNELS * self.pixels * self.activation_bits,
            "logits":      self.word_channels * LOGIT_BITS,
        }
        layouts = {
            name: padded_layout(size, self.data_bits, 3 if name == "image" else 1)
            if self.padded_words else dense_layout(size, self.data_bits)
            for name, size in bits.items()
        }
        for name in ("parameters", "taps", "weights"):
            if bits[name] < self.data_bits:
                layouts[name] = StreamLayout(bits[name], bits[name], bits[name], self.data_bits)
        return layouts

    @property
    def data_bytes(self) -> int:
        """Bytes of a beat of the memory port."""
        return self.data_bits // 8

    @property
    def read_queue_beats(self) -> int:
        """Beats that wait at the memory port for each stream: the bursts that a latency covers."""
        return max(8 * self.burst_beats, 4)

    @property
    def write_queue_beats(self) -> int:
        """Beats that wait at the memory port to be written."""
        return max(2 * self.burst_beats, 4)

    @property
    def on_chip_bytes(self) -> int:
        """Bytes of all on-chip buffers of :attr:`buffer_bytes`."""
        return sum(self.buffer_bytes.values())

    @property
    def buffer_bytes(self) -> dict[str, int]:
        """Bytes of each on-chip buffer."""
        bits = {
            "map":        self.map_words * self.word_bits,
            "strip":      self.strip_words * self.word_bits,
            "line":       2 * self.line_words * self.word_bits,
            "weights":    self.weight_words * self.weight_word_bits,
            "taps":       self.tap_words * self.tap_word_bits,
            "parameters": self.parameter_words * self.parameter_word_bits,
            "queues":     2 * self.queue_words * self.word_bits,
            "bus":        (len(STREAMS) * self.read_queue_beats + self.write_queue_beats)
                          * self.data_bits,
        }
        return {name: (size + 7) // 8 for name, size in bits.items()}


PRESETS = {
    # For tests: 96 multipliers; 12 outputs divide no channel count, so every partial tile occurs.
    "tiny":  AcceleratorConfig(outputs=12, inputs=4, pixels=2, map_words=4096, strip_words=2048,
                               line_words=1024, weight_words=2048, tap_words=256,
                               parameter_words=512, data_bits=64),
    "small": AcceleratorConfig(outputs=16, inputs=4, pixels=2, map_words=35840, strip_words=7168,
                               line_words=2048, weight_words=12288, tap_words=512,
                               parameter_words=1024, queue_words=32),
    "base":  AcceleratorConfig(),
    # Two frames abreast, and twice the port for their maps.
    "pair":  AcceleratorConfig(frames=2, packing="frames", residual_lanes=8, data_bits=256),
    "large": AcceleratorConfig(outputs=16, inputs=16, pixels=7, map_words=3072, strip_words=1024,
                               line_words=256, weight_words=4096, tap_words=128,
                               parameter_words=256, queue_words=32, data_bits=512,
                               residual_lanes=14),
}
