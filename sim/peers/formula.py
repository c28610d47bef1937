"""SCALE-Sim's closed form, compared with SCALE-Sim itself."""

import time

from mnv2.sim.peers.peer_table import PeerRow
from mnv2.sim.report.systolic_formula import scale_sim_cycles, systolic_array

__all__ = ["formula_agreement", "formula_row"]


def formula_row(network, config):
    """The formula's row.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    PeerRow
        Without bytes, which the formula does not give.
    """
    rows, columns = systolic_array(config)
    start = time.perf_counter()
    cycles = {layer.name: scale_sim_cycles(layer, rows, columns) for layer in network.layers}
    seconds = time.perf_counter() - start
    return PeerRow(
        name="scale-sim-formula",
        tool="SCALE-Sim's formula",
        label="",
        untold="",
        array=f"{rows} x {columns}, weight-stationary",
        memory="no memory",
        mapping="depthwise as one filter over all channels",
        multipliers=rows * columns,
        cycles=sum(cycles.values()),
        seconds=seconds,
        depthwise_cycles=sum(cycles[block.depthwise.name] for block in network.blocks),
    )


def formula_agreement(network, config, answer):
    """Number of layers on which the formula equals SCALE-Sim.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    answer : Answer or None
        SCALE-Sim's without waits, depthwise as one filter.

    Returns
    -------
    dict or None
        ``equal`` and ``of``, counts of layers, and ``unequal``, names. None if SCALE-Sim gave no
        answer.
    """
    if answer is None or answer.failure:
        return None
    said = {layer.name: layer.cycles for layer in answer.layers}
    layers = [layer for layer in network.layers if layer.kind != "pool"]
    unequal = [
        layer.name
        for layer in layers
        if said.get(layer.name) != scale_sim_cycles(layer, *systolic_array(config))
    ]
    return {"equal": len(layers) - len(unequal), "of": len(layers), "unequal": unequal}
