"""MobileNetV2 in integers and in RTL: the public interface of the project.

Every function takes and returns the project's own records; ``help(mnv2.predict)`` and the like
show an example each. Records print in one line, and their fields are documented in their classes.

    >>> import mnv2
    >>> network = mnv2.mobilenet_v2(width=0.35, input_size=96)
    >>> for preset in ("small", "base", "large"):
    ...     prediction = mnv2.predict(network, mnv2.load_configuration(preset))
    ...     print(f"{preset:5} {prediction.frames_per_second:5.0f} frames/s")
    small  1300 frames/s
    base   1794 frames/s
    large  7055 frames/s

Importing `mnv2` loads none of the packages that it needs: each name is loaded when it is first
used. Where many forward passes run at once, set ``OPENBLAS_NUM_THREADS=1`` before numpy is loaded,
as the command line does: small layers gain nothing from a second thread.

What a user can correct raises `UserError` with one sentence; hardware that differs from the golden
model, or a simulation that fails, raises `SimulationError`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnv2.golden.network import mobilenet_v2
    from mnv2.interface import cost, explore, predict, program, run_rtl, sweep, verilog
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.errors import SimulationError, UserError
    from mnv2.sim.explore.request import SearchRequest
    from mnv2.sim.explore.space import choose_space
    from mnv2.sim.networks.classify import classify
    from mnv2.sim.networks.compare import compare_dumps
    from mnv2.sim.networks.dumps import read_dump
    from mnv2.sim.networks.export import encode_model
    from mnv2.sim.networks.golden_run import run_golden
    from mnv2.sim.networks.input_files import read_picture
    from mnv2.sim.networks.inputs import load_input
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.rtl.memory_model import MemoryModel
    from mnv2.sim.sweep.request import SweepRequest

    __version__: str

__all__ = [
    "MemoryModel",
    "SearchRequest",
    "SimulationError",
    "SweepRequest",
    "UserError",
    "__version__",
    "choose_space",
    "classify",
    "compare_dumps",
    "cost",
    "encode_model",
    "explore",
    "load_configuration",
    "load_input",
    "mobilenet_v2",
    "open_model",
    "predict",
    "program",
    "read_dump",
    "read_picture",
    "run_golden",
    "run_rtl",
    "sweep",
    "verilog",
]

#: Module of each name.
_HOMES = {
    "MemoryModel": "mnv2.sim.rtl.memory_model",
    "SearchRequest": "mnv2.sim.explore.request",
    "SimulationError": "mnv2.sim.errors",
    "SweepRequest": "mnv2.sim.sweep.request",
    "UserError": "mnv2.sim.errors",
    "choose_space": "mnv2.sim.explore.space",
    "classify": "mnv2.sim.networks.classify",
    "compare_dumps": "mnv2.sim.networks.compare",
    "cost": "mnv2.interface",
    "encode_model": "mnv2.sim.networks.export",
    "explore": "mnv2.interface",
    "load_configuration": "mnv2.sim.configuration",
    "load_input": "mnv2.sim.networks.inputs",
    "mobilenet_v2": "mnv2.golden.network",
    "open_model": "mnv2.sim.networks.open",
    "predict": "mnv2.interface",
    "program": "mnv2.interface",
    "read_dump": "mnv2.sim.networks.dumps",
    "read_picture": "mnv2.sim.networks.input_files",
    "run_golden": "mnv2.sim.networks.golden_run",
    "run_rtl": "mnv2.interface",
    "sweep": "mnv2.interface",
    "verilog": "mnv2.interface",
}


if not TYPE_CHECKING:  # checkers see the imports above, and so which names there are not

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used."""
        if name == "__version__":
            from importlib.metadata import version

            value = version("mnv2")
        elif name in _HOMES:
            value = getattr(importlib.import_module(_HOMES[name]), name)
        else:
            raise AttributeError(f"module 'mnv2' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
