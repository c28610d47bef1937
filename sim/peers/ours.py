"""Figures of the accelerator itself: measured by a run in RTL, and predicted by its model."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.peers.peer_table import PeerRow

__all__ = ["Measured", "our_row", "read_run", "run_ours"]


@dataclass(frozen=True)
class Measured:
    """Measurements of a run of the whole network.

    Attributes
    ----------
    cycles, depthwise_cycles, dram_bytes : int
        Of the frame; ``depthwise_cycles`` are those of work on 3x3 windows.
    seconds : float
        Wall time of the simulation, without its build.
    latency : int
        Cycles of the external memory.
    commit : str
    """

    cycles: int
    depthwise_cycles: int
    dram_bytes: int
    seconds: float
    latency: int
    commit: str


def read_run(folder, network, config):
    """A run's report, if it is one of this network on this accelerator.

    Parameters
    ----------
    folder : Path
        Output folder of ``mnv2 run``.
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    Measured

    Raises
    ------
    UserError
        If there is no report, or it is of something else.
    """
    path = folder / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        total, memory = report["total"], report["memory"]
        found = Measured(
            total["cycles"],
            total["depthwise_cycles"],
            total["dram_bytes"],
            report["wall_seconds"],
            memory["latency"],
            report["commit"],
        )
        steady = not memory["stall_percent"] and not memory["bytes_per_cycle"]
        same = (
            report["mode"] == "network"
            and total["macs"] == network.macs
            and report["configuration"] == asdict(config)
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"There is no report of a run in {folder}: make one with mnv2 run --output {folder}"
        ) from None
    if not same:
        raise UserError(
            f"The run in {folder} is not of the whole MobileNetV2 1.0/224 on this "
            "accelerator: repeat it with the same --config and --set"
        )
    if not steady:
        raise UserError(
            f"The memory of the run in {folder} pauses or is narrower than its port, "
            "which the tools cannot be told: repeat it without --stalls, --bandwidth"
        )
    return found


def run_ours(options, folder):
    """Run the whole network in RTL, with ``mnv2 run`` and its progress.

    Parameters
    ----------
    options : list of str
        Of ``mnv2 run``: those that choose the accelerator.
    folder : Path
        For the report.

    Raises
    ------
    SimulationError
        If the run fails; its message is on standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", "mnv2.sim.cli", "run", "chelsea", *options, "--output", str(folder)],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise SimulationError(f"mnv2 run ended with status {done.returncode}")


def our_row(network, config, latency):
    """The row of the project's own model, and the time it took.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    latency : int

    Returns
    -------
    PeerRow
    """
    start = time.perf_counter()
    rows = predict_network(network, config, latency=latency)
    seconds = time.perf_counter() - start
    return PeerRow(
        name="model",
        tool="mnv2 predict",
        label="",
        untold="",
        array=f"{config.outputs} x {config.inputs} x {config.pixels}",
        memory="its own memories",
        mapping="this project's model of the accelerator",
        multipliers=config.multipliers,
        cycles=sum(row.cycles for row in rows),
        depthwise_cycles=sum(row.depthwise_cycles for row in rows),
        dram_bytes=sum(row.dram_bytes for row in rows),
        seconds=seconds,
    )
