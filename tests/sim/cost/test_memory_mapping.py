"""Memories are mapped as Yosys maps them: each unit's RAMs in every accelerator that it mapped."""

import dataclasses

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.memory_mapping import map_memory, memory_columns, reads_while_written
from mnv2.sim.cost.record import Resources
from mnv2.sim.cost.synthesised import load_designs, load_results
from mnv2.sim.cost.unit_cost import MemoryShape
from mnv2.sim.cost.unit_list import list_memories

MAPPED = [(name, family) for name, families in load_results().items() for family in families]
RAMS = ("block_ram_36k", "block_ram_18k")


@pytest.mark.parametrize(("name", "family"), MAPPED)
def test_rams_of_every_unit(name, family):
    estimated = {}
    for memory in list_memories(load_designs()[name].config):
        estimated[memory.unit] = estimated.get(memory.unit, Resources()) + map_memory(
            memory, family
        )
    counted = {
        path: {ram: found[ram] for ram in RAMS if ram in found}
        for path, found in load_results()[name][family]["units"].items()
        if set(found) & set(RAMS)
    }
    rams = {
        path: {ram: getattr(found, ram) for ram in RAMS if getattr(found, ram)}
        for path, found in estimated.items()
    }
    assert {path: found for path, found in rams.items() if found} == counted


@pytest.mark.parametrize(
    ("width", "depth", "family", "expected", "columns"),
    [
        # 512 x 72; 2 K x 9 packs 384 bits into 43 halves; 28.5 columns of 18 bits share the last
        # block.
        (72, 512, "xcup", Resources(block_ram_36k=1), 1),
        (384, 2048, "xcup", Resources(block_ram_18k=43), 1),
        (512, 9472, "xcup", Resources(block_ram_36k=143), 5),
        (512, 9472, "ecp5", Resources(block_ram_18k=285), 5),
        # Few rows are tables: 32 x 14 bits in eight of AMD's, 16 x 4 in six of Lattice's.
        (15, 32, "xcup", Resources(memory_luts=16), 1),
        (15, 32, "ecp5", Resources(memory_luts=48), 2),
        # 16 bits of 256 rows in a block of 4 kbit.
        (48, 256, "ice40", Resources(block_ram_4k=3), 1),
    ],
)
def test_shapes(width, depth, family, expected, columns):
    memory = MemoryShape("unit", "memory", width, depth)
    assert map_memory(memory, family) == expected
    assert memory_columns(memory, family) == columns


def test_bits_that_nothing_reads_take_no_ram():
    memory = MemoryShape("unit", "memory", 56, 32, clocked_read=False)
    assert map_memory(memory, "ecp5") == Resources(memory_luts=14 * 2 * 6)
    fewer = dataclasses.replace(memory, unused_bits=8)
    assert map_memory(fewer, "ecp5") == Resources(memory_luts=12 * 2 * 6)


def test_one_address_takes_wider_tables():
    memory = MemoryShape("unit", "memory", 64, 4, clocked_read=False)
    assert map_memory(memory, "xcup") == Resources(memory_luts=40)
    assert map_memory(dataclasses.replace(memory, one_address=True), "xcup") == Resources(
        memory_luts=32
    )


def test_block_ram_cannot_read_without_a_clock():
    deep = MemoryShape("unit", "memory", 64, 512, clocked_read=False)
    assert map_memory(deep, "xcup").block_ram_36k == 0
    assert map_memory(dataclasses.replace(deep, clocked_read=True), "xcup").block_ram_36k == 1


def test_registers_stand_in_on_ecp5():
    memory = MemoryShape("unit", "memory", 64, 4096, old_content=True)
    assert reads_while_written(memory, "ecp5")
    assert not reads_while_written(memory, "xcup")
    assert not reads_while_written(dataclasses.replace(memory, old_content=False), "ecp5")


def test_ultra_ram_where_the_family_has_it():
    """Rows of 512 bits, three RAMs deep: their bits are packed."""
    memory = MemoryShape("unit", "memory", 512, 9472, ram="ultra")
    assert map_memory(memory, "xcup") == Resources(ultra_ram=22)
    block = dataclasses.replace(memory, ram="block")
    assert map_memory(memory, "xc7") == map_memory(block, "xc7") != Resources()


def test_buffers_are_those_of_the_configuration():
    config = PRESETS["base"]
    bits = {
        memory.unit + "." + memory.name: memory.width * memory.depth
        for memory in list_memories(config)
        if memory.unit.startswith("core") and memory.clocked_read
    }
    sizes = config.buffer_bytes
    assert bits == {
        "core.map_memory.words": 8 * sizes["map"],
        "core.strip": 8 * sizes["strip"],
        "core.line_buffer.lines": 8 * sizes["line"],
        "core.weights.storage": 8 * sizes["weights"],
        "core.taps.storage": 8 * sizes["taps"],
        "core.parameters.storage": 8 * sizes["parameters"],
    }
