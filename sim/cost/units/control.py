"""Cost of the units that decide, count and answer the host: fitted constants, and one memory."""

from mnv2.hw.config import COUNTER_COLUMNS, COUNTER_ROWS
from mnv2.sim.cost.unit_cost import MemoryShape, UnitCost

__all__ = [
    "COUNTS",
    "ISSUE",
    "REGISTERS",
    "SEQUENCER",
    "SEQUENCER_PARTS",
    "STREAM_WALKS",
    "SUPERVISOR",
    "TOP",
    "TURNS",
    "TURN_RINGS",
    "WALK",
]

_CONTROL = "sequencer, registers"

ISSUE = UnitCost(kind="issue", group="issue", paths=("core.issue",))
WALK = UnitCost(kind="walk", group="issue", paths=("core.issue.walk",))
SEQUENCER = UnitCost(kind="sequencer", group=_CONTROL, paths=("sequencer",))
SEQUENCER_PARTS = tuple(
    UnitCost(kind=kind, group=_CONTROL, paths=(f"sequencer.{part}",))
    for kind, part in (
        ("program_fetch", "fetch"),
        ("descriptor_check", "check"),
        ("block_settings", "settings"),
        ("strip_rows", "rows"),
        ("strip_room", "room"),
        ("strip_passes", "passes"),
    )
)
STREAM_WALKS = UnitCost(
    kind="stream_walk",
    group=_CONTROL,
    paths=tuple(f"sequencer.fetch.{name}_walk" for name in ("weights", "taps", "parameters")),
)
TURNS = UnitCost(kind="turn_counter", group=_CONTROL, paths=("turns",))
TURN_RINGS = UnitCost(
    kind="slot_ring",
    group=_CONTROL,
    paths=tuple(f"turns.{name}_ring" for name in ("picture", "logits")),
)
REGISTERS = UnitCost(kind="registers", group=_CONTROL, paths=("registers",))
SUPERVISOR = UnitCost(kind="supervisor", group=_CONTROL, paths=("supervisor",))
COUNTS = UnitCost(
    kind="counters",
    group="counters",
    exists=lambda config: config.counters,
    paths=("counters",),
    memories=lambda config: (
        MemoryShape(
            "counters", "memory", 2 * 32, COUNTER_ROWS * COUNTER_COLUMNS // 2, old_content=True
        ),
    ),
)
TOP = UnitCost(
    kind="top",
    group=_CONTROL,
    paths=("",),
    luts=lambda sizing, path: (sizing.config.word_bits,),
)
