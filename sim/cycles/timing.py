"""Latencies of the core's pipelines, in cycles.

They are sums of the latencies that the units state; `tests/sim/cycles/test_timing.py` takes them
from there.
"""

__all__ = ["ADD", "POOL", "RESULT", "START"]

#: From the step that completes a tile, or from a window, to its first word at the requantiser's
#: output: a register before the array, the array's 4 cycles, a register after it, and the
#: requantiser's 7.
RESULT = 1 + 4 + 1 + 7

#: From there through the pool: 2 cycles for its sum and the requantiser's 7.
POOL = 2 + 7

#: From the fetch of a residual word from the map memory to its sum, in addition to one cycle for
#: each of its pixels: the memory's read and the adder's 10.
ADD = 1 + 10

#: From the cycle in which the sequencer asks for a pass to the pass's first step: the command
#: crosses to the walk over the pass, which sets up its counters.
START = 2
