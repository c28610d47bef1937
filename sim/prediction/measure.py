"""Runs of one picture in RTL, which predictions are compared with."""

import dataclasses

from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.report.provenance import find_commit, find_versions
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.toolchain import find_toolchain

__all__ = ["made_with", "measure_network"]


def measure_network(model, given, memories, *, config, frames=1, cycles=0, progress=None):
    """Run a picture through the whole network in RTL, once with each memory.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    given : mnv2.sim.networks.inputs.ModelInput
    memories : sequence of mnv2.sim.rtl.memory_model.MemoryModel
    config : mnv2.hw.config.AcceleratorConfig
    frames : int
        See `mnv2.sim.rtl.run_network.run_network`.
    cycles : int
        Estimate for the frames, for the progress of several.
    progress : object, optional
        See `mnv2.sim.run.run_frame`; its ``seed(seed, done, total)`` is called before each of
        several memories.

    Returns
    -------
    list of mnv2.sim.rtl.run_network.NetworkRun

    Raises
    ------
    UserError, SimulationError
        See `mnv2.sim.rtl.run_network.run_network`.
    """
    check_formats(model.integer, config)
    tensors = model.integer.run(given.integer)
    runs = []
    for number, memory in enumerate(memories):
        if progress:
            progress.starting(program_steps(model.network, config))
            if frames > 1:
                progress.repeating(cycles)
            if len(memories) > 1:
                progress.seed(memory.seed, number, len(memories))
        runs.append(
            run_network(
                model.integer,
                tensors,
                config=config,
                memory=memory,
                frames=frames,
                progress=progress,
            )
        )
    return runs


def made_with(path, model, config, memory):
    """Configuration, memory, versions and commit of a validation, by name."""
    return {
        "image": str(path),
        "model": model.name,
        "configuration": dataclasses.asdict(config),
        "memory": dataclasses.asdict(memory),
        "versions": find_versions(find_toolchain()),
        "commit": find_commit(),
    }
