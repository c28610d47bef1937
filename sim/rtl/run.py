"""Runs a photograph's bottlenecks on the RTL, each held to golden element by element."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from hw.counters import READ_CHANNELS
from sim.errors import UserError
from sim.mapping.block_program import build_block_program
from sim.mapping.ideal import ideal_block_cycles
from sim.mapping.packing import unpack_map
from sim.mapping.tiling import DoesNotFit
from sim.report.results import BottleneckResult
from sim.rtl.build import SimulationError
from sim.rtl.simulate import build_accelerator, simulate

__all__ = ["BlockTask", "Mismatch", "network_tasks", "run_block_task", "run_tasks"]

#: Cycles after which a block is given up, as a multiple of its ideal cycles, and in addition to
#: them.
DEADLINE_FACTOR, DEADLINE_CYCLES = 20, 100_000


class Mismatch(UserError):
    """The RTL's output differs from golden; the message says where, and how to repeat it."""


@dataclass(frozen=True, eq=False)
class BlockTask:
    """One block to run.

    Attributes
    ----------
    block : golden.network.Block
        Shapes.
    quantized : golden.model.QuantizedBlock
        Weights and parameters.
    activation : int8 [H, W, C]
        Input.
    expected : int8 [H', W', C']
        Output of golden.
    """

    block:      object
    quantized:  object
    activation: np.ndarray
    expected:   np.ndarray


def network_tasks(model, tensors):
    """A task for each block of a network, with the activations of one forward pass.

    Parameters
    ----------
    model : golden.model.QuantizedModel
    tensors : dict of str to int8 array
        What `model.run` returned.

    Returns
    -------
    list of BlockTask
    """
    tasks, name = [], "stem"
    for block, quantized in zip(model.network.blocks, model.blocks, strict=True):
        tasks.append(BlockTask(block, quantized, tensors[name], tensors[block.output_name]))
        name = block.output_name
    return tasks


def run_block_task(build, task, config, memory, *, waves_file=None):
    """Simulate one block and compare it with golden.

    Parameters
    ----------
    build : sim.rtl.build.Build
        From `sim.rtl.simulate.build_accelerator`, for this configuration.
    task : BlockTask
    config : hw.config.AcceleratorConfig
    memory : sim.rtl.simulate.MemoryModel
    waves_file : Path, optional
        Waveform to write.

    Returns
    -------
    BottleneckResult

    Raises
    ------
    Mismatch
        If an element differs.
    SimulationError
        If the program does not end, or the counters contradict each other.
    """
    program = build_block_program(task.block, task.quantized, task.activation, config)
    ideal   = ideal_block_cycles(program.tiling, config, expand=task.block.expand is not None)
    result  = simulate(build, program, memory=memory, waves_file=waves_file,
                       deadline=DEADLINE_FACTOR * ideal + DEADLINE_CYCLES)
    output  = unpack_map(result.output, program.output_shape, config)
    _compare(task.block.name, output, task.expected, memory)
    (counters,) = result.counters
    _check_counters(task.block.name, result, counters, config)
    stalls = {name.removeprefix("stall_"): cycles for name, cycles in counters.items()
              if name.startswith("stall_")}
    return BottleneckResult(
        name=task.block.name,
        macs=task.block.macs,
        multipliers=config.multipliers,
        cycles=counters["cycles"],
        ideal_cycles=ideal,
        busy_cycles=counters["pointwise"] + counters["depthwise"],
        stalls=stalls,
        dram_read_bytes_by_kind={kind: counters[f"read_{kind}"] * config.data_bytes
                                 for kind in READ_CHANNELS},
        dram_write_bytes=result.write_bytes,
        mismatches=0,
        input_shape=task.block.input_shape,
        output_shape=task.block.output_shape,
        stride=task.block.stride,
        residual=task.block.residual,
    )


def _compare(name, output, expected, memory):
    """Raise Mismatch at the first element that differs."""
    wrong = np.argwhere(output != expected)
    if len(wrong):
        row, column, channel = (int(k) for k in wrong[0])
        raise Mismatch(
            f"The RTL differs from golden in {name}: {len(wrong)} of {expected.size} elements, first "
            f"at row {row}, column {column}, channel {channel}, where the RTL gives "
            f"{output[row, column, channel]} and golden {expected[row, column, channel]}; repeat "
            f"with --blocks {name.removeprefix('block')} --seed {memory.seed} --waves.")


def _check_counters(name, result, counters, config):
    """The accelerator's counters against each other, and against what was counted beside it."""
    parts = sum(cycles for counter, cycles in counters.items()
                if counter.startswith("stall_") or counter in ("pointwise", "depthwise"))
    read  = sum(counters[f"read_{kind}"] for kind in READ_CHANNELS) * config.data_bytes
    for what, counted, beside in (
            ("cycles by cause", parts, counters["cycles"]),
            ("cycles", counters["cycles"], result.cycles),
            ("bytes read", read, result.read_bytes),
            ("beats written", counters["write"], -(-result.write_bytes // config.data_bytes))):
        if counted != beside:
            raise SimulationError(f"The accelerator counts {counted} {what} in {name}, but {beside} "
                                  "were counted beside it")


def run_tasks(tasks, *, config, memory, jobs=2, waves_folder=None, progress=None):
    """Simulate several blocks at a time.

    Parameters
    ----------
    tasks : list of BlockTask
    config : hw.config.AcceleratorConfig
    memory : sim.rtl.simulate.MemoryModel
    jobs : int
        Simulations at a time.
    waves_folder : Path, optional
        Folder for a waveform of each block.
    progress : object, optional
        Its ``building()``, ``built(build)`` and ``finished(result, done, total)`` are called.

    Returns
    -------
    list of BottleneckResult
        In the order of the tasks.

    Raises
    ------
    UserError
        If a block does not fit, differs from golden, or a tool is missing.
    SimulationError
        If a simulation fails otherwise.
    """
    try:
        programs = [build_block_program(t.block, t.quantized, t.activation, config) for t in tasks]
    except DoesNotFit as error:
        raise UserError(f"{error}: change it with --set, or take a larger --config.") from None
    if progress:
        progress.building()
    build = build_accelerator(config, waves=waves_folder is not None,
                              memory_bytes=max(p.memory_bytes for p in programs))
    if progress:
        progress.built(build)
    # The longest first, so that no simulation is left over at the end.
    order = sorted(range(len(tasks)), key=lambda k: -tasks[k].block.macs)
    results, pool = {}, ThreadPoolExecutor(jobs)
    try:
        waiting = {
            pool.submit(run_block_task, build, tasks[k], config, memory,
                        waves_file=waves_folder and waves_folder / f"{tasks[k].block.name}.{build.waves}"): k
            for k in order}
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                k = waiting.pop(future)
                results[k] = future.result()
                if progress:
                    progress.finished(results[k], len(results), len(tasks))
    finally:
        pool.shutdown(cancel_futures=True)
    return [results[k] for k in range(len(tasks))]
