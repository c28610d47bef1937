"""One picture through the RTL, however often, for the model to be held to."""

import dataclasses

from sim.report.provenance import find_commit, find_versions
from sim.rtl.run_network import run_network
from sim.rtl.toolchain import find_toolchain
from sim.run import check_formats, network_descriptors

__all__ = ["made_with", "measure_network"]


def measure_network(model, given, memories, *, config, frames=1, cycles=0, progress=None):
    """Run a picture through the whole network in RTL, once beside each memory.

    Parameters
    ----------
    model : sim.models.RunnableModel
    given : sim.inputs.ModelInput
    memories : sequence of sim.rtl.memory_model.MemoryModel
    config : hw.config.AcceleratorConfig
    frames : int
        See `sim.rtl.run_network.run_network`.
    cycles : int
        That the frames take about, for the progress of several.
    progress : object, optional
        See `sim.run.run_frame`; its ``seed(seed, done, total)`` is called before each of several
        memories.

    Returns
    -------
    list of sim.rtl.run_network.NetworkRun

    Raises
    ------
    UserError, SimulationError
        See `sim.rtl.run_network.run_network`.
    """
    check_formats(model.integer, config)
    tensors = model.integer.run(given.integer)
    runs = []
    for number, memory in enumerate(memories):
        if progress:
            progress.starting(network_descriptors(model.network, config))
            if frames > 1:
                progress.repeating(cycles)
            if len(memories) > 1:
                progress.seed(memory.seed, number, len(memories))
        runs.append(run_network(model.integer, tensors, config=config, memory=memory,
                                frames=frames, progress=progress))
    return runs


def made_with(path, model, config, memory):
    """What a validation was made with, by name."""
    return {"image": str(path), "model": model.name, "configuration": dataclasses.asdict(config),
            "memory": dataclasses.asdict(memory), "versions": find_versions(find_toolchain()),
            "commit": find_commit()}
