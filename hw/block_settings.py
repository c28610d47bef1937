"""Settings of the datapath for a block, and where the parameters of its layers lie."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import WORDS_BITS
from .passes import LayerSettings
from .program import Descriptor

__all__ = ["BlockSettings"]


class BlockSettings(wiring.Component):
    """Takes from a descriptor what is the same for all passes of its block.

    The ring of parameters holds those of the block's layers one after another: stem, expansion,
    depthwise layer, projection. Positions are counted from the oldest word.

    Members
    -------
    block
        The descriptor.
    settings
        Settings of the layers. The position in them follows a cycle after the descriptor.
    fill_parameters, project_parameters
        Positions of the expansion's and of the projection's first parameters; the second follows
        two cycles after the descriptor.
    """

    def __init__(self):
        super().__init__({
            "block":              In(Descriptor),
            "settings":           Out(LayerSettings),
            "fill_parameters":    Out(WORDS_BITS),
            "project_parameters": Out(WORDS_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        block, settings = self.block, self.settings
        depthwise_parameters = Signal(WORDS_BITS)
        # Sums are registers: they are needed when the first pass is under way.
        m.d.sync += [
            depthwise_parameters.eq(self.fill_parameters + Mux(block.copy, 0, block.hidden_words)),
            self.project_parameters.eq(depthwise_parameters + block.hidden_words),
        ]
        m.d.comb += [
            self.fill_parameters.eq(Mux(block.stem, block.input_words, 0)),
            settings.stem.eq(block.stem_range),
            settings.expand.eq(block.expand),
            settings.depthwise.eq(block.depthwise),
            settings.project.eq(block.project),
            settings.pool_parameters.eq(block.pool_parameters),
            settings.pool.eq(block.pool),
            settings.tail.eq(block.input_tail),
            settings.add.eq(block.add),
            settings.depthwise_parameters.eq(depthwise_parameters),
            settings.residual_base.eq(block.input_base),
            settings.residual_end.eq(block.input_end),
        ]
        return m
