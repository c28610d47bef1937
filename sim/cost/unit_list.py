"""The units of the accelerator, and the lists of their features, memories and operations."""

from dataclasses import dataclass

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.memory_mapping import memory_columns, reads_while_written
from mnv2.sim.cost.unit_cost import MemoryShape, Operation, Product, Sizing, UnitCost
from mnv2.sim.cost.units import array, control, datapath, memory_port, rescaling

__all__ = [
    "GROUPS",
    "OPERATIONS",
    "UNIT_COSTS",
    "UnitFeatures",
    "group_of",
    "list_memories",
    "list_products",
    "list_units",
]

#: Every unit. Groups of the report are in this order, and so are operations in tables.
UNIT_COSTS: tuple[UnitCost, ...] = (
    array.ARRAY,
    rescaling.REQUANTIZE,
    rescaling.RESIDUAL,
    datapath.RESIDUAL_PATH,
    rescaling.POOL,
    datapath.LINE_BUFFER,
    control.ISSUE,
    control.WALK,
    datapath.CORE,
    datapath.MAP_MEMORY,
    datapath.STEP_INPUT,
    datapath.TILE,
    datapath.LINE_INPUT,
    datapath.LOGITS,
    datapath.WEIGHTS,
    datapath.TAP_RING,
    datapath.PARAMETERS,
    datapath.QUEUES,
    memory_port.READ_PORT,
    memory_port.READ_MASTER,
    memory_port.READ_CHANNELS,
    memory_port.READ_QUEUES,
    memory_port.WRITE_PORT,
    memory_port.WRITE_MASTER,
    memory_port.WRITE_QUEUE,
    memory_port.MAP_PORT,
    memory_port.LOADER,
    memory_port.STORER,
    memory_port.SHORT_QUEUES,
    memory_port.GEARBOXES,
    control.COUNTS,
    control.SEQUENCER,
    *control.SEQUENCER_PARTS,
    control.STREAM_WALKS,
    control.TURNS,
    control.TURN_RINGS,
    control.REGISTERS,
    control.SUPERVISOR,
    control.TOP,
)

#: Groups of units in reports.
GROUPS = tuple(dict.fromkeys(unit.group for unit in UNIT_COSTS))

_GROUP_OF = {path: unit.group for unit in UNIT_COSTS for path in unit.paths}


def group_of(path: str) -> str:
    """Group of the unit at a place in the netlist."""
    return _GROUP_OF[path]


def _order_operations() -> dict[str, Operation]:
    """Operations of all units by name: in the units' order, but for those that state another."""
    operations = [one for unit in UNIT_COSTS for one in unit.operations]
    ordered = [one for one in operations if not one.after]
    for one in operations:
        if one.after:
            before = [placed.name for placed in ordered].index(one.after)
            ordered.insert(before + 1, one)
    return {one.name: one for one in ordered}


#: What is counted in a frame, by name.
OPERATIONS = _order_operations()


@dataclass(frozen=True)
class UnitFeatures:
    """Features of a module of the netlist.

    Attributes
    ----------
    path : str
        Its place, without the top's name: ``"core.array"``; ``""`` is the top itself.
    kind : str
        Units of a kind have coefficients in common.
    flip_flops, luts : tuple of float
        Features of either; one coefficient each, in addition to a constant.
    """

    path: str
    kind: str
    flip_flops: tuple[float, ...] = ()
    luts: tuple[float, ...] = ()


def _units_of(config: AcceleratorConfig) -> list[UnitCost]:
    """Units that the accelerator of a configuration has."""
    return [unit for unit in UNIT_COSTS if unit.exists(config)]


def list_memories(config: AcceleratorConfig) -> tuple[MemoryShape, ...]:
    """Memories of an accelerator in the order of its units; no two have the same unit and name."""
    if not isinstance(config, AcceleratorConfig):
        raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
    return tuple(memory for unit in _units_of(config) for memory in unit.memories(config))


def list_products(config: AcceleratorConfig) -> dict[str, tuple[Product, ...]]:
    """Multiplications of each unit of an accelerator that has any, by its place."""
    found = {
        path: tuple(product for product in unit.products(config) if product.count)
        for unit in _units_of(config)
        for path in unit.paths
    }
    return {path: products for path, products in found.items() if products}


def list_units(config: AcceleratorConfig, family: str) -> list[UnitFeatures]:
    """Units of an accelerator and their features.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str
        A key of `mnv2.sim.cost.families.FAMILIES`.
    """
    memory_bits: dict[str, tuple[int, int]] = {}
    for memory in list_memories(config):
        decoded, held = memory_bits.get(memory.unit, (0, 0))
        memory_bits[memory.unit] = (
            decoded + (memory_columns(memory, family) - 1) * memory.width,
            held + reads_while_written(memory, family) * memory.width,
        )
    sizing = Sizing(config, family, memory_bits)
    return [
        UnitFeatures(path, unit.kind, unit.flip_flops(sizing, path), unit.luts(sizing, path))
        for unit in _units_of(config)
        for path in unit.paths
    ]
