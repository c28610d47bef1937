"""Latencies of the core's pipelines, in cycles.

They are sums of the latencies that the units state; `tests/sim/cycles/test_timing.py` takes them
from there.
"""

from dataclasses import dataclass

from mnv2.hw.config import AcceleratorConfig, packed_products

__all__ = ["LINE_START", "START", "Timing", "core_timing"]

#: From the cycle in which the sequencer asks for a pass to the pass's first step: the command
#: crosses to the walk over the pass, which sets up its counters.
START = 3

#: From the same cycle to the first in which the line buffer steps.
LINE_START = 2

#: From accumulators to activations, by rounding.
_REQUANTIZE = {"double": 7, "single": 6}

#: From a word of activations to the pool's sum.
_POOL = 2

#: A word that has been fetched for the residual adder, in addition to the cycles of its elements:
#: the memory's read and the adder's stages.
_ADD = 1 + 10


@dataclass(frozen=True)
class Timing:
    """Latencies of an accelerator.

    Attributes
    ----------
    result : int
        From the step that completes a tile, or from a window, to its first word at the
        requantiser's output.
    mean : int
        From a word of results for the pool to the total that it completes, at the requantiser's
        output either.
    fetch : int
        From the fetch of a residual word to the next.
    add : int
        From the fetch of a residual word from the map memory to its sum.
    """

    result: int
    mean: int
    fetch: int
    add: int


def core_timing(config: AcceleratorConfig) -> Timing:
    """Latencies of the core of a configuration."""
    # Several packed sums of a lane are split before they are added.
    products = packed_products(config.operand_bits, config.activation_bits, config.weight_bits)
    several = config.packing != "none" and 1 < products < config.inputs
    requantize = _REQUANTIZE[config.requantize]
    return Timing(
        # Two registers before the array and one after it.
        result=2 + 4 + several + 1 + requantize,
        mean=max(requantize + _POOL, config.tile_words),
        fetch=config.residual_cycles + 1,
        add=config.residual_cycles + _ADD,
    )
