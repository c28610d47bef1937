"""A mark of tests that need the simulated SoC, and the machine that they share."""

import importlib.util
from functools import cache

import pytest

from mnv2.sim.dram.core import PACKAGES
from mnv2.sim.errors import UserError
from mnv2.sim.system.firmware import find_compiler
from mnv2.sim.system.run import make_machine
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of

__all__ = ["CONFIG", "NAME", "PART", "PICTURES", "machine", "needs_litex", "needs_soc"]

PART = "ddr3-800x16"
#: As wide as a word of the memory.
NAME = "beats of 128 bits"
CONFIG = CONFIGS[NAME]
PICTURES = 2


def _missing():
    """A sentence about what the SoC needs and is not there; None if all is."""
    modules = (*PACKAGES, "pythondata_cpu_vexriscv")
    if any(importlib.util.find_spec(module) is None for module in modules):
        return "LiteX and VexRiscv are not installed: pip install 'mnv2[litex]'"
    try:
        find_compiler()
    except UserError as error:
        return str(error)
    return None


needs_litex = pytest.mark.skipif(
    any(importlib.util.find_spec(module) is None for module in PACKAGES),
    reason="LiteX is not installed: pip install 'mnv2[litex]'",
)
needs_soc = pytest.mark.skipif(_missing() is not None, reason=_missing() or "")


@cache
def machine():
    """The SoC of a small accelerator with a small network and two pictures."""
    model, program = made_program(NAME)
    return make_machine(model, program, CONFIG, pictures_of(NAME, PICTURES), PART)
