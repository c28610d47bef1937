"""Runs of pictures in RTL, which predictions are compared with."""

from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.rtl.abreast import each_frame
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.run_network import run_network

__all__ = ["measure_network"]


def measure_network(
    model,
    given,
    memories,
    *,
    config,
    turns=1,
    cycles=0,
    memory_sources=None,
    progress: FrameProgress | None = None,
):
    """Run a picture, or two abreast, through the whole network in RTL, once with each memory.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    given : mnv2.sim.networks.inputs.ModelInput, or sequence of them
        One for each frame abreast.
    memories : sequence of mnv2.sim.rtl.memory_model.MemoryModel
    config : mnv2.hw.config.AcceleratorConfig
    turns : int
        See `mnv2.sim.rtl.run_network.run_network`.
    cycles : int
        Estimate for all turns, for the progress of several.
    memory_sources : function, optional
        See `mnv2.sim.rtl.simulate.build_accelerator`.
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
    tensors = [model.integer.run(one.integer) for one in each_frame(given, config)]
    runs = []
    for number, memory in enumerate(memories):
        if progress:
            if len(memories) > 1:
                progress.name_run(f"Seed {memory.seed}, {number + 1} of {len(memories)}")
            progress.starting(program_steps(model.network, config))
            if turns > 1:
                progress.repeating(cycles)
        runs.append(
            run_network(
                model.integer,
                tensors,
                config=config,
                memory=memory,
                turns=turns,
                memory_sources=memory_sources,
                progress=progress,
            )
        )
    return runs
