"""Runs of one picture in RTL, which predictions are compared with."""

from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.run_network import run_network

__all__ = ["measure_network"]


def measure_network(
    model, given, memories, *, config, frames=1, cycles=0, progress: FrameProgress | None = None
):
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
    progress : FrameProgress, optional

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
            if len(memories) > 1:
                progress.name_run(f"Seed {memory.seed}, {number + 1} of {len(memories)}")
            progress.starting(program_steps(model.network, config))
            if frames > 1:
                progress.repeating(cycles)
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
