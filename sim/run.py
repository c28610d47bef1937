"""One picture through the RTL, as a whole network or block by block, and the report of it.

Rendering is elsewhere. The progress objects are those of `mnv2.sim.rtl.run_network` and
`mnv2.sim.rtl.run_blocks`.
"""

import dataclasses

from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.networks.classify import rank
from mnv2.sim.networks.outputs import dump_tensors, fully_connected_note
from mnv2.sim.report.limits import add_limits, block_limits, frame_limits
from mnv2.sim.report.provenance import made_with
from mnv2.sim.report.run_report import ClassRankings, FrameSequence, RunReport, Timeline
from mnv2.sim.report.scale_sim import estimate_layers
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.run_blocks import network_tasks, run_tasks
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.simulate import TIMELINE_CYCLES
from mnv2.sim.rtl.toolchain import find_toolchain

__all__ = ["RunResult", "run_bottlenecks", "run_frame"]


@dataclasses.dataclass(frozen=True, eq=False)
class RunResult:
    """What a run gave.

    Attributes
    ----------
    report : mnv2.sim.report.run_report.RunReport
    tensors : dict of str to array
        What the hardware made, and the host of it: a dump, see
        `mnv2.sim.networks.outputs.dump_tensors`.
    note : str or None
        See `mnv2.sim.networks.outputs.fully_connected_note`.
    """

    report: RunReport
    tensors: dict
    note: str | None = None


def run_frame(
    path,
    model,
    given,
    *,
    config,
    memory,
    clock_hz,
    frames=1,
    waves_file=None,
    progress=None,
):
    """Run the whole network on a picture, from image to logits.

    Parameters
    ----------
    path : Path
        The picture, for the report.
    model : mnv2.sim.networks.open.RunnableModel
    given : mnv2.sim.networks.inputs.ModelInput
        What is in the picture.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    clock_hz : float
        Clock that times are stated at.
    frames : int
        If 3 or more, so many frames are run too, one right behind the other.
    waves_file : Path, optional
        Waveform to write, of the single frame.
    progress : object, optional
        See `mnv2.sim.rtl.run_network.run_network`; its ``starting(descriptors)`` is called before,
        and ``repeating(cycles)`` before several frames, with the cycles they take about.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `mnv2.sim.rtl.run_network.run_network`.
    """
    # What lies there now is what runs.
    about = _made_with(path, model, config, memory, clock_hz)
    integer, network = model.integer, model.network
    check_formats(integer, config)
    tensors = integer.run(given.integer)
    if progress:
        progress.starting(program_steps(network, config))
    run = run_network(
        integer, tensors, config=config, memory=memory, waves_file=waves_file, progress=progress
    )
    sequence = None
    if frames > 1:
        if progress:
            progress.repeating(frames * run.cycles)
        several = run_network(
            integer, tensors, config=config, memory=memory, frames=frames, progress=progress
        )
        sequence = FrameSequence(
            ends=several.frame_ends,
            macs=network.macs,
            multipliers=run.layers[0].multipliers,
            dram_bytes=several.read_bytes + several.write_bytes,
        )
    float_top = ()
    if model.float_model is not None:
        float_top = rank(model.float_model.folded().run(given.real)["classifier"].reshape(-1))
    classes = ClassRankings(
        float_top=float_top,
        golden_top=rank(integer.logits(tensors)),
        rtl_top=rank(integer.logits({"logits_accumulator": run.accumulators})),
    )
    report = RunReport(
        mode="network",
        layers=run.layers,
        block_limits=tuple(block_limits(block) for block in network.blocks),
        limits=frame_limits(network),
        wall_seconds=run.seconds,
        classes=classes,
        timeline=Timeline(TIMELINE_CYCLES, tuple(map(tuple, run.timeline.tolist()))),
        frames=sequence,
        scale_sim=estimate_layers(network.rows, config),
        **about,
    )
    made = {block.output_name: run.maps[block.name] for block in network.blocks}
    made["pool"] = run.maps["pool"]
    made["classifier"] = run.logits.reshape(1, 1, -1)
    made["logits_accumulator"] = run.accumulators.reshape(1, 1, -1)
    return RunResult(
        report, dump_tensors(model, made), fully_connected_note(model, run.accumulators)
    )


def run_bottlenecks(
    path,
    model,
    given,
    chosen,
    *,
    config,
    memory,
    clock_hz,
    jobs,
    waves_folder=None,
    progress=None,
):
    """Run bottlenecks on a picture's own activations, each from memory to memory.

    Parameters
    ----------
    path, model, given, config, memory, clock_hz
        As for `run_frame`.
    chosen : list of int
        Numbers of the bottlenecks, from 1.
    jobs : int
        Simulations at a time.
    waves_folder : Path, optional
        Where waveforms are written, if they are.
    progress : object, optional
        See `mnv2.sim.rtl.run_blocks.run_tasks`; its ``starting(blocks)`` is called before, and its
        ``simulation_seconds`` is read behind.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `mnv2.sim.rtl.run_blocks.run_tasks`.
    """
    # What lies there now is what runs.
    about = _made_with(path, model, config, memory, clock_hz)
    check_formats(model.integer, config)
    tasks = network_tasks(model.integer, model.integer.run(given.integer))
    tasks = [tasks[number - 1] for number in chosen]
    if progress:
        progress.starting([task.block for task in tasks])
    results = run_tasks(
        tasks, config=config, memory=memory, jobs=jobs, waves_folder=waves_folder, progress=progress
    )
    limits = tuple(block_limits(task.block) for task in tasks)
    report = RunReport(
        mode="blocks",
        layers=tuple(measured for measured, _ in results),
        block_limits=limits,
        limits=add_limits(limits),
        scale_sim=estimate_layers([task.block for task in tasks], config),
        wall_seconds=progress.simulation_seconds if progress else 0.0,
        **about,
    )
    made = {
        task.block.output_name: output for task, (_, output) in zip(tasks, results, strict=True)
    }
    return RunResult(report, dump_tensors(model, made))


def _made_with(path, model, config, memory, clock_hz):
    """Fields of a report that do not depend on what was run."""
    return {
        **made_with(path, model.name, config, memory, find_toolchain()),
        "buffer_bytes": config.buffer_bytes,
        "port_bytes": config.data_bytes,
        "shared_bytes_per_cycle": memory.bytes_per_cycle,
        "clock_hz": clock_hz,
        "seed": memory.seed,
    }
