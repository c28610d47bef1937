"""Operations and moved bits of a program, counted.

Cycles and bytes are those of the layers, measured or predicted: each step of a 1x1 convolution
reads one word of weights and one of activations, each window one word of 3x3 kernels. The rest
follows from the network's shapes and the lanes: how many words of results are scaled, and where
they go. Each unit states its operations in `mnv2.sim.cost.units`.
"""

from collections.abc import Sequence

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.unit_cost import Frame
from mnv2.sim.cost.unit_list import OPERATIONS
from mnv2.sim.mapping.pool_input import pool_feed
from mnv2.sim.mapping.tiling import map_words
from mnv2.sim.report.results import LayerResult

__all__ = ["count_frame", "count_operations"]


def count_operations(
    layers: Sequence[LayerResult], config: AcceleratorConfig, network: Network
) -> dict[str, int]:
    """Operations and moved bits of a program, which computes as many frames as lie abreast.

    Parameters
    ----------
    layers : sequence of mnv2.sim.report.results.LayerResult
        All layers of the network, from a run or from `mnv2.sim.cycles.predict.predict_network`.
    config : mnv2.hw.config.AcceleratorConfig
    network : mnv2.golden.network.Network
        The network of these layers.

    Returns
    -------
    dict of str to int
        By the names of `mnv2.sim.cost.unit_list.OPERATIONS`.
    """
    frame = count_frame(layers, config, network)
    return {name: operation.count(frame) for name, operation in OPERATIONS.items()}


def count_frame(
    layers: Sequence[LayerResult], config: AcceleratorConfig, network: Network
) -> Frame:
    """Counts of a program that operations are made of; parameters as for `count_operations`."""
    words = dict.fromkeys(
        ("stem", "expand", "depthwise", "project", "head", "pool", "classifier"), 0
    )
    added = 0
    # What feeds the pool multiplies too, where a network has no head.
    feed = () if network.head is not None else (pool_feed(network),)
    for layer in (*network.layers, *feed):
        size = _words(layer.output_shape, config)
        words[layer.kind] += size
        if layer.kind == "project" and layer.residual:
            added += size
    return Frame(
        config=config,
        network=network,
        macs=config.frames * (network.macs + sum(layer.macs for layer in feed)),
        words=words,
        added=added,
        # A block without an expansion copies its input to the line buffer.
        copied=sum(
            _words(block.depthwise.input_shape, config)
            for block in network.blocks
            if block.expand is None
        ),
        image=_words(network.stem.input_shape, config),
        steps=sum(layer.pointwise_cycles for layer in layers),
        stem_steps=sum(layer.pointwise_cycles for layer in layers if layer.kind == "stem"),
        windows=sum(layer.depthwise_cycles for layer in layers),
        read_bits=8 * sum(layer.dram_read_bytes for layer in layers),
        written_bits=8 * sum(layer.dram_write_bytes for layer in layers),
    )


def _words(shape: tuple[int, int, int], config: AcceleratorConfig) -> int:
    rows, groups, channel_words = map_words(shape, config)
    return rows * groups * channel_words
