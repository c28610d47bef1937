"""The parameters of an accelerator: one frozen record, and named presets.

Plain Python: software that only needs sizes imports this without Amaranth.
"""

from dataclasses import dataclass, fields

__all__ = ["PRESETS", "STREAMS", "AcceleratorConfig"]

TAPS = 9                # of a 3x3 kernel
PARAMETER_BITS = 72     # of one output channel: bias, multiplier, shift

#: Streams that are read from external memory.
STREAMS = ("program", "activations", "parameters", "taps", "weights")


@dataclass(frozen=True)
class AcceleratorConfig:
    """Sizes of an accelerator.

    A *word* is ``inputs`` channels of ``pixels`` consecutive pixels of a row. Every on-chip memory
    of activations moves one word a cycle.

    Parameters
    ----------
    outputs, inputs, pixels
        Lanes of the multiplier array: output channels, input channels and pixels. ``outputs`` is a
        multiple of ``inputs`` and at least 9, so that the 3x3 kernels of a word fit into one cycle.
    weight_bits, activation_bits
        Width of a weight and of an activation, 4 to 8 bits.
    map_words
        Map memory, in words: inputs and outputs of blocks.
    strip_words
        Strip memory, in words: depthwise outputs of the rows in work.
    line_words
        Line memory, in words: two expanded rows are kept for each word of a row.
    weight_words, tap_words, parameter_words
        Rings that are filled from memory ahead of use: pointwise weights (``outputs * inputs``
        weights a word), 3x3 kernels (``9 * inputs`` weights a word) and requantisation parameters
        (``72 * inputs`` bits a word).
    queue_words
        Depth of the queue of expanded words and of the queue before the residual adder.
    data_bits
        Data width of the AXI4 port, 64 to 512 bits.
    burst_beats, outstanding
        Longest burst in beats; reads under way at once, 2 or more.
    patience_cycles
        Cycles without any movement after which a program is given up as stuck.
    """

    outputs:         int = 16
    inputs:          int = 4
    pixels:          int = 7
    weight_bits:     int = 8
    activation_bits: int = 8
    map_words:       int = 10240
    strip_words:     int = 2048
    line_words:      int = 512
    weight_words:    int = 9472
    tap_words:       int = 512
    parameter_words: int = 1024
    queue_words:     int = 32
    data_bits:       int = 128
    burst_beats:     int = 16
    outstanding:     int = 16
    patience_cycles: int = 1 << 20

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{field.name} must be a positive integer, not {value!r}")
        if self.outputs % self.inputs:
            raise ValueError(f"outputs must be a multiple of inputs ({self.inputs}), "
                             f"not {self.outputs}")
        if self.inputs < 3:
            raise ValueError(f"inputs must be at least 3, the channels of an image, "
                             f"not {self.inputs}")
        if self.outputs < TAPS:
            raise ValueError(f"outputs must be at least {TAPS}, the taps of a 3x3 kernel, "
                             f"not {self.outputs}")
        for name in ("weight_bits", "activation_bits"):
            if not 4 <= getattr(self, name) <= 8:
                raise ValueError(f"{name} must be 4 to 8, not {getattr(self, name)}")
        # Widths of the fields of a descriptor.
        for name, limit in (("pixels", 63), ("map_words", 2**16 - 1), ("strip_words", 2**16 - 1)):
            if getattr(self, name) > limit:
                raise ValueError(f"{name} must be at most {limit}, not {getattr(self, name)}")
        if self.outstanding < 2:
            raise ValueError(f"outstanding must be at least 2, not {self.outstanding}")
        if self.data_bits not in (64, 128, 256, 512):
            raise ValueError(f"data_bits must be 64, 128, 256 or 512, not {self.data_bits}")
        if self.queue_words < 2 * self.tile_words:
            raise ValueError(f"queue_words must be at least {2 * self.tile_words}, two tiles, "
                             f"not {self.queue_words}")
        if self.burst_beats > 256 or self.burst_beats * self.data_bits // 8 > 4096:
            raise ValueError(f"burst_beats must be at most {min(256, 4096 * 8 // self.data_bits)}, "
                             f"not {self.burst_beats}")

    @property
    def multipliers(self):
        """Multipliers that touch weights."""
        return self.outputs * self.inputs * self.pixels

    @property
    def tile_words(self):
        """Words of results that one tile of ``outputs`` channels gives for a group of pixels."""
        return self.outputs // self.inputs

    @property
    def word_bits(self):
        """Bits of a word of activations."""
        return self.inputs * self.pixels * self.activation_bits

    @property
    def weight_word_bits(self):
        """Bits of a word of pointwise weights."""
        return self.outputs * self.inputs * self.weight_bits

    @property
    def tap_word_bits(self):
        """Bits of a word of 3x3 kernels."""
        return self.inputs * TAPS * self.weight_bits

    @property
    def parameter_word_bits(self):
        """Bits of a word of requantisation parameters."""
        return self.inputs * PARAMETER_BITS

    @property
    def data_bytes(self):
        """Bytes of a beat of the memory port."""
        return self.data_bits // 8

    @property
    def read_queue_beats(self):
        """Beats that wait at the memory port for each stream: the bursts that a latency covers."""
        return max(8 * self.burst_beats, 4)

    @property
    def write_queue_beats(self):
        """Beats that wait at the memory port to be written."""
        return max(2 * self.burst_beats, 4)

    @property
    def on_chip_bytes(self):
        """Bytes of all on-chip buffers together, named by :attr:`buffer_bytes`."""
        return sum(self.buffer_bytes.values())

    @property
    def buffer_bytes(self):
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
    "large": AcceleratorConfig(outputs=16, inputs=16, pixels=7, map_words=3072, strip_words=1024,
                               line_words=256, weight_words=4096, tap_words=128,
                               parameter_words=256, queue_words=32, data_bits=512),
}
