"""`axi_monitor.sv`, which watches the memory port in every bench, and what it is told."""

from pathlib import Path

from mnv2.hw.config import WRITE_OUTSTANDING
from mnv2.hw.register_map import Status

__all__ = ["monitor_arguments", "monitor_sources"]


def monitor_sources():
    """Text by file name."""
    path = Path(__file__).with_name("axi_monitor.sv")
    return {path.name: path.read_text()}


def monitor_arguments(config):
    """Parameters of a bench with the monitor in it: what a configuration promises of its bursts.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of str
        Verilator's arguments.
    """
    return (
        f"-GBURST_BEATS={config.burst_beats}",
        f"-GREAD_BURSTS={config.outstanding}",
        f"-GWRITE_BURSTS={WRITE_OUTSTANDING}",
        f"-GRUNNING={Status.RUNNING.value}",
    )
