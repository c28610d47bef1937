"""From a network and a configuration to the rows of a report, predicted."""

from dataclasses import dataclass

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.hw.config import CAUSES, STREAMS, AcceleratorConfig
from mnv2.sim.cycles.causes import DEPTHWISE, POINTWISE
from mnv2.sim.cycles.machine import Machine
from mnv2.sim.cycles.plan import plan_network
from mnv2.sim.cycles.port.pauses import Pauses
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.tiling import DoesNotFit
from mnv2.sim.memory.timing import timing_of
from mnv2.sim.report.results import LayerResult

__all__ = ["PredictedFrames", "PredictedLayer", "predict_frames", "predict_network"]


@dataclass(frozen=True, kw_only=True, repr=False)
class PredictedLayer(LayerResult):
    """A layer as the accelerator would execute it: a prediction, not a run."""

    predicted: bool = True


@dataclass(frozen=True)
class PredictedFrames:
    """Back-to-back frames, predicted.

    Attributes
    ----------
    layers : tuple of tuple of PredictedLayer
        Of each frame, or pair abreast: stem, blocks, head (with the pool) and classifier. Where the
        classifier is executed between the blocks of the next, its cycles are still its own.
    ends : tuple of int
        Cycle in which the logits of each are in memory; the last is the run's.
    """

    __repr__ = short_repr

    layers: tuple[tuple[PredictedLayer, ...], ...]
    ends: tuple[int, ...]


def predict_network(
    network: Network,
    config: AcceleratorConfig,
    *,
    latency: int = 100,
    bytes_per_cycle: int = 0,
    stall_percent: int = 0,
    seed: int = 1,
    part: str = "",
    part_clock_hz: float = 0.0,
) -> tuple[PredictedLayer, ...]:
    """Predict what `mnv2.sim.rtl.run_network.run_network` would measure.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth that reads and writes share; 0 for a beat a cycle in each direction.
    stall_percent : int
        Share of the cycles in which each channel of the memory pauses at random, 0 to 99.
    seed : int
        Of the pauses, as that of a run.
    part : str
        Name of the memory's part, which then says what latency and bandwidth are; see
        `mnv2.sim.memory.parts.find_part`.
    part_clock_hz : float
        Clock of the accelerator, which the part's times are counted in.

    Returns
    -------
    tuple of PredictedLayer
        Stem, blocks, head (with the pool) and classifier.

    Raises
    ------
    UserError
        If the network does not fit, or never comes to an end; or there is no such part.
    """
    return predict_frames(
        network,
        config,
        1,
        latency=latency,
        bytes_per_cycle=bytes_per_cycle,
        stall_percent=stall_percent,
        seed=seed,
        part=part,
        part_clock_hz=part_clock_hz,
    ).layers[0]


def predict_frames(
    network: Network,
    config: AcceleratorConfig,
    turns: int,
    *,
    latency: int = 100,
    bytes_per_cycle: int = 0,
    stall_percent: int = 0,
    seed: int = 1,
    part: str = "",
    part_clock_hz: float = 0.0,
) -> PredictedFrames:
    """Predict what `mnv2.sim.rtl.run_network.run_network` would measure of back-to-back frames.

    Parameters
    ----------
    network, config, latency, bytes_per_cycle, stall_percent, seed, part,
    part_clock_hz
        See `predict_network`.
    turns : int
        Frames, or pairs abreast, that follow one another: 1 or more.

    Returns
    -------
    PredictedFrames

    Raises
    ------
    UserError
        If the network does not fit, or never comes to an end.
    """
    try:
        plan = plan_network(network, config, turns * config.frames)
    except DoesNotFit as error:
        raise UserError(error.advice) from None
    pauses = Pauses(stall_percent, seed) if stall_percent else None
    timing = timing_of(part, part_clock_hz) if part else None
    machine = Machine(config, plan, latency, bytes_per_cycle, pauses, timing)
    try:
        machine.run()
    except RuntimeError as error:
        raise UserError(f"The accelerator would be stuck: {error}") from None
    fields = _fields(network, config)
    spent = _add_up(plan, machine)
    layers = tuple(
        tuple(
            PredictedLayer(
                multipliers=config.multipliers,
                cycles=sum(counts),
                pointwise_cycles=counts[POINTWISE],
                depthwise_cycles=counts[DEPTHWISE],
                stalls=dict(zip(CAUSES, counts, strict=False)),
                dram_read_bytes_by_kind={
                    channel: count * config.data_bytes
                    for channel, count in zip(STREAMS, beats, strict=False)
                },
                dram_write_bytes=stored,
                mismatches=0,
                **layer,
            )
            for layer in fields
            for counts, beats, stored in (spent[turn, layer["name"]],)
        )
        for turn in range(turns)
    )
    ends = [0] * turns
    for (turn, _), end in zip(plan.owners, machine.ends, strict=True):
        ends[turn] = end
    return PredictedFrames(layers, tuple(ends))


def _add_up(plan, machine):
    """Sum up, by turn and row: cycles by cause, beats by stream, and bytes written."""
    spent: dict[tuple[int, str], tuple[list[int], list[int], int]] = {}
    for (turn, name), descriptor, counts, beats in zip(
        plan.owners, plan.descriptors, machine.counts, machine.beats, strict=True
    ):
        parts = [(name, 0, descriptor.store_bytes)]
        if descriptor.stem:
            parts.append(("stem", 1, 0))
        for row, part, stored in parts:
            earlier = spent.get((turn, row))
            now = counts[part], beats[part], stored
            if earlier:  # the classifier in parts
                now = (
                    [sum(pair) for pair in zip(earlier[0], now[0], strict=True)],
                    [sum(pair) for pair in zip(earlier[1], now[1], strict=True)],
                    earlier[2] + stored,
                )
            spent[turn, row] = now
    return spent


def _fields(network, config):
    """Fields of each row that do not depend on the prediction, in order."""
    feed = pool_feed(network)
    return [
        {
            "name": "stem",
            "kind": "stem",
            "ideal_cycles": ideal_stem_cycles(network.stem, config),
            **_layer(network.stem, config),
        },
        *(
            {
                "name": block.name,
                "kind": "block",
                "macs": config.frames * block.macs,
                "ideal_cycles": ideal_block_cycles(block, config),
                "input_shape": block.input_shape,
                "output_shape": block.output_shape,
                "stride": block.stride,
                "residual": block.residual,
            }
            for block in network.blocks
        ),
        {
            "name": feed.name,
            "kind": "head",
            "ideal_cycles": ideal_pointwise_cycles(feed, config),
            **_layer(network.head or network.pool, config),
            "output_shape": network.pool.output_shape,
        },
        {
            "name": "classifier",
            "kind": "classifier",
            "ideal_cycles": ideal_pointwise_cycles(network.classifier, config),
            **_layer(network.classifier, config),
        },
    ]


def _layer(layer, config):
    """Fields of a layer that is not a block."""
    return {
        "macs": config.frames * layer.macs,
        "input_shape": layer.input_shape,
        "output_shape": layer.output_shape,
        "stride": layer.stride,
        "residual": False,
    }
