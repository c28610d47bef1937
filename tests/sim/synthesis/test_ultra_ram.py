"""A memory that asks for UltraRAM is given it, as many as are counted."""

import pytest
from amaranth import unsigned

from mnv2.hw.map_memory import MapMemory
from mnv2.hw.ring import Ring
from mnv2.sim.cost.memory_mapping import map_memory
from mnv2.sim.cost.unit_cost import MemoryShape
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.yosys import synthesize

#: Bits and rows: one RAM, two side by side, and bits of two rows of RAMs packed into one.
SHAPES = [(60, 100), (80, 300), (24, 4100)]


@pytest.mark.parametrize(("bits", "depth"), SHAPES)
@pytest.mark.parametrize("kind", ["map", "weights"])
def test_counted_as_it_is_mapped(kind, bits, depth):
    if kind == "map":
        unit = MapMemory(word=unsigned(bits), depth=depth, ram="ultra")
    else:
        unit = Ring(shape=unsigned(bits), depth=depth, ram="ultra")
    result = synthesize(convert(unit, name="unit"), "xcup", top="unit")
    counted = map_memory(MemoryShape("unit", "memory", bits, depth, ram="ultra"), "xcup")
    assert set(result["memories"].values()) == {"ultra RAM"}
    assert result["total"]["ultra_ram"] == counted.ultra_ram
    assert "block_ram_36k" not in result["total"]


def test_another_ram_is_refused():
    with pytest.raises(ValueError, match="RAM must be block or ultra, not 'huge'"):
        Ring(shape=unsigned(8), depth=8, ram="huge")
