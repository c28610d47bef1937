"""Memories, multiplications and places of the units are those of the Verilog, for every option."""

import dataclasses
import re
from collections import Counter

import pytest

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import PRESETS, field_bits
from mnv2.sim.cost.unit_list import list_memories, list_products, list_units
from mnv2.sim.rtl.multipliers import find_multipliers
from mnv2.sim.rtl.verilog import generate

SMALL = dataclasses.replace(
    PRESETS["tiny"], outputs=9, inputs=3, pixels=2, residual_lanes=3, queue_words=8
)
CONFIGS = {
    "plain": {},
    "pixels": {"packing": "pixels", "accumulator_bits": 27},
    "frames": {
        "packing": "frames",
        "frames": 2,
        "operand_bits": 25,
        "accumulator_bits": 25,
        "requantize": "single",
        "residual_lanes": 2,
    },
    "some outputs in luts": {"lut_outputs": 4, "packing": "pixels", "accumulator_bits": 27},
    "luts": {"frames": 2, "multipliers_in_luts": True, "counters": False},
    "few bits": {
        "packing": "pixels",
        "pixels": 3,
        "operand_bits": 18,
        "activation_bits": 4,
        "accumulator_bits": 20,
        "residual_lanes": 1,
        "padded_words": True,
    },
}


@pytest.fixture(scope="module", params=CONFIGS)
def made(request):
    config = dataclasses.replace(SMALL, **CONFIGS[request.param])
    return config, generate(Accelerator, name="accelerator", config=config)


def place(module):
    """Place of a module in the accelerator, without the numbers that Yosys appends."""
    return re.sub(r"\$[^.]*", "", module.lstrip("\\").removeprefix("accelerator").lstrip("."))


def test_memories(made):
    config, text = made
    found, module = Counter(), ""
    for line in text.splitlines():
        if head := re.match(r"module (\S+?) ?\(", line):
            module = place(head[1])
        if row := re.match(r"\s*reg \[(\d+):0\] (\w+) \[(\d+):0\];", line):
            found[module, row[2], int(row[1]) + 1, int(row[3]) + 1] += 1
    assert found == Counter(
        (memory.unit, memory.name, memory.width, memory.depth) for memory in list_memories(config)
    )


def test_multiplications(made):
    """As many of each unit, and as wide; the Verilog's widths are without a zero as the sign."""
    config, text = made
    found = {}
    for (module, first, second, products), count in find_multipliers(text).items():
        if products == 2:
            # An operand of two activations has a field for the lower one's products.
            field = field_bits(config.operand_bits, config.activation_bits)
            first, second = field + config.activation_bits, config.weight_bits
        found.setdefault(place(module), []).extend([(first, second)] * count)
    stated = {
        path: [
            tuple(sorted((product.first_bits, product.second_bits), reverse=True))
            for product in products
            for _ in range(product.count)
        ]
        for path, products in list_products(config).items()
    }
    assert found.keys() == stated.keys()
    for path, widths in stated.items():
        assert len(found[path]) == len(widths), path
        for one, other in zip(sorted(found[path]), sorted(widths), strict=True):
            assert all(0 <= signed - bits <= 1 for bits, signed in zip(one, other, strict=True))


def test_units(made):
    config, text = made
    modules = {place(name) for name in re.findall(r"^module (\S+?) ?\(", text, re.M)}
    assert {unit.path for unit in list_units(config, "xcup")} == modules
