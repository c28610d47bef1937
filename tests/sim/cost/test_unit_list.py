"""Each unit states its cost once, and everything else follows from the list of units."""

import ast
from pathlib import Path

import pytest

from mnv2.hw.config import PRESETS
from mnv2.hw.units import UNITS
from mnv2.sim import cost
from mnv2.sim.cost import unit_list
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.resources import load_coefficients
from mnv2.sim.cost.unit_cost import Operation, Product, UnitCost, queue
from mnv2.sim.cost.unit_list import (
    GROUPS,
    OPERATIONS,
    UNIT_COSTS,
    group_of,
    list_memories,
    list_units,
)

CONFIG = PRESETS["tiny"]

#: A unit that works on the results of the array, with a queue of words before it.
HARD_SWISH = UnitCost(
    kind="hard_swish",
    group="activation function",
    paths=("core.hard_swish",),
    luts=lambda sizing, path: (sizing.config.word_bits, sizing.decoded(path)),
    memories=lambda config: (queue("core.hard_swish", config.word_bits, config.queue_words),),
    products=lambda config: (Product(config.inputs * config.pixels, 8, 8),),
    operations=(Operation("hard swish", "elements", lambda frame: frame.words_of("expand")),),
)


def test_places_and_operations_are_stated_once():
    paths = [path for unit in UNIT_COSTS for path in unit.paths]
    assert len(paths) == len(set(paths))
    operations = [one.name for unit in UNIT_COSTS for one in unit.operations]
    assert sorted(operations) == sorted(OPERATIONS)
    assert {memory.unit for memory in list_memories(CONFIG)} <= set(paths)


def test_order_of_reports():
    assert GROUPS[:4] == ("multiplier array", "requantisation", "residual adder", "pool")
    assert GROUPS[-1] == "sequencer, registers"
    assert list(OPERATIONS) == [
        "multiply-accumulate",
        "requantise",
        "residual addition",
        "pool",
        "read weights",
        "read activations",
        "read 3x3 kernels",
        "read parameters",
        "line buffer",
        "write results",
        "memory port queues",
        "external memory",
    ]


def test_every_unit_of_the_hardware_has_a_cost():
    places = {place for unit in UNITS.values() for place in unit.places}
    assert places <= {path for unit in UNIT_COSTS for path in unit.paths}


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_every_kind_has_coefficients_for_its_features(family):
    coefficients = load_coefficients()[FAMILIES[family].calibrated_as]
    units = list_units(CONFIG, family)
    assert {unit.kind for unit in units} == coefficients.keys()
    for unit in units:
        assert len(coefficients[unit.kind]["luts"]) == 1 + len(unit.luts)
        assert len(coefficients[unit.kind]["flip_flops"]) == 1 + len(unit.flip_flops)


def test_a_unit_more_is_one_declaration(monkeypatch):
    before = list_units(CONFIG, "xcup"), list_memories(CONFIG)
    monkeypatch.setattr(unit_list, "UNIT_COSTS", (*UNIT_COSTS, HARD_SWISH))
    assert list_units(CONFIG, "xcup")[:-1] == before[0]
    added = list_units(CONFIG, "xcup")[-1]
    assert (added.path, added.kind, added.luts[0]) == ("core.hard_swish", "hard_swish", 64)
    assert list_memories(CONFIG)[:-1] == before[1]
    assert list_memories(CONFIG)[-1].unit == "core.hard_swish"
    assert list(unit_list._order_operations()) == [*OPERATIONS, "hard swish"]


def test_unknown_place():
    with pytest.raises(KeyError):
        group_of("core.softmax")


def test_it_runs_nothing():
    """No tool, no simulator and no Amaranth: what runs them is in sim/synthesis and sim/rtl."""
    for path in Path(cost.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert not name.startswith(
                    ("subprocess", "amaranth", "cocotb", "mnv2.sim.synthesis", "mnv2.sim.rtl")
                ), f"{path.name} imports {name}"
