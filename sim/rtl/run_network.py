"""Runs a whole network on the RTL, from image to logits, each block's output held to golden."""

from dataclasses import dataclass, replace

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.stream_layout import padded_layout
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.descriptors import map_bytes
from mnv2.sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from mnv2.sim.mapping.network_program import build_network_program, unpack_logits
from mnv2.sim.mapping.packing import unpack_map
from mnv2.sim.mapping.tiling import DoesNotFit, map_words
from mnv2.sim.report.results import LayerResult
from mnv2.sim.rtl.check import check_counters, check_map
from mnv2.sim.rtl.layer_result import layer_result
from mnv2.sim.rtl.simulate import build_accelerator, simulate

__all__ = ["NetworkRun", "run_network"]

#: Cycles after which a run is aborted, as a multiple of its ideal cycles, and in addition to them.
DEADLINE_FACTOR, DEADLINE_CYCLES = 20, 1_000_000


@dataclass(frozen=True, eq=False)
class NetworkRun:
    """Results of a run of a network.

    Attributes
    ----------
    layers : tuple of mnv2.sim.report.results.LayerResult
        Stem, blocks, head (with the pool) and classifier, of the first frame.
    frame_layers : tuple of tuple of mnv2.sim.report.results.LayerResult
        Those of every frame. Where several frames follow one another, the classifier of a frame
        is computed between the first blocks of the next; its cycles are still its own.
    logits : int8 [classes]
    accumulators : int32 [classes]
        The classifier's, with bias: logits that nothing has clipped.
    maps : dict of str to int8 [H, W, C]
        Outputs of the blocks by the block's name, as the map memory held them, or external memory
        those that went through it; and ``"pool"``. Of the first image.
    timeline : int64 [N, 4]
        See `mnv2.sim.rtl.simulate.Simulation`.
    cycles : int
        From start to the end.
    frame_ends : tuple of int
        Cycle in which the logits of each frame were in memory.
    read_bytes, write_bytes : int
        Of all frames, counted by the memory model.
    seconds : float
        Wall time of the simulation.
    """

    __repr__ = short_repr

    layers: tuple[LayerResult, ...]
    frame_layers: tuple[tuple[LayerResult, ...], ...]
    logits: np.ndarray
    accumulators: np.ndarray
    maps: dict[str, np.ndarray]
    timeline: np.ndarray
    cycles: int
    frame_ends: tuple[int, ...]
    read_bytes: int
    write_bytes: int
    seconds: float


def run_network(
    model,
    tensors,
    *,
    config,
    memory,
    frames=1,
    waves_file=None,
    asserts=False,
    progress: FrameProgress | None = None,
):
    """Simulate a network and compare it with golden.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    tensors : dict of str to array
        What `model.run` returned for the image: the input, and what is expected.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    frames : int
        Number of back-to-back frames of the image.
    waves_file : Path, optional
        Waveform to write; any suffix is replaced by the format's.
    asserts : bool
        Check the hardware's assertions, which takes more time.
    progress : FrameProgress, optional
        Told of the build and of descriptors that end; ``starting`` is its caller's to call.

    Returns
    -------
    NetworkRun

    Raises
    ------
    UserError
        If the network does not fit, differs from golden, or a tool is missing.
    SimulationError
        If the simulation fails otherwise.
    """
    network = model.network
    try:
        program = build_network_program(model, frames * [tensors["input"]], config)
    except DoesNotFit as error:
        raise UserError(error.advice) from None
    build = build_accelerator(
        config,
        memory_bytes=program.memory_bytes,
        asserts=asserts,
        waves=waves_file is not None,
        building=progress.building if progress else None,
    )
    if progress:
        progress.built()
    placement = program.placement
    # The maps of the first frame, whose blocks and head are the first descriptors.
    snapshots = [
        (number + 1, (tiling.output_base, tiling.output_end))
        for number, (tiling, spilled) in enumerate(
            zip(placement.tilings, placement.spilled, strict=True)
        )
        if not spilled
    ]
    pooled = map_words(network.pool.output_shape, config)[2]
    snapshots.append((len(network.blocks) + 1, (placement.pool_base, placement.pool_base + pooled)))
    ideal = _ideal_cycles(network, config)
    result = simulate(
        build,
        _with_spilled_maps(program),
        memory=memory,
        snapshots=snapshots,
        deadline=frames * DEADLINE_FACTOR * sum(ideal.values()) + DEADLINE_CYCLES,
        reached=progress and progress.reached,
        waves_file=waves_file and waves_file.with_suffix(f".{build.waves}"),
    )
    written, output = _split_output(result.output, program)
    maps = _unpack_maps(result.maps, snapshots, written, network, config)
    for block in network.blocks:
        check_map(
            block.name,
            maps[block.name],
            tensors[block.output_name],
            memory,
            f"--blocks {block.name.removeprefix('block')}",
        )
    check_map("the pool", maps["pool"], tensors["pool"], memory, "the same image and")
    for frame in range(frames):
        accumulators, logits = unpack_logits(output, program, config, frame)
        check_map(
            "the classifier's accumulators",
            accumulators,
            tensors["logits_accumulator"].reshape(-1),
            memory,
            "the same image and",
        )
        check_map(
            "the logits", logits, tensors["classifier"].reshape(-1), memory, "the same image and"
        )
    check_counters(result, config)
    layers = tuple(
        _layers(result.counters, network, program, ideal, config, frame) for frame in range(frames)
    )
    ends = [
        max(
            end
            for end, (frame, _) in zip(result.ends, program.works, strict=True)
            if frame == number
        )
        for number in range(frames)
    ]
    return NetworkRun(
        layers=layers[0],
        frame_layers=layers,
        logits=logits,
        accumulators=accumulators,
        maps=maps,
        timeline=result.timeline,
        cycles=result.cycles,
        frame_ends=tuple(ends),
        read_bytes=result.read_bytes,
        write_bytes=result.write_bytes,
        seconds=result.seconds,
    )


def _ideal_cycles(network, config):
    """Ideal cycles of each row of the report by name."""
    return {
        "stem": ideal_stem_cycles(network.stem, config),
        **{block.name: ideal_block_cycles(block, config) for block in network.blocks},
        "head": ideal_pointwise_cycles(network.head, config),
        "classifier": ideal_pointwise_cycles(network.classifier, config),
    }


def _with_spilled_maps(program):
    """The program with its output from the first spilled map on, all of which lie before it."""
    first = min(
        (address for address, _ in program.spilled_maps.values()), default=program.output_address
    )
    return replace(
        program,
        output_address=first,
        output_bytes=(program.output_address + program.output_bytes - first),
    )


def _split_output(data, program):
    """(bytes of each spilled map by block, bytes of the logits) of what `_with_spilled_maps` has
    as output."""
    first = _with_spilled_maps(program).output_address
    spilled = {
        name: np.frombuffer(data, np.uint8, size, address - first)
        for name, (address, size) in program.spilled_maps.items()
    }
    return spilled, data[program.output_address - first :]


def _unpack_maps(data, snapshots, spilled, network, config):
    """Maps of the blocks and of the pool, from the bytes of the snapshots, one after another, and
    those of the spilled maps."""
    shapes = {
        number: (block.name, block.output_shape)
        for number, block in enumerate(network.blocks, start=1)
    }
    maps = {
        name: unpack_map(spilled[name], shape, config)
        for name, shape in shapes.values()
        if name in spilled
    }
    shapes[len(network.blocks) + 1] = "pool", network.pool.output_shape
    # The simulation pads each word to whole bytes.
    offset, word_bytes = 0, -(-config.word_bits // 8)
    layout = padded_layout(config.word_bits, 8 * word_bytes)
    for number, (base, end) in snapshots:
        size = (end - base) * word_bytes
        name, shape = shapes[number]
        maps[name] = unpack_map(data[offset : offset + size], shape, config, layout)
        offset += size
    return maps


def _layers(counters, network, program, ideal, config, frame):
    """Rows of a frame's report. The counters of the stem come with those of the first block."""
    rows_of: dict[str, list[dict[str, dict[str, int]]]] = {}
    for (number, name), row in zip(program.works, counters, strict=True):
        if number == frame:
            rows_of.setdefault(name, []).append(row)

    def measured(name, kind, layer, row, part="block", write_bytes=0, **details):
        return layer_result(
            row[part],
            config,
            name=name,
            kind=kind,
            macs=layer.macs,
            ideal_cycles=ideal[name],
            write_bytes=write_bytes,
            input_shape=layer.input_shape,
            output_shape=details.pop("output_shape", layer.output_shape),
            **details,
        )

    (first,) = rows_of[network.blocks[0].name]
    rows = [measured("stem", "stem", network.stem, first, "stem", stride=network.stem.stride)]
    for block, tiling, spilled in zip(
        network.blocks, program.placement.tilings, program.placement.spilled, strict=True
    ):
        (row,) = rows_of[block.name]
        words = tiling.output_shape[0] * tiling.output_row_words if spilled else 0
        rows.append(
            measured(
                block.name,
                "block",
                block,
                row,
                stride=block.stride,
                residual=block.residual,
                write_bytes=map_bytes(words, config),
            )
        )
    (head,) = rows_of["head"]
    rows.append(
        measured("head", "head", network.head, head, output_shape=network.pool.output_shape)
    )
    # In one part, or in several.
    parts = [row["block"] for row in rows_of["classifier"]]
    classifier = {"block": {name: sum(part[name] for part in parts) for name in parts[0]}}
    rows.append(
        measured(
            "classifier",
            "classifier",
            network.classifier,
            classifier,
            write_bytes=sum(size for _, size, _ in program.logits[frame]),
        )
    )
    return tuple(rows)
