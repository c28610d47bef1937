"""Activations of a step of the array: of the map memory, of the strip memory, or of an image."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import IMAGE_CHANNELS, TAPS
from .layouts import activation_word
from .line_buffer import window_layout

__all__ = ["StepInput"]


class StepInput(wiring.Component):
    """Chooses the activations of a step, in the cycle in which they come from a memory.

    The stem's are the windows of an image: they are numbered tap by tap, within a tap channel by
    channel, and a step takes ``inputs`` of them.

    Parameters
    ----------
    inputs, frames, pixels : int
        Channels and pixels of a step; frames that have them.
    activation_bits : int
        Width of an activation, 4 to 8 bits.

    Members
    -------
    from_strip, from_stem, stem_step
        Where the step's activations are; number of the stem's step.
    map_word, strip_word, windows
        Words that were read, and the windows of an image.
    x
        Activations of the step, ``[pixel][frame * inputs + input]``.
    """

    def __init__(self, *, inputs, frames=1, pixels, activation_bits=8):
        check_integer("Inputs", inputs, IMAGE_CHANNELS)
        check_integer("Frames", frames)
        check_integer("Pixels", pixels)
        check_integer("Activation bits", activation_bits, 4, 8)
        self.inputs = inputs
        self.frames = frames
        self.pixels = pixels
        self.steps  = -(-IMAGE_CHANNELS * TAPS // inputs)
        word = activation_word(frames * inputs, pixels, activation_bits)
        super().__init__({
            "from_strip": In(1),
            "from_stem":  In(1),
            "stem_step":  In(range(max(self.steps, 2))),
            "map_word":   In(word),
            "strip_word": In(word),
            "windows":    In(window_layout(frames * inputs, pixels, activation_bits)),
            "x":          Out(word),
        })

    def elaborate(self, platform):
        m = Module()
        with m.If(self.from_stem):
            with m.Switch(self.stem_step):
                for step in range(self.steps):
                    with m.Case(step):
                        m.d.comb += self._stem_step(step)
        with m.Elif(self.from_strip):
            m.d.comb += self.x.eq(self.strip_word)
        with m.Else():
            m.d.comb += self.x.eq(self.map_word)
        return m

    def _stem_step(self, step):
        """Assignments of the taps of a step; lanes beyond the last tap are zero."""
        for lane in range(self.inputs):
            tap, channel = divmod(step * self.inputs + lane, IMAGE_CHANNELS)
            if tap >= TAPS:
                continue
            for frame in range(self.frames):
                for pixel in range(self.pixels):
                    yield self.x[pixel][frame * self.inputs + lane].eq(
                        self.windows[pixel][frame * self.inputs + channel][tap])
