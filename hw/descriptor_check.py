"""Refuses descriptors that cannot be executed."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import ADDRESS_BITS
from .program import Descriptor, Work

__all__ = ["DescriptorCheck"]


class DescriptorCheck(wiring.Component):
    """Tells a descriptor that the accelerator cannot execute; others get stuck at worst.

    Parameters
    ----------
    map_words, tap_words, parameter_words : int
        Words of the map memory and of the rings: a descriptor's maps, kernels and parameters must
        fit into them.

    Members
    -------
    block
        The descriptor.
    bad
        A size is 0 that must not be, a ring is empty, or something does not fit; in the same cycle.
    """

    def __init__(self, *, map_words, tap_words, parameter_words):
        check_integer("Map words", map_words, 1, 2**ADDRESS_BITS - 1)
        check_integer("Tap words", tap_words)
        check_integer("Parameter words", parameter_words)
        self.map_words       = map_words
        self.tap_words       = tap_words
        self.parameter_words = parameter_words
        super().__init__({"block": In(Descriptor), "bad": Out(1)})

    def elaborate(self, platform):
        m = Module()
        block  = self.block
        strips = block.work == Work.BLOCK
        counts = [block.input_rows, block.input_groups, block.input_words, block.output_words]
        counts_of_strips = [block.hidden_words, block.output_rows, block.output_groups,
                            block.strip_rows, block.steps]
        counts_of_stem   = [block.image_rows, block.image_groups, block.image_steps,
                            block.stem_steps]
        m.d.comb += self.bad.eq(
            (block.work.as_value() == 3)
            | _any_is_zero(counts)
            | (strips & _any_is_zero(counts_of_strips))
            | (block.stem & _any_is_zero(counts_of_stem))
            | (block.input_base >= block.input_end)
            | (block.output_base >= block.output_end)
            | (block.input_end > self.map_words)
            # The classifier's results do not go to the map memory.
            | ((block.output_end > self.map_words) & (block.work != Work.CLASSIFIER))
            | (block.hidden_words > self.tap_words)
            | (block.parameter_words > self.parameter_words))
        return m


def _any_is_zero(counts):
    return Cat(count == 0 for count in counts).any()
