"""Cost of the units that decide, count and answer the host: fitted constants, and one memory."""

from mnv2.hw.config import COUNTER_ROWS, COUNTERS
from mnv2.sim.cost.unit_cost import MemoryShape, UnitCost

__all__ = ["COUNTS", "ISSUE", "REGISTERS", "SEQUENCER", "SUPERVISOR", "TOP", "WALK"]

_CONTROL = "sequencer, registers"

ISSUE = UnitCost(kind="issue", group="issue", paths=("core.issue",))
WALK = UnitCost(kind="walk", group="issue", paths=("core.issue.walk",))
SEQUENCER = UnitCost(kind="sequencer", group=_CONTROL, paths=("sequencer",))
REGISTERS = UnitCost(kind="registers", group=_CONTROL, paths=("registers",))
SUPERVISOR = UnitCost(kind="supervisor", group=_CONTROL, paths=("supervisor",))
COUNTS = UnitCost(
    kind="counters",
    group="counters",
    exists=lambda config: config.counters,
    paths=("counters",),
    memories=lambda config: (
        MemoryShape("counters", "memory", 2 * 32 * len(COUNTERS), COUNTER_ROWS),
    ),
)
TOP = UnitCost(
    kind="top",
    group=_CONTROL,
    paths=("",),
    luts=lambda sizing, path: (sizing.config.word_bits,),
)
