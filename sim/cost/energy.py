"""Relative energy of a frame: counted operations and bits, times the energy of each from a table.

The table is of a chip, not of an FPGA: joules and watts would be wrong, so no figure has them. A
frame's energy is stated in multiples of what the same table gives for the network's products alone,
at 8 bits: it compares designs that compute the same network.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.operations import count_operations
from mnv2.sim.cost.unit_cost import Energies
from mnv2.sim.cost.unit_list import OPERATIONS
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml
from mnv2.sim.report.results import LayerResult

__all__ = ["ENERGIES", "Energy", "energy_per_operation", "frame_energy", "load_energies"]

TABLE = Path(__file__).with_name("energies.toml")

#: Entries of a table of energies.
ENERGIES = {
    "multiply_8x8": "of an 8-bit multiplication",
    "multiply_32x32": "of a 32-bit multiplication",
    "add_32": "of a 32-bit addition",
    "memory_bit": "of a bit of on-chip memory, read or written",
    "dram_bit": "of a bit of external memory, read or written",
}


@dataclass(frozen=True)
class Energy:
    """Relative energy of a frame.

    Attributes
    ----------
    by_operation : dict of str to float
        By the names of `mnv2.sim.cost.unit_list.OPERATIONS`, in multiples of the energy of the
        network's products at 8 bits.
    """

    by_operation: Mapping[str, float] = field(hash=False)

    @property
    def total(self) -> float:
        """Sum over all operations."""
        return sum(self.by_operation.values())


def load_energies(path: str | Path | None = None) -> dict[str, float]:
    """Read a table of energies.

    Parameters
    ----------
    path : Path, optional
        TOML with some or all of `ENERGIES`, in picojoules; those left out are as in
        `energies.toml`, which is the default.

    Returns
    -------
    dict of str to float
        Joules, by the names of `ENERGIES`.

    Raises
    ------
    UserError
        If it cannot be read, a name is unknown or a value is no energy.
    """
    table = dict(_read(TABLE))
    if path is not None:
        table |= _read(Path(path).expanduser())
    return {name: value * 1e-12 for name, value in table.items()}


@functools.cache
def _read(path):
    table = read_toml(path, "table of energies")
    for name, value in table.items():
        if name not in ENERGIES:
            raise UserError(
                f"There is no energy {name!r} in a table of energies, as {str(path)!r} "
                f"has it; there are {', '.join(ENERGIES)}"
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
            or value < 0
        ):
            raise UserError(
                f"The energy {name} in {str(path)!r} must be 0 or more picojoules, not {value!r}"
            )
        if name == "multiply_8x8" and value == 0:
            raise UserError(
                f"The energy {name} in {str(path)!r} must be more than 0, since all others are "
                "stated in multiples of it"
            )
    return table


def frame_energy(
    layers: Sequence[LayerResult],
    config: AcceleratorConfig,
    energies: Energies,
    *,
    network: Network,
) -> Energy:
    """Relative energy of a frame.

    Parameters
    ----------
    layers : sequence of mnv2.sim.report.results.LayerResult
        All layers of the network, from a run or predicted.
    config : mnv2.hw.config.AcceleratorConfig
    energies : dict of str to float
        As of `load_energies`.
    network : mnv2.golden.network.Network
        The network of these layers.

    Returns
    -------
    Energy
    """
    each = energy_per_operation(config, energies)
    counts = count_operations(layers, config, network)
    products = config.frames * network.macs * energies["multiply_8x8"]
    return Energy({name: count * each[name] / products for name, count in counts.items()})


def energy_per_operation(config: AcceleratorConfig, energies: Energies) -> dict[str, float]:
    """Joules of one of each of `mnv2.sim.cost.unit_list.OPERATIONS`."""
    return {name: operation.energy(config, energies) for name, operation in OPERATIONS.items()}
