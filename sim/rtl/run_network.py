"""Runs a whole network on the RTL, from images to logits, each block's output held to golden."""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.progress import FrameProgress
from mnv2.sim.mapping.descriptors import map_bytes
from mnv2.sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.run_places import PICTURE_SLOTS, place_run
from mnv2.sim.mapping.tiling import DoesNotFit, map_words
from mnv2.sim.report.results import LayerResult
from mnv2.sim.rtl.abreast import each_frame, to_pack
from mnv2.sim.rtl.check import check_counters
from mnv2.sim.rtl.deadline import network_deadline
from mnv2.sim.rtl.frame_output import FrameOutput, check_outputs, output_range, read_outputs
from mnv2.sim.rtl.layer_result import layer_result, require_counters
from mnv2.sim.rtl.simulate import build_accelerator, memory_base, simulate
from mnv2.sim.rtl.waveform.request import Waves
from mnv2.sim.rtl.waveform.view import write_views

__all__ = ["NetworkRun", "run_network"]


@dataclass(frozen=True, eq=False)
class NetworkRun:
    """Results of a run of a network.

    A row of figures is that of all frames abreast.

    Attributes
    ----------
    layers : tuple of mnv2.sim.report.results.LayerResult
        Stem, blocks, head (with the pool) and classifier, of the first frames abreast.
    frame_layers : tuple of tuple of mnv2.sim.report.results.LayerResult
        Those of every frame, or pair abreast. Where several follow one another, the classifier of
        one is computed between the first blocks of the next; its cycles are still its own.
    outputs : tuple of FrameOutput
        One for each frame abreast.
    timeline : int64 [N, 4]
        See `mnv2.sim.rtl.simulate.Simulation`.
    cycles : int
        From start to the end.
    frame_ends : tuple of int
        Cycle in which the logits of each frame, or pair abreast, were in memory.
    read_bytes, write_bytes : int
        Of all frames, counted by the memory model.
    seconds : float
        Wall time of the simulation.
    """

    __repr__ = short_repr

    layers: tuple[LayerResult, ...]
    frame_layers: tuple[tuple[LayerResult, ...], ...]
    outputs: tuple[FrameOutput, ...]
    timeline: np.ndarray
    cycles: int
    frame_ends: tuple[int, ...]
    read_bytes: int
    write_bytes: int
    seconds: float

    @property
    def logits(self) -> np.ndarray:
        """Those of the first picture, int8 [classes]."""
        return self.outputs[0].logits

    @property
    def accumulators(self) -> np.ndarray:
        """Those of the first picture's classifier, int32 [classes]."""
        return self.outputs[0].accumulators

    @property
    def maps(self) -> dict[str, np.ndarray]:
        """Those of the first picture, by name."""
        return self.outputs[0].maps


def run_network(
    model,
    tensors,
    *,
    config,
    memory,
    turns=1,
    waves: Waves | None = None,
    asserts=False,
    memory_sources=None,
    progress: FrameProgress | None = None,
):
    """Simulate a network and compare it with golden.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    tensors : dict of str to array, or sequence of them
        What `model.run` returned for the image: the input, and what is expected. One for each frame
        abreast.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    turns : int
        Number of times that the images are computed, back-to-back: of frames, or of pairs abreast.
    waves : Waves, optional
        Waveform to write.
    asserts : bool
        Check the hardware's assertions, which takes more time.
    memory_sources : function, optional
        RTL of another memory than the project's own, to which ``memory`` is then nothing: see
        `mnv2.sim.rtl.simulate.build_accelerator`.
    progress : FrameProgress, optional
        Told of the build and of descriptors that end; ``starting`` is its caller's to call.

    Returns
    -------
    NetworkRun

    Raises
    ------
    UserError
        If the network does not fit, differs from golden, or a tool is missing; or the accelerator
        counts nothing.
    SimulationError
        If the simulation fails otherwise.
    """
    require_counters(config)
    network, pictures = model.network, each_frame(tensors, config)
    try:
        program = build_network_program(model, config)
    except DoesNotFit as error:
        raise UserError(error.advice) from None
    # Two slots of pictures, so that the ring ends within a run; each turn's logits are kept.
    base = memory_base(config)
    places = place_run(
        program.memory_bytes,
        program.picture_bytes,
        program.logits_bytes,
        base=base,
        picture_slots=min(turns, PICTURE_SLOTS),
        logits_slots=turns,
    )
    picture = pack_image(to_pack([one["input"] for one in pictures], config), config)
    build = build_accelerator(
        config,
        memory_bytes=places.end - base,
        memory_sources=memory_sources,
        asserts=asserts,
        waves=waves.scope if waves else None,
        building=progress.building if progress else None,
        compiled=progress.compiled if progress else None,
    )
    if progress:
        progress.built()
    placement = program.placement
    # The maps of the first frames, whose blocks and head are the first descriptors.
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
        program,
        places=places,
        pictures=places.picture_slots * [picture],
        turns=turns,
        output=output_range(program, places),
        memory=memory,
        snapshots=snapshots,
        deadline=network_deadline(network, config, None if memory_sources else memory, turns),
        reached=progress and progress.reached,
        waves=waves,
    )
    if waves:
        write_views(waves, build)
    outputs = read_outputs(result, snapshots, program, places, network, turns, config)
    check_outputs(outputs, pictures, network, config, memory)
    check_counters(result, config)
    works = program.works(turns)
    layers = tuple(
        _layers(result.counters, network, program, works, ideal, config, turn)
        for turn in range(turns)
    )
    ends = [
        max(end for end, (turn, _) in zip(result.ends, works, strict=True) if turn == number)
        for number in range(turns)
    ]
    return NetworkRun(
        layers=layers[0],
        frame_layers=layers,
        outputs=outputs[: config.frames],
        timeline=result.timeline,
        cycles=result.cycles,
        frame_ends=tuple(ends),
        read_bytes=result.read_bytes,
        write_bytes=result.write_bytes,
        seconds=result.seconds,
    )


def _ideal_cycles(network, config):
    """Ideal cycles of each row of the report by name."""
    feed = pool_feed(network)
    return {
        "stem": ideal_stem_cycles(network.stem, config),
        **{block.name: ideal_block_cycles(block, config) for block in network.blocks},
        feed.name: ideal_pointwise_cycles(feed, config),
        "classifier": ideal_pointwise_cycles(network.classifier, config),
    }


def _layers(counters, network, program, works, ideal, config, turn):
    """Rows of the report of a frame, or of a pair abreast.

    The counters of the stem come with those of the first block.
    """
    rows_of: dict[str, list[dict[str, dict[str, int]]]] = {}
    for (number, name), row in zip(works, counters, strict=True):
        if number == turn:
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
    # The pool's own MACs are none, whatever feeds it.
    end, pooled = network.head or network.pool, network.pool.output_shape
    (row,) = rows_of[end.name]
    rows.append(measured(end.name, "head", end, row, output_shape=pooled))
    # In one part, or in several.
    parts = [row["block"] for row in rows_of["classifier"]]
    classifier = {"block": {name: sum(part[name] for part in parts) for name in parts[0]}}
    rows.append(
        measured(
            "classifier",
            "classifier",
            network.classifier,
            classifier,
            write_bytes=program.logits_bytes,
        )
    )
    return tuple(rows)
