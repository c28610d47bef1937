"""Runs bottlenecks on the RTL one by one, each from memory to memory and held to golden."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.model import QuantizedBlock
from mnv2.golden.network import Block
from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.progress import BlocksProgress
from mnv2.sim.mapping.block_program import build_block_program
from mnv2.sim.mapping.ideal import ideal_block_cycles
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.mapping.tiling import DoesNotFit
from mnv2.sim.rtl.abreast import each_frame, frame_label, to_pack, unpack_frames
from mnv2.sim.rtl.check import check_counters, check_map
from mnv2.sim.rtl.deadline import block_deadline
from mnv2.sim.rtl.layer_result import layer_result, require_counters
from mnv2.sim.rtl.simulate import build_accelerator, memory_base, simulate
from mnv2.sim.rtl.waveform.request import Waves
from mnv2.sim.rtl.waveform.view import write_views

__all__ = ["BlockTask", "network_tasks", "run_block_task", "run_tasks"]


@dataclass(frozen=True, eq=False)
class BlockTask:
    """One block to run.

    Attributes
    ----------
    block : mnv2.golden.network.Block
        Shapes.
    quantized : mnv2.golden.quantized_block.QuantizedBlock
        Weights and parameters.
    activation : int8 [H, W, C], or sequence of them
        Input; of several frames abreast one for each.
    expected : int8 [H', W', C'], or sequence of them
        Output of golden.
    """

    __repr__ = short_repr

    block: Block
    quantized: QuantizedBlock
    activation: np.ndarray | Sequence[np.ndarray]
    expected: np.ndarray | Sequence[np.ndarray]


def network_tasks(model, tensors):
    """A task for each block of a network, with the activations of one forward pass.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    tensors : dict of str to int8 array, or sequence of them
        What `model.run` returned; of several frames abreast one for each.

    Returns
    -------
    list of BlockTask
    """
    pictures = [tensors] if isinstance(tensors, dict) else tensors
    tasks, name = [], "stem"
    for block, quantized in zip(model.network.blocks, model.blocks, strict=True):
        inputs, outputs = ([one[key] for one in pictures] for key in (name, block.output_name))
        tasks.append(BlockTask(block, quantized, inputs, outputs))
        name = block.output_name
    return tasks


def run_block_task(build, task, config, memory, *, waves: Waves | None = None):
    """Simulate one block and compare it with golden.

    Parameters
    ----------
    build : mnv2.sim.rtl.build.Build
        From `mnv2.sim.rtl.simulate.build_accelerator`, for this configuration.
    task : BlockTask
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    waves : Waves, optional
        Waveform to write.

    Returns
    -------
    (mnv2.sim.report.results.LayerResult, tuple of int8 [H, W, C])
        What was measured, and the block's output of each frame abreast.

    Raises
    ------
    Mismatch
        If an element differs.
    SimulationError
        If the program does not end, or the counters contradict each other.
    """
    block, expected = task.block, each_frame(task.expected, config)
    program = _program(task, config)
    ideal = ideal_block_cycles(block, config)
    result = simulate(
        build,
        program,
        places=place_run(program.memory_bytes, base=memory_base(config)),
        memory=memory,
        waves=waves,
        deadline=block_deadline(ideal, 2 * program.memory_bytes, config, memory),
    )
    if waves:
        write_views(waves, build)
    outputs = unpack_frames(result.output, program.output_shape, config)
    for number, (output, right) in enumerate(zip(outputs, expected, strict=True)):
        check_map(
            frame_label(block.name, number, config),
            output,
            right,
            memory,
            f"--blocks {block.name.removeprefix('block')}",
        )
    check_counters(result, config)
    (row,) = result.counters
    measured = layer_result(
        row["block"],
        config,
        name=block.name,
        kind="block",
        macs=block.macs,
        ideal_cycles=ideal,
        write_bytes=result.write_bytes,
        input_shape=block.input_shape,
        output_shape=block.output_shape,
        stride=block.stride,
        residual=block.residual,
    )
    return measured, outputs


def _program(task, config):
    """Program of a task, with the inputs of all frames abreast."""
    inputs = to_pack(each_frame(task.activation, config), config)
    return build_block_program(task.block, task.quantized, inputs, config)


def run_tasks(
    tasks,
    *,
    config,
    memory,
    jobs=2,
    waves: Waves | None = None,
    progress: BlocksProgress | None = None,
):
    """Simulate several blocks at a time.

    Parameters
    ----------
    tasks : list of BlockTask
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    jobs : int
        Simulations at a time.
    waves : Waves, optional
        A waveform of each block, into a folder.
    progress : BlocksProgress, optional
        Told of the build and of blocks that end; ``starting`` is its caller's to call.

    Returns
    -------
    list of (mnv2.sim.report.results.LayerResult, tuple of int8 [H, W, C])
        What was measured, and the block's output of each frame abreast, in the order of the tasks.

    Raises
    ------
    UserError
        If a block does not fit, differs from golden, or a tool is missing; or the accelerator
        counts nothing.
    SimulationError
        If a simulation fails otherwise.
    """
    require_counters(config)
    try:
        programs = [_program(task, config) for task in tasks]
    except DoesNotFit as error:
        raise UserError(error.advice) from None
    build = build_accelerator(
        config,
        waves=waves.scope if waves else None,
        memory_bytes=max(p.memory_bytes for p in programs),
        building=progress.building if progress else None,
        compiled=progress.compiled if progress else None,
    )
    if progress:
        progress.built()
    # The longest first, so that no simulation is left over at the end.
    order = sorted(range(len(tasks)), key=lambda k: -tasks[k].block.macs)
    results, pool = {}, ThreadPoolExecutor(jobs)
    try:
        waiting = {
            pool.submit(
                run_block_task,
                build,
                tasks[k],
                config,
                memory,
                waves=replace(waves, place=waves.place / tasks[k].block.name) if waves else None,
            ): k
            for k in order
        }
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                k = waiting.pop(future)
                results[k] = future.result()
                if progress:
                    cycles = results[k][0].cycles
                    progress.finished(tasks[k].block, cycles, len(results), len(tasks))
    finally:
        pool.shutdown(cancel_futures=True)
    return [results[k] for k in range(len(tasks))]
