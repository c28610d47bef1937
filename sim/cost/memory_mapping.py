"""Kind and shape of the RAM that Yosys chooses for a memory.

Each kind of RAM of a family has a cost; a memory is given to the kind that costs least in all, or
to flip-flops, one for each bit, if that is less. A RAM of ``2**a`` bits that is ``unit`` bits wide
has ``2**a / unit`` rows (ninth bits are extra). A memory that is deeper takes ``columns`` of them,
whose outputs are multiplexed; all bits of all columns are packed into RAMs, in bytes of nine where
the RAM has such.

Ref: Yosys 0.70, passes/memory/memory_libmap.cc, MemMapping::handle_geom, prune_post_geom;
     techlibs/xilinx/brams_xc4v.txt, lutrams_xcu.txt, lutrams_xc5v.txt, urams.txt;
     techlibs/lattice/brams_16kd.txt, lutrams_trellis.txt; techlibs/ice40/brams.txt.
"""

import dataclasses
import functools
from dataclasses import dataclass

from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.record import Resources
from mnv2.sim.cost.unit_cost import MemoryShape

__all__ = ["MEMORY_FAMILIES", "map_memory", "memory_columns", "reads_while_written"]

#: Weight of a bit of a multiplexer, and of a gate of a write enable, in `memory_libmap`.
_MULTIPLEXER, _WRITE_ENABLE = 0.5, 0.5

#: Weight of a point for the logic that must be added to the RAM.
_EMULATION = 2


@dataclass(frozen=True)
class _Ram:
    """A kind of RAM.

    Attributes
    ----------
    address_bits : int
        Of a RAM one bit wide (of its narrowest width where it has one width alone).
    widths : tuple of int
        Bits of a row that it can have; each halves the rows.
    cost : float
        Of one; ``shared_cost`` of it counts by the bits in use only.
    points : int
        For what must be added: 1 for a read port, 6 more where a row that is written while it is
        read must give its old content and the RAM does not.
    made_of : Resources
    clocked : bool
        It reads with the clock alone.
    one_port : bool
        It has one address.
    """

    address_bits: int
    widths: tuple[int, ...]
    cost: float
    points: int
    made_of: Resources
    shared_cost: float = 0
    clocked: bool = False
    one_port: bool = False


def _block(address_bits, widths, cost, points, **made_of):
    return _Ram(address_bits, widths, cost, points, Resources(**made_of), clocked=True)


def _lut_ram(address_bits, width, cost, shared_cost, luts, one_port=False):
    return _Ram(
        address_bits,
        (width,),
        cost,
        0 if one_port else 1,
        Resources(memory_luts=luts),
        shared_cost,
        one_port=one_port,
    )


_BLOCKS_OF_AMD = (
    _block(15, (1, 2, 4, 9, 18, 36, 72), 257, 1, block_ram_36k=1),
    _block(14, (1, 2, 4, 9, 18, 36), 129, 1, block_ram_18k=1),
)

#: Kinds of RAM of a family, LUTs before blocks, in the order in which Yosys tries them. Only
#: those that one write port and one read port can be made of.
MEMORY_FAMILIES = {
    # Eight LUTs each: RAM32M16, RAM64M8.
    "xcup": (
        _lut_ram(5, 16, 16, 16, 8, one_port=True),
        _lut_ram(6, 8, 16, 16, 8, one_port=True),
        _lut_ram(5, 14, 16, 16, 8),
        _lut_ram(6, 7, 16, 16, 8),
        *_BLOCKS_OF_AMD,
    ),
    # Four: RAM32M, RAM64M.
    "xc7": (
        _lut_ram(5, 8, 8, 8, 4, one_port=True),
        _lut_ram(6, 4, 8, 8, 4, one_port=True),
        _lut_ram(5, 6, 8, 7, 4),
        _lut_ram(6, 3, 8, 7, 4),
        *_BLOCKS_OF_AMD,
    ),
    # Four LUTs hold 16 rows of 4 bits, and two more take the writes.
    "ecp5": (
        _lut_ram(4, 4, 4, 0, 6),
        _block(14, (1, 2, 4, 9, 18, 36), 128, 7, block_ram_18k=1),
    ),
    # No LUTs: memories that are read without a clock are counted as block RAM too, a lower bound.
    "ice40": (_block(11, (2, 4, 8, 16), 64, 7, block_ram_4k=1),),
}

#: UltraRAM of 4,096 rows of 72 bits, which Yosys takes only for a memory that asks for it.
_ULTRA_RAM = _block(12, (72,), 1024, 1, ultra_ram=1)


def map_memory(shape: MemoryShape, family: str) -> Resources:
    """Resources of a memory.

    Parameters
    ----------
    shape : mnv2.sim.cost.unit_cost.MemoryShape
    family : str
        A key of `MEMORY_FAMILIES`. Block RAM is counted where it has no UltraRAM.

    Returns
    -------
    Resources
        Block RAMs, UltraRAMs and LUTs as memory, or flip-flops; none of the logic around them.
    """
    return _choose(shape, family)[0]


def memory_columns(shape: MemoryShape, family: str) -> int:
    """RAMs that the rows of a memory are spread over; logic decodes those after the first."""
    return _choose(shape, family)[1]


def reads_while_written(shape: MemoryShape, family: str) -> bool:
    """Whether logic must handle a row that is read while it is written, since the RAM does not."""
    ram = _choose(shape, family)[2]
    return ram is not None and _points(shape, ram) > 1


@functools.lru_cache(maxsize=4096)
def _choose(shape: MemoryShape, family: str) -> tuple[Resources, int, _Ram | None]:
    """Resources of a memory, the columns of RAMs, and the kind of RAM (None for flip-flops)."""
    shape = dataclasses.replace(shape, width=shape.width - shape.unused_bits, unused_bits=0)
    if shape.ram == "ultra" and FAMILIES[family].ultra_ram:
        _, columns, count = _fit(shape, _ULTRA_RAM)
        return Resources(ultra_ram=count), columns, _ULTRA_RAM
    best_by_kind: dict[bool, tuple[float, int, int, _Ram]] = {}
    for ram in MEMORY_FAMILIES[family]:
        if (
            ram.clocked
            and not shape.clocked_read
            and family != "ice40"
            or ram.one_port
            and not shape.one_address
        ):
            continue
        cost, columns, count = _fit(shape, ram)
        if ram.clocked not in best_by_kind or cost < best_by_kind[ram.clocked][0]:
            best_by_kind[ram.clocked] = cost, columns, count, ram
    least, chosen = shape.width * shape.depth, Resources(flip_flops=shape.width * shape.depth)
    columns = 1
    ram_chosen: _Ram | None = None
    for cost, columns_of_it, count, ram in best_by_kind.values():
        if cost < least:
            least = int(cost)
            chosen = Resources(**{name: count * one for name, one in vars(ram.made_of).items()})
            columns, ram_chosen = columns_of_it, ram
    return chosen, columns, ram_chosen


def _points(shape: MemoryShape, ram: _Ram) -> int:
    """Points of a kind of RAM for a memory: those of old content only where it must give it."""
    return ram.points if shape.old_content else min(ram.points, 1)


def _fit(shape: MemoryShape, ram: _Ram) -> tuple[float, int, int]:
    """Least cost of a memory in one kind of RAM, its columns, and how many RAMs that takes."""
    best: tuple[float, int, int] | None = None
    for index, unit in enumerate(ram.widths):
        byte = 9 if unit >= 9 and ram.widths[-1] > 16 else unit
        columns = -(-shape.depth // (1 << ram.address_bits - index))
        bits = columns * -(-shape.width // byte) * byte
        count = -(-bits // unit)
        cost = (
            (ram.cost - ram.shared_cost) * count
            + ram.shared_cost * columns * shape.width / unit
            + _MULTIPLEXER * (columns - 1) * shape.width
            + _WRITE_ENABLE * (columns if columns > 1 else 0)
            + _EMULATION * _points(shape, ram)
        )
        if best is None or cost < int(best[0]):  # the least so far counts cut to an integer
            best = cost, columns, count
    assert best is not None  # every RAM has a width
    return best
