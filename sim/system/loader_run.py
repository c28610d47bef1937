"""The simulated SoC without a CPU: built, and running with a serial line that a host can open."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.build import Build, build_simulation
from mnv2.sim.system.loader import TOP, Loader, make_loader
from mnv2.sim.system.soc import FOREIGN_WARNINGS

__all__ = ["BIT_CYCLES", "SimulatedBoard", "build_board"]

#: Cycles of a bit on the simulated serial line: few, as most of a simulation's time goes there.
BIT_CYCLES = 8

_CLOCK_HZ = 70_000_000
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class SimulatedBoard:
    """The SoC of an accelerator, its memory and its serial line.

    Attributes
    ----------
    loader : mnv2.sim.system.loader.Loader
    build : mnv2.sim.rtl.build.Build
    """

    loader: Loader
    build: Build

    @property
    def system(self) -> dict[str, Any]:
        """The content of ``system.json``."""
        return self.loader.system

    @contextlib.contextmanager
    def power(self, *, cycles: int) -> Iterator[str]:
        """Power it up, and off.

        Parameters
        ----------
        cycles : int
            After which it stops by itself.

        Yields
        ------
        str
            The serial device that a host opens.

        Raises
        ------
        SimulationError
            If it does not start.
        """
        command = [self.build.directory / TOP, f"+cycles={cycles}", f"+bit={BIT_CYCLES}"]
        with subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                word, _, line = process.stdout.readline().strip().partition(" ")
                if word != "line":
                    raise SimulationError("The simulated board has no serial line")
                yield line
            finally:
                # It ends by itself once the host has closed the line, if one was there.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
                process.kill()


def build_board(config, memory_bytes: int, *, fast=False, building=None) -> SimulatedBoard:
    """Build the simulation of the SoC of an accelerator, or find it.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    memory_bytes : int
        That are needed.
    fast, building
        See `mnv2.sim.rtl.build.build_simulation`.

    Returns
    -------
    SimulatedBoard

    Raises
    ------
    UserError
        If a package or a tool is missing.
    SimulationError
        If LiteX or Verilator fails.
    """
    loader = make_loader(config, _CLOCK_HZ, _CLOCK_HZ // BIT_CYCLES, memory_bytes=memory_bytes)
    off, on = (
        "".join(f"/* verilator lint_{way} {one} */\n" for one in FOREIGN_WARNINGS)
        for way in ("off", "on")
    )
    build = build_simulation(
        {f"{TOP}.v": f"{off}{loader.verilog}\n{on}", "accelerator.v": loader.accelerator},
        TOP,
        main=(_FOLDER / "loader_bench.cpp").read_text(),
        asserts=False,
        fast=fast,
        building=building,
        cocotb=False,
    )
    return SimulatedBoard(loader, build)
