"""Products of the units that rescale take the DSPs that they are cut for, and none in LUTs."""

import pytest

from mnv2.hw.requantize import Requantize
from mnv2.hw.residual import ResidualAdd
from mnv2.sim.rtl.verilog import convert
from mnv2.sim.synthesis.yosys import synthesize

#: Wider operand of a family's multipliers.
OPERAND_BITS = {"xcup": 27, "xc7": 25, "ecp5": 18}

# family, parameters, DSPs of a lane
REQUANTIZERS = [
    ("xcup", {}, 2),
    ("xcup", {"accumulator_bits": 28}, 2),
    ("xcup", {"accumulator_bits": 27}, 2),
    ("xcup", {"accumulator_bits": 27, "rounding": "single"}, 1),
    ("xcup", {"accumulator_bits": 27, "multipliers_in_luts": True}, 0),
    ("xc7", {"accumulator_bits": 27}, 2),
    ("xc7", {"accumulator_bits": 25, "rounding": "single"}, 1),
    ("ecp5", {"accumulator_bits": 27}, 4),
    ("ecp5", {"accumulator_bits": 25}, 2),
    ("ecp5", {"accumulator_bits": 24, "rounding": "single"}, 1),
    ("ecp5", {"accumulator_bits": 24, "multipliers_in_luts": True}, 0),
]
ADDERS = [
    ("xcup", {}, 3),
    ("xcup", {"rounding": "single"}, 2),
    ("xcup", {"multipliers_in_luts": True}, 0),
    ("xc7", {}, 3),
    ("ecp5", {"rounding": "single"}, 3),
]


def count_dsps(unit, family):
    """DSPs that Yosys maps a unit to."""
    return synthesize(convert(unit, name="accelerator"), family)["total"].get("dsp", 0)


@pytest.mark.parametrize(("family", "parameters", "dsps"), REQUANTIZERS)
def test_requantize(family, parameters, dsps):
    unit = Requantize(channels=1, pixels=2, operand_bits=OPERAND_BITS[family], **parameters)
    assert count_dsps(unit, family) == 2 * dsps


@pytest.mark.parametrize(("family", "parameters", "dsps"), ADDERS)
def test_residual(family, parameters, dsps):
    unit = ResidualAdd(
        channels=2, pixels=2, lanes=2, operand_bits=OPERAND_BITS[family], **parameters
    )
    assert count_dsps(unit, family) == 2 * dsps
