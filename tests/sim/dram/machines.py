"""A mark of tests that need LiteDRAM's RTL."""

import importlib.util

import pytest

from mnv2.sim.dram.core import PACKAGES

__all__ = ["needs_litedram"]

needs_litedram = pytest.mark.skipif(
    any(importlib.util.find_spec(package) is None for package in PACKAGES),
    reason="LiteDRAM is not installed: pip install 'mnv2[dram]'",
)
