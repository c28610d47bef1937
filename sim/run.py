"""A picture, or two abreast, through the RTL, as a whole network or block by block; the report.

Rendering is elsewhere.
"""

import dataclasses

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.cost.energy import frame_energy, load_energies
from mnv2.sim.jobs.progress import BlocksProgress, FrameProgress
from mnv2.sim.mapping.ideal import program_steps
from mnv2.sim.networks.golden_run import run_golden
from mnv2.sim.networks.inputs import preparation_words
from mnv2.sim.networks.outputs import dump_tensors, fully_connected_note
from mnv2.sim.networks.ranking import rank
from mnv2.sim.report.limits import add_limits, block_limits, frame_limits
from mnv2.sim.report.provenance import made_with
from mnv2.sim.report.run_report import ClassRankings, FrameSequence, RunReport, Timeline
from mnv2.sim.report.systolic_formula import estimate_layers
from mnv2.sim.rtl.abreast import each_frame
from mnv2.sim.rtl.check import check_formats
from mnv2.sim.rtl.run_blocks import network_tasks, run_tasks
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.simulate import TIMELINE_CYCLES
from mnv2.sim.rtl.toolchain import find_toolchain
from mnv2.sim.rtl.waveform.request import Waves

__all__ = ["RunResult", "run_bottlenecks", "run_frame"]


@dataclasses.dataclass(frozen=True, eq=False)
class RunResult:
    """The result of a run.

    Attributes
    ----------
    report : mnv2.sim.report.run_report.RunReport
    tensors : dict of str to array
        Made by the hardware, and by the host from that: a dump, see
        `mnv2.sim.networks.outputs.dump_tensors`. Of the first picture.
    note : str or None
        See `mnv2.sim.networks.outputs.fully_connected_note`.
    second_tensors : dict of str to array or None
        Those of the second picture of two that were computed abreast.
    """

    report: RunReport
    tensors: dict[str, np.ndarray]
    note: str | None = None
    second_tensors: dict[str, np.ndarray] | None = None

    __repr__ = short_repr


def run_frame(
    model,
    given,
    *,
    config,
    memory,
    clock_hz,
    frames=1,
    waves: Waves | None = None,
    progress: FrameProgress | None = None,
):
    """Run the whole network on a picture, or on two abreast, from image to logits.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    given : mnv2.sim.networks.inputs.ModelInput, or sequence of them
        One for each frame abreast.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    clock_hz : float
        Clock that times are stated at.
    frames : int
        If 3 or more, that many back-to-back frames are run too; see
        `mnv2.sim.report.run_report.check_frames`.
    waves : Waves, optional
        Waveform to write, of the single frame.
    progress : FrameProgress, optional

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `mnv2.sim.rtl.run_network.run_network`.
    """
    # What lies there now is what runs.
    about = _made_with(given, model, config, memory, clock_hz)
    integer, network = model.integer, model.network
    check_formats(integer, config)
    pictures = each_frame(given, config)
    goldens = [run_golden(model, picture) for picture in pictures]
    tensors = [golden.tensors for golden in goldens]
    if progress:
        progress.starting(program_steps(network, config))
    run = run_network(
        integer,
        tensors,
        config=config,
        memory=memory,
        waves=waves,
        progress=progress,
    )
    sequence = None
    if frames > 1:
        turns = frames // config.frames
        if progress:
            progress.repeating(turns * run.cycles)
        several = run_network(
            integer, tensors, config=config, memory=memory, turns=turns, progress=progress
        )
        sequence = FrameSequence(
            ends=several.frame_ends,
            macs=config.frames * network.macs,
            multipliers=run.layers[0].multipliers,
            dram_bytes=several.read_bytes + several.write_bytes,
            abreast=config.frames,
        )
    classes = [
        _rankings(model, picture, golden, output)
        for picture, golden, output in zip(pictures, goldens, run.outputs, strict=True)
    ]
    report = RunReport(
        mode="network",
        layers=run.layers,
        block_limits=tuple(block_limits(block, config.frames) for block in network.blocks),
        limits=frame_limits(network, config.frames),
        wall_seconds=run.seconds,
        classes=classes[0],
        second_classes=classes[1] if config.frames > 1 else None,
        timeline=Timeline(TIMELINE_CYCLES, tuple(map(tuple, run.timeline.tolist()))),
        frames=sequence,
        scale_sim=estimate_layers(network.rows, config),
        energy=frame_energy(run.layers, config, load_energies(), network=network).by_operation,
        **about,
    )
    dumps = [dump_tensors(model, _made_tensors(network, output)) for output in run.outputs]
    return RunResult(report, dumps[0], _note(model, run.outputs), *dumps[1:])


def _rankings(model, given, golden, output):
    """Likeliest classes of a picture."""
    float_top = ()
    if model.float_model is not None:
        float_top = rank(
            model.float_model.folded().run(given.real)["classifier"].reshape(-1),
            names=model.class_names,
        )
    return ClassRankings(
        float_top=float_top,
        golden_top=golden.top(),
        rtl_top=rank(
            model.logits({"classifier": output.logits, "logits_accumulator": output.accumulators}),
            names=model.class_names,
        ),
    )


def _note(model, outputs):
    """How the logits of each picture differ from LiteRT's, if they may."""
    notes = [fully_connected_note(model, output.accumulators) for output in outputs]
    if len(notes) == 1 or notes[0] is None:
        return notes[0]
    return "\n".join(f"Picture {number}: {note}" for number, note in enumerate(notes, start=1))


def _made_tensors(network, output):
    """Tensors that the hardware made of a picture, under the names of the integer network."""
    made = {block.output_name: output.maps[block.name] for block in network.blocks}
    made["pool"] = output.maps["pool"]
    made["classifier"] = output.logits.reshape(1, 1, -1)
    made["logits_accumulator"] = output.accumulators.reshape(1, 1, -1)
    return made


def run_bottlenecks(
    model,
    given,
    chosen,
    *,
    config,
    memory,
    clock_hz,
    jobs,
    waves: Waves | None = None,
    progress: BlocksProgress | None = None,
):
    """Run bottlenecks on the own activations of one picture, or two, each from memory to memory.

    Parameters
    ----------
    model, given, config, memory, clock_hz
        As for `run_frame`.
    chosen : list of int
        Numbers of the bottlenecks, from 1.
    jobs : int
        Simulations at a time.
    waves : Waves, optional
        Waveforms to write, into a folder.
    progress : BlocksProgress, optional
        Its ``simulation_seconds`` are the report's.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `mnv2.sim.rtl.run_blocks.run_tasks`.
    """
    # What lies there now is what runs.
    about = _made_with(given, model, config, memory, clock_hz)
    check_formats(model.integer, config)
    pictures = each_frame(given, config)
    tasks = network_tasks(model.integer, [run_golden(model, one).tensors for one in pictures])
    tasks = [tasks[number - 1] for number in chosen]
    if progress:
        progress.starting([task.block for task in tasks])
    results = run_tasks(
        tasks, config=config, memory=memory, jobs=jobs, waves=waves, progress=progress
    )
    limits = tuple(block_limits(task.block, config.frames) for task in tasks)
    report = RunReport(
        mode="blocks",
        layers=tuple(measured for measured, _ in results),
        block_limits=limits,
        limits=add_limits(limits),
        scale_sim=estimate_layers([task.block for task in tasks], config),
        wall_seconds=progress.simulation_seconds if progress else 0.0,
        **about,
    )
    dumps = [
        dump_tensors(
            model,
            {
                task.block.output_name: outputs[number]
                for task, (_, outputs) in zip(tasks, results, strict=True)
            },
        )
        for number in range(config.frames)
    ]
    return RunResult(report, dumps[0], None, *dumps[1:])


def _made_with(given, model, config, memory, clock_hz):
    """Fields of a report that do not depend on what was run."""
    pictures = each_frame(given, config)
    paths = [picture.path or "" for picture in pictures]
    return {
        "preparation": preparation_words(model, pictures[0]),
        **made_with(paths[0], model.name, config, memory, find_toolchain(), *paths[1:]),
        "buffer_bytes": config.buffer_bytes,
        "port_bytes": config.data_bytes,
        "shared_bytes_per_cycle": memory.shared_bytes_per_cycle,
        "clock_hz": clock_hz,
        "seed": memory.seed,
    }
