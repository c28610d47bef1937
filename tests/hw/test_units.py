"""The table of units has every unit, and hw/README.md every module."""

import re
from pathlib import Path

import pytest

from mnv2.hw.config import PRESETS
from mnv2.hw.units import UNITS
from tests.hw.test_parameters import UNITS as COMPONENTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "hw" / "README.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in README.splitlines() if line.startswith("| `")]


def test_table_has_every_component():
    # A channel of the read master is no unit of its own.
    assert {unit.component.__name__ for unit in UNITS.values()} == COMPONENTS.keys() - {
        "ReadChannel"
    }


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_units_of_every_preset_can_be_built():
    for config in PRESETS.values():
        for unit in UNITS.values():
            for few_lanes in {False, unit.few_lanes is not None}:
                assert isinstance(unit.build(config, few_lanes=few_lanes), unit.component)


def test_sizes_are_of_parameters():
    sizes = {
        name: unit.size.format(**unit.parameters(PRESETS["base"]))
        for name, unit in UNITS.items()
        if unit.size
    }
    assert sizes["mac-array"] == "16x4x7"
    assert sizes["gearbox"] == "128:288"


def test_readme_lists_every_module():
    listed = [module for row in ROWS for module in re.findall(r"`([\w/]+\.py)`", " ".join(row[:2]))]
    modules = {
        path.relative_to(ROOT / "hw").as_posix()
        for path in (ROOT / "hw").rglob("*.py")
        if path.name != "__init__.py"
    }
    assert sorted(listed) == sorted(modules)


def test_readme_lists_every_unit_where_it_belongs():
    alone, inside = README.split("## Units that the accelerator is made of")
    for name, unit in UNITS.items():
        module = unit.component.__module__.removeprefix("mnv2.hw.").replace(".", "/")
        (row,) = [row for row in ROWS if f"`{name}`" in row[0]]
        assert row[1] == f"`{module}.py`"
        assert f"`{name}`" in (inside if unit.places else alone)


def test_readme_names_tests_that_exist():
    paths = [path for row in ROWS for path in re.findall(r"`(tests/[\w/]+\.py)`", row[-1])]
    assert len(paths) >= len(ROWS)
    assert [path for path in paths if not (ROOT / path).is_file()] == []
