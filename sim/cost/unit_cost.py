"""Records with which a unit states its cost: its logic, memories, multipliers and operations.

Each unit of the accelerator has one declaration, a `UnitCost` in `mnv2.sim.cost.units`. Resources,
groups of the report, operations and energy of a frame are all derived from the list of them in
`mnv2.sim.cost.unit_list`. How a unit is built alone, to be measured, is stated in `mnv2.hw.units`.

A *feature* is a count that follows from the lanes and widths, such as the bits of all adders of a
unit. `mnv2.sim.cost.resources` multiplies features by coefficients that were fitted to Yosys's
results for whole accelerators; units of one kind share them. A register that a unit declares is one
flip-flop, so those coefficients come out near 1.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.families import FAMILIES

__all__ = [
    "Energies",
    "Frame",
    "MemoryShape",
    "Operation",
    "Product",
    "Sizing",
    "UnitCost",
    "buffer",
    "memory_bit",
    "queue",
]

#: Joules by the names of `mnv2.sim.cost.energy.ENERGIES`.
Energies = Mapping[str, float]


@dataclass(frozen=True)
class MemoryShape:
    """A memory with one write port and one read port.

    Attributes
    ----------
    unit : str
        Path of the module that it is in, such as ``"core.weights"``.
    name : str
        Its name there.
    width, depth : int
        Bits of a row; rows.
    clocked_read : bool
        Whether the row that is read comes a cycle later; block RAM can do no other.
    one_address : bool
        Whether it reads and writes the same row in each cycle, so that one port is enough.
    ram : str
        RAM that the configuration asks for, one of `mnv2.hw.config.RAMS`.
    old_content : bool
        Whether a row that is read while it is written must give its old content. The core uses no
        such row, and Yosys is told so: see `mnv2.sim.synthesis.whole_netlist`.
    unused_bits : int
        Bits of a row that nothing around its unit reads: a flattened netlist has none of them.
    """

    unit: str
    name: str
    width: int
    depth: int
    clocked_read: bool = True
    one_address: bool = False
    ram: str = "block"
    old_content: bool = False
    unused_bits: int = 0


@dataclass(frozen=True)
class Product:
    """Multiplications of one shape.

    Attributes
    ----------
    count : int
        How many there are.
    first_bits, second_bits : int
        Bits of the signed operands; one that is not negative has a zero as its sign.
    product_bits : int, optional
        Bits of the product that are used; default all.
    """

    count: int
    first_bits: int
    second_bits: int
    product_bits: int | None = None

    def dsps(self, family: str) -> int:
        """Hard multipliers of a family that they take together."""
        multiplier = FAMILIES[family].multiplier
        return self.count * multiplier.count(self.first_bits, self.second_bits, self.product_bits)


def buffer(unit: str, name: str, width: int, depth: int, ram: str = "block") -> MemoryShape:
    """A buffer that the configuration sizes."""
    return MemoryShape(unit, name, width, depth, ram=ram)


def queue(unit: str, width: int, depth: int, unused_bits: int = 0) -> MemoryShape:
    """The memory of a queue, which is read without a clock."""
    return MemoryShape(unit, "storage", width, depth, clocked_read=False, unused_bits=unused_bits)


@dataclass(frozen=True)
class Sizing:
    """The facts that the features of a unit follow from.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str
        A key of `mnv2.sim.cost.families.FAMILIES`.
    memory_bits : dict of str to (int, int)
        By path of a unit, of all memories in it: bits that are decoded outside of the RAMs, and
        bits that registers hold where a row is read while it is written.
    """

    config: AcceleratorConfig
    family: str
    memory_bits: Mapping[str, tuple[int, int]]

    @property
    def pieces_of(self) -> str:
        """The family whose measured gearboxes are taken for this one's."""
        return FAMILIES[self.family].pieces_as

    def registers(
        self, others: float, of_products: float, products: Iterable[Product]
    ) -> tuple[float, float]:
        """Bits of registers outside of DSPs, and of those of products that are in DSPs."""
        in_dsps = any(product.dsps(self.family) for product in products)
        return (others, of_products) if in_dsps else (others + of_products, 0)

    def decoded(self, path: str) -> int:
        """Bits of the memories of a unit that are decoded outside of the RAMs."""
        return self.memory_bits[path][0]

    def held(self, path: str) -> int:
        """Bits of the memories of a unit that registers hold."""
        return self.memory_bits[path][1]


@dataclass(frozen=True)
class Frame:
    """Counts of a program that operations are made of; it computes ``frames`` frames.

    Words are those of maps: ``inputs`` channels of ``pixels`` pixels of each frame.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    network : mnv2.golden.network.Network
    macs : int
    words : dict of str to int
        Words of results, by kind of layer.
    added, copied : int
        Words that are added to a block's input; words of input that blocks without an expansion
        copy to the line buffer.
    image : int
        Words of the image, as the line buffer takes them.
    steps, stem_steps, windows : int
        Cycles of the array: steps of 1x1 convolutions, those of the stem among them; words of 3x3
        windows.
    read_bits, written_bits : int
        Of external memory.
    """

    config: AcceleratorConfig
    network: Network
    macs: int
    words: Mapping[str, int]
    added: int
    copied: int
    image: int
    steps: int
    stem_steps: int
    windows: int
    read_bits: int
    written_bits: int

    def words_of(self, *kinds: str) -> int:
        """Words of results of some kinds of layers together."""
        return sum(self.words[kind] for kind in kinds)

    @property
    def requantised(self) -> int:
        """Words that the requantiser after the array gives."""
        return self.words_of("stem", "expand", "depthwise", "project", "head", "classifier")

    @property
    def expanded(self) -> int:
        """Words that go through the queue to the line buffer."""
        return self.words_of("expand") + self.copied

    @property
    def elements(self) -> int:
        """Elements of a word."""
        return self.config.word_channels * self.config.pixels


def memory_bit(config: AcceleratorConfig, energies: Energies) -> float:
    """Joules of a bit of on-chip memory, read or written: the same wherever it lies."""
    return energies["memory_bit"]


@dataclass(frozen=True)
class Operation:
    """Operations of a unit that are counted in a frame, and the energy of each.

    Attributes
    ----------
    name : str
    measure : str
        Unit of the count: ``"operations"``, ``"elements"`` or ``"bits"``.
    count : function of (Frame) to int
    energy : function of (AcceleratorConfig, Energies) to float
        Joules of one; default those of a bit of on-chip memory.
    after : str
        Operation that it follows in tables and sums; default that of the unit listed before.
    """

    name: str
    measure: str
    count: Callable[[Frame], int]
    energy: Callable[[AcceleratorConfig, Energies], float] = memory_bit
    after: str = ""


def _no_features(sizing: Sizing, path: str) -> tuple[float, ...]:
    return ()


def _no_memories(config: AcceleratorConfig) -> tuple[MemoryShape, ...]:
    return ()


def _always(config: AcceleratorConfig) -> bool:
    return True


def _no_products(config: AcceleratorConfig) -> tuple[Product, ...]:
    return ()


@dataclass(frozen=True)
class UnitCost:
    """The cost of a unit of the accelerator, wherever the netlist has it.

    Attributes
    ----------
    kind : str
        Name of its coefficients in ``coefficients.json``.
    group : str
        Group of the report that it is counted in.
    paths : tuple of str
        Its places in the netlist, without the top's name: ``"core.array"``; ``""`` is the top.
    flip_flops, luts : function of (Sizing, str) to tuple of float
        Features of either for one of its places; one coefficient each, in addition to a constant.
    memories : function of (AcceleratorConfig) to tuple of MemoryShape
        Every memory of its netlist, as hw/ makes them.
    products : function of (AcceleratorConfig) to tuple of Product
        Every multiplication of its netlist in each of its places that is not made of LUTs on
        purpose, as hw/ writes them.
    operations : tuple of Operation
        Operations that are counted in a frame.
    exists : function of (AcceleratorConfig) to bool
        Whether the configuration has it.
    """

    kind: str
    group: str
    paths: tuple[str, ...]
    flip_flops: Callable[[Sizing, str], tuple[float, ...]] = _no_features
    luts: Callable[[Sizing, str], tuple[float, ...]] = _no_features
    memories: Callable[[AcceleratorConfig], tuple[MemoryShape, ...]] = _no_memories
    products: Callable[[AcceleratorConfig], tuple[Product, ...]] = _no_products
    operations: tuple[Operation, ...] = ()
    exists: Callable[[AcceleratorConfig], bool] = _always
