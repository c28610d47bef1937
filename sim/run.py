"""One picture through the RTL, as a whole network or block by block, and the report of it.

Rendering is elsewhere. The progress objects are those of `sim.rtl.run_network` and
`sim.rtl.run_blocks`.
"""

import dataclasses

from sim.classify import rank
from sim.images import crop_image, load_image, normalize, quantize_input
from sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from sim.models import load_float_model, load_model
from sim.report.limits import add_limits, block_limits, frame_limits
from sim.report.provenance import find_commit, find_versions
from sim.report.run_report import ClassRankings, FrameSequence, RunReport, Timeline
from sim.rtl.run_blocks import network_tasks, run_tasks
from sim.rtl.run_network import run_network
from sim.rtl.simulate import TIMELINE_CYCLES
from sim.rtl.toolchain import find_toolchain

__all__ = ["Descriptor", "network_descriptors", "run_bottlenecks", "run_frame"]


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
    *,
    config,
    memory,
    clock_hz,
    frames=1,
    waves_file=None,
    calibrating=None,
    progress=None,
):
    """Run the whole network on a picture, from image to logits.

    Parameters
    ----------
    path : Path
        The picture.
    config : hw.config.AcceleratorConfig
    memory : sim.rtl.simulate.MemoryModel
    clock_hz : float
        Clock that times are stated at.
    frames : int
        If 3 or more, so many frames are run too, one right behind the other.
    waves_file : Path, optional
        Waveform to write, of the single frame.
    calibrating : function of (done, total), optional
        Called during the calibration that the first run needs.
    progress : object, optional
        See `sim.rtl.run_network.run_network`; its ``starting(descriptors)`` is called before,
        and ``repeating(cycles)`` before several frames, with the cycles they take about.

    Returns
    -------
    RunReport

    Raises
    ------
    UserError, SimulationError
        See `sim.rtl.run_network.run_network`.
    """
    # What lies there now is what runs.
    made_with = _made_with(path, config, memory, clock_hz)
    picture = load_image(path)                       # first: a bad picture costs no calibration
    float_model = load_float_model()
    float_input = normalize(crop_image(picture), float_model.input_normalization)
    model = load_model(progress=calibrating, float_model=float_model)
    tensors = model.run(quantize_input(float_input, model))
    network = model.network
    if progress:
        progress.starting(network_descriptors(network, config))
    run = run_network(
        model, tensors, config=config, memory=memory, waves_file=waves_file, progress=progress
    )
    sequence = None
    if frames > 1:
        if progress:
            progress.repeating(frames * run.cycles)
        several = run_network(
            model, tensors, config=config, memory=memory, frames=frames, progress=progress
        )
        sequence = FrameSequence(
            ends=several.frame_ends,
            macs=network.macs,
            multipliers=config.multipliers,
            dram_bytes=several.read_bytes + several.write_bytes,
        )
    float_logits = float_model.folded().run(float_input)["classifier"].reshape(-1)
    classes = ClassRankings(
        float_top=rank(float_logits),
        golden_top=rank(model.logits(tensors)),
        rtl_top=rank(model.logits({"logits_accumulator": run.accumulators})),
    )
    return RunReport(
        mode="network",
        layers=run.layers,
        block_limits=tuple(block_limits(block) for block in network.blocks),
        limits=frame_limits(network),
        wall_seconds=run.seconds,
        classes=classes,
        timeline=Timeline(TIMELINE_CYCLES, tuple(map(tuple, run.timeline.tolist()))),
        frames=sequence,
        **made_with,
    )


def run_bottlenecks(
    path,
    chosen,
    *,
    config,
    memory,
    clock_hz,
    jobs,
    waves_folder=None,
    calibrating=None,
    progress=None,
):
    """Run bottlenecks on a picture's own activations, each from memory to memory.

    Parameters
    ----------
    path, config, memory, clock_hz, calibrating
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
    RunReport

    Raises
    ------
    UserError, SimulationError
        See `sim.rtl.run_blocks.run_tasks`.
    """
    # What lies there now is what runs.
    made_with = _made_with(path, config, memory, clock_hz)
    picture = load_image(path)                       # first: a bad picture costs no calibration
    float_model = load_float_model()
    float_input = normalize(crop_image(picture), float_model.input_normalization)
    model = load_model(progress=calibrating, float_model=float_model)
    tasks = network_tasks(model, model.run(quantize_input(float_input, model)))
    tasks = [tasks[number - 1] for number in chosen]
    if progress:
        progress.starting([task.block for task in tasks])
    results = run_tasks(
        tasks, config=config, memory=memory, jobs=jobs, waves_folder=waves_folder, progress=progress
    )
    limits = tuple(block_limits(task.block) for task in tasks)
    return RunReport(
        mode="blocks",
        layers=tuple(results),
        block_limits=limits,
        limits=add_limits(limits),
        wall_seconds=progress.simulation_seconds if progress else 0.0,
        **made_with,
    )


def _made_with(path, config, memory, clock_hz):
    """Fields of a report that do not depend on what was run."""
    return {
        "image": str(path),
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
