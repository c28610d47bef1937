"""Layers that a design maps badly: more than half of its lanes idle, whatever the memory does.

An explorer that multiplies lanes by the clock counts them as busy. Their number follows from shapes
alone: channels and pixels that fill no whole tile, nine taps on the ``outputs`` multipliers of a
channel, one pixel of a classifier on all pixel lanes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mnv2.golden.network import Layer, Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles

__all__ = ["BAD_SHARE", "LaneWarning", "lane_use", "lane_warnings", "warning_words"]

#: Share of busy lanes below which a layer gets a warning.
BAD_SHARE = 0.5


@dataclass(frozen=True)
class LaneWarning:
    """A layer that leaves lanes idle.

    Attributes
    ----------
    layer : str
        Its name, such as ``block2.depthwise``.
    kind : str
        As of `mnv2.golden.network.Layer`.
    busy_share : float
        MACs of the layer, as a share of its ideal cycles times the multipliers.
    ideal_cycles : int
        Cycles that its tiles take if nothing ever waits.
    frame_share : float
        Those cycles, as a share of all layers' ideal cycles.
    reason : str
        Why lanes are idle, in few words.
    """

    layer: str
    kind: str
    busy_share: float
    ideal_cycles: int
    frame_share: float
    reason: str


def lane_use(network: Network, config: AcceleratorConfig) -> list[tuple[Layer, int, float]]:
    """Share of busy lanes of every layer with weights.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    list of (mnv2.golden.network.Layer, int, float)
        The layer, its ideal cycles, and its MACs, of all frames abreast, as a share of those cycles
        times the multipliers.
    """
    rows = [(network.stem, ideal_stem_cycles(network.stem, config))]
    for block in network.blocks:
        pointwise = {
            layer.name: ideal_pointwise_cycles(layer, config)
            for layer in block.layers
            if layer.kind != "depthwise"
        }
        depthwise = ideal_block_cycles(block, config) - sum(pointwise.values())
        rows += [(layer, pointwise.get(layer.name, depthwise)) for layer in block.layers]
    rows += [
        (layer, ideal_pointwise_cycles(layer, config))
        for layer in network.stages[len(network.blocks) + 1 :]
        if layer.kind != "pool"
    ]
    return [
        (layer, cycles, config.frames * layer.macs / (cycles * config.multipliers))
        for layer, cycles in rows
    ]


def lane_warnings(network: Network, config: AcceleratorConfig) -> tuple[LaneWarning, ...]:
    """Layers that leave more than half of the lanes idle, in order.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of LaneWarning
    """
    rows = lane_use(network, config)
    total = sum(cycles for _, cycles, _ in rows)
    return tuple(
        LaneWarning(layer.name, layer.kind, busy, cycles, cycles / total, _reason(layer, config))
        for layer, cycles, busy in rows
        if busy < BAD_SHARE
    )


def _reason(layer: Layer, config: AcceleratorConfig) -> str:
    """The lanes that are busy on average, of each kind that is not filled."""
    columns = layer.output_shape[1]
    parts = []
    if layer.kind == "depthwise":
        parts.append(f"9 of {config.outputs} products a channel")
    else:
        parts += _partial("output", layer.output_channels, config.outputs)
        inputs = layer.input_channels * (9 if layer.kind == "stem" else 1)
        parts += _partial("input", inputs, config.inputs)
    parts += _partial("pixel", columns, config.pixels)
    return ", ".join(parts)


def _partial(what: str, count: int, lanes: int) -> list[str]:
    """The number of lanes of a kind that are used on average, unless all are."""
    steps = -(-count // lanes)
    return [] if steps * lanes == count else [f"{count / steps:.3g} of {lanes} {what} lanes"]


def warning_words(warnings: Sequence[LaneWarning]) -> list[str]:
    """Warnings as sentences, layers of one kind together, those that take most time first.

    Parameters
    ----------
    warnings : sequence of LaneWarning

    Returns
    -------
    list of str
    """
    kinds: dict[str, list[LaneWarning]] = {}
    for warning in warnings:
        kinds.setdefault(warning.kind, []).append(warning)
    sentences = []
    for kind, group in sorted(
        kinds.items(), key=lambda item: -sum(one.frame_share for one in item[1])
    ):
        worst = min(group, key=lambda one: one.busy_share)
        share = sum(one.frame_share for one in group)
        who = (
            worst.layer if len(group) == 1 else (f"{len(group)} {kind} layers, worst {worst.layer}")
        )
        sentences.append(
            f"{who}: {worst.busy_share:.0%} of the lanes busy ({worst.reason}), in "
            f"{share:.1%} of the frame's ideal cycles"
        )
    return sentences
