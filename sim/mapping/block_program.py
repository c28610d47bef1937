"""Program of a single block, from external memory to external memory."""

from dataclasses import dataclass

from mnv2.golden.summary import short_repr
from mnv2.sim.mapping.bounds import check_add, check_layer
from mnv2.sim.mapping.descriptors import block_descriptor, map_bytes
from mnv2.sim.mapping.packing import pack_map, pack_parameters, pack_taps, pack_weights
from mnv2.sim.mapping.program import Program, ProgramBuilder
from mnv2.sim.mapping.tiling import BlockTiling, tile_block

__all__ = ["BlockProgram", "add_block_streams", "build_block_program"]


@dataclass(frozen=True, eq=False)
class BlockProgram(Program):
    """Program of one block, with its tiling and the (rows, columns, channels) of its output."""

    __repr__ = short_repr

    tiling: BlockTiling
    output_shape: tuple[int, int, int]


def add_block_streams(builder, quantized, config, segment=0):
    """Append a block's weights, kernels and parameters to a segment, in order of use."""
    for layer in (quantized.expand, quantized.depthwise, quantized.project):
        if layer is None:
            continue
        builder.add_stream("parameters", pack_parameters(layer, config), segment)
        if layer.kind == "depthwise":
            builder.add_stream("taps", pack_taps(layer.weights, config))
        else:
            builder.add_stream("weights", pack_weights(layer.weights, config), segment)


def build_block_program(block, quantized, activation, config):
    """Program and memory image of one block with its input in external memory.

    Parameters
    ----------
    block : mnv2.golden.network.Block
        The block's shapes.
    quantized : mnv2.golden.quantized_block.QuantizedBlock
        Its weights and parameters.
    activation : int8 [H, W, C]
        Its input.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    BlockProgram

    Raises
    ------
    mnv2.sim.mapping.tiling.DoesNotFit
        If a buffer is too small, or a sum may not fit the accumulators.
    """
    tiling = tile_block(block, config)
    for layer in quantized.layers:
        check_layer(layer, config)
    if quantized.add is not None:
        check_add(quantized.add)
    builder = ProgramBuilder(config)
    add_block_streams(builder, quantized, config)
    builder.add_map("input", pack_map(activation, config))
    builder.reserve_map(
        "output", map_bytes(tiling.output_shape[0] * tiling.output_row_words, config)
    )
    builder.add_descriptor(
        lambda places: block_descriptor(
            block,
            quantized,
            tiling,
            config,
            load_offset=places["input"],
            store_offset=places["output"],
            alone=True,
        )
    )
    program, _ = builder.build("output")
    return BlockProgram(tiling=tiling, output_shape=block.output_shape, **vars(program))
