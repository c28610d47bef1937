"""One picture through the RTL, as a whole network or block by block, and the report of it.

Rendering is elsewhere. The progress objects are those of `sim.rtl.run_network` and
`sim.rtl.run_blocks`.
"""

import dataclasses

from sim.classify import rank
from sim.errors import UserError
from sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from sim.outputs import dump_tensors, fully_connected_note
from sim.report.limits import add_limits, block_limits, frame_limits
from sim.report.provenance import find_commit, find_versions
from sim.report.run_report import ClassRankings, FrameSequence, RunReport, Timeline
from sim.report.scale_sim import estimate_layers
from sim.rtl.run_blocks import network_tasks, run_tasks
from sim.rtl.run_network import run_network
from sim.rtl.simulate import TIMELINE_CYCLES
from sim.rtl.toolchain import find_toolchain

__all__ = ["Descriptor", "RunResult", "network_descriptors", "run_bottlenecks", "run_frame"]


@dataclasses.dataclass(frozen=True, eq=False)
class RunResult:
    """What a run gave.

    Attributes
    ----------
    report : sim.report.run_report.RunReport
    tensors : dict of str to array
        What the hardware made, and the host of it: a dump, see `sim.outputs.dump_tensors`.
    note : str or None
        See `sim.outputs.fully_connected_note`.
    """

    report: RunReport
    tensors: dict
    note: str | None = None


@dataclasses.dataclass(frozen=True)
class Descriptor:
    """A part of a network's program, as progress shows it.

    Attributes
    ----------
    name : str
        What the accelerator works on.
    ideal_cycles : int
        See `sim.mapping.ideal`.
    """

    name: str
    ideal_cycles: int


def network_descriptors(network, config):
    """Descriptors of a network's program, in order; the stem comes with the first block.

    Parameters
    ----------
    network : golden.network.Network
    config : hw.config.AcceleratorConfig

    Returns
    -------
    list of Descriptor
    """
    first, *others = network.blocks
    stem = ideal_stem_cycles(network.stem, config) + ideal_block_cycles(first, config)
    return [
        Descriptor("stem and block1", stem),
        *(Descriptor(block.name, ideal_block_cycles(block, config)) for block in others),
        Descriptor("head", ideal_pointwise_cycles(network.head, config)),
        Descriptor("classifier", ideal_pointwise_cycles(network.classifier, config)),
    ]


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
    model : sim.models.RunnableModel
    given : sim.inputs.ModelInput
        What is in the picture.
    config : hw.config.AcceleratorConfig
    memory : sim.rtl.memory_model.MemoryModel
    clock_hz : float
        Clock that times are stated at.
    frames : int
        If 3 or more, so many frames are run too, one right behind the other.
    waves_file : Path, optional
        Waveform to write, of the single frame.
    progress : object, optional
        See `sim.rtl.run_network.run_network`; its ``starting(descriptors)`` is called before,
        and ``repeating(cycles)`` before several frames, with the cycles they take about.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `sim.rtl.run_network.run_network`.
    """
    # What lies there now is what runs.
    made_with = _made_with(path, model, config, memory, clock_hz)
    integer, network = model.integer, model.network
    check_formats(integer, config)
    tensors = integer.run(given.integer)
    if progress:
        progress.starting(network_descriptors(network, config))
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
        scale_sim=estimate_layers(
            (network.stem, *network.blocks, network.head, network.classifier), config
        ),
        **made_with,
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
        See `sim.rtl.run_blocks.run_tasks`; its ``starting(blocks)`` is called before, and its
        ``simulation_seconds`` is read behind.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError, SimulationError
        See `sim.rtl.run_blocks.run_tasks`.
    """
    # What lies there now is what runs.
    made_with = _made_with(path, model, config, memory, clock_hz)
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
        **made_with,
    )
    made = {
        task.block.output_name: output for task, (_, output) in zip(tasks, results, strict=True)
    }
    return RunResult(report, dump_tensors(model, made))


def check_formats(integer, config):
    """Refuse an integer network in a format that the accelerator does not have.

    Parameters
    ----------
    integer : golden.model.QuantizedModel
    config : hw.config.AcceleratorConfig

    Raises
    ------
    UserError
        Naming the layer, its bits and the accelerator's.
    """
    adds = [block.add for block in integer.blocks if block.add is not None]
    for record in (*integer.layers, *adds, integer.pool):
        arithmetic = record.arithmetic
        if arithmetic.rounding != "double" or arithmetic.accumulator_bits != 32:
            raise UserError(
                f"The accelerator rounds twice and accumulates in 32 bits, but {record.name} has "
                f"rounding {arithmetic.rounding} and {arithmetic.accumulator_bits} bits"
            )
        for what, there in (
            ("weight_bits", config.weight_bits),
            ("activation_bits", config.activation_bits),
        ):
            bits = getattr(record, what, 0)
            if bits > there:
                raise UserError(
                    f"{record.name} has {what} {bits}, but the accelerator {there}: change it "
                    f"with --set {what}={bits}, which may be 4 to 8"
                )


def _made_with(path, model, config, memory, clock_hz):
    """Fields of a report that do not depend on what was run."""
    return {
        "image": str(path),
        "model": model.name,
        "configuration": dataclasses.asdict(config),
        "memory": dataclasses.asdict(memory),
        "buffer_bytes": config.buffer_bytes,
        "port_bytes": config.data_bytes,
        "shared_bytes_per_cycle": memory.bytes_per_cycle,
        "clock_hz": clock_hz,
        "seed": memory.seed,
        "versions": find_versions(find_toolchain()),
        "commit": find_commit(),
    }
