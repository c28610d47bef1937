"""Memory image of a program: header, descriptors, the streams that it reads, input and output maps."""

from dataclasses import dataclass

import numpy as np

from hw.config import PARAMETER_BITS
from hw.program import RECORD_BYTES, Descriptor, Header
from sim.mapping.packing import pack_map, pack_parameters, pack_taps, pack_weights
from sim.mapping.tiling import BlockTiling, tile_block

__all__ = ["BlockProgram", "build_block_program", "record_bytes"]

#: Each stream and map begins at a multiple of this, so that bursts can be as long as may be.
ALIGNMENT_BYTES = 4096


@dataclass(frozen=True)
class BlockProgram:
    """A program that runs one block from external memory to external memory.

    Attributes
    ----------
    image : uint8 array
        Memory from address 0 on; the program is at address 0.
    records : int
        Records of the program, its header included.
    tiling : BlockTiling
    output_address, output_bytes : int
        Where the output map will be.
    output_shape : tuple of int
        (rows, columns, channels) of the output map.
    memory_bytes : int
        Memory in use, output included.
    stream_bytes : dict of str to int
        Bytes of each stream that is read: program, activations, parameters, taps, weights.
    """

    image:          np.ndarray
    records:        int
    tiling:         BlockTiling
    output_address: int
    output_bytes:   int
    output_shape:   tuple
    memory_bytes:   int
    stream_bytes:   dict


def record_bytes(record_class, members):
    """A record's bytes, padded to the length that each record takes."""
    value = record_class.const(members).as_bits()
    return np.frombuffer(value.to_bytes(RECORD_BYTES, "little"), np.uint8)


def _range(layer):
    return {"zero_point": layer.output_zero_point, "minimum": layer.minimum,
            "maximum": layer.maximum}


def _add(add):
    return {
        "a_zero_point": add.a_zero_point, "a_multiplier": int(add.a_multiplier),
        "a_shift": int(add.a_shift),
        "b_zero_point": add.b_zero_point, "b_multiplier": int(add.b_multiplier),
        "b_shift": int(add.b_shift),
        "multiplier": int(add.multiplier), "shift": int(add.shift),
        "range": {"zero_point": add.output_zero_point, "minimum": add.minimum,
                  "maximum": add.maximum},
    }


def _descriptor(block, quantized, tiling, config, load_address, store_address):
    (rows, groups, words), hidden_words = tiling.input_shape, tiling.hidden_shape[2]
    output_rows, output_groups, output_words = tiling.output_shape
    depthwise = block.depthwise
    top       = depthwise.padding[0][0]
    stride_2  = depthwise.stride == 2
    steps     = output_groups + 1 if not stride_2 else 2 * output_groups + 1 - top
    width     = block.input_shape[1]
    word_bits = config.word_bits
    load_words  = rows * tiling.input_row_words
    store_words = output_rows * tiling.output_row_words
    # The expanded map's zero point is what its padding supplies.
    unused = {"zero_point": 0, "minimum": 0, "maximum": 0}
    members = {
        "copy": int(block.expand is None), "residual": int(quantized.add is not None),
        "load": 1, "store": 1,
        "stride_2": int(stride_2), "pad_start": top, "steps": steps,
        "input_rows": rows, "input_groups": groups,
        "input_tail": width - (groups - 1) * config.pixels,
        "input_words": words, "hidden_words": hidden_words,
        "output_rows": output_rows, "output_groups": output_groups, "output_words": output_words,
        "strip_rows": tiling.strip_rows,
        "strip_output_words": min(tiling.strip_rows, output_rows) * tiling.output_row_words,
        "parameter_words": (hidden_words if block.expand else 0) + hidden_words + output_words,
        "input_base": 0, "input_end": tiling.output_base,
        "output_base": tiling.output_base, "output_end": tiling.map_words,
        "load_address": load_address,
        "load_beats": -(-load_words * word_bits // config.data_bits), "load_words": load_words,
        "store_address": store_address,
        "store_bytes": -(-store_words * word_bits // 8), "store_words": store_words,
        "padding": quantized.depthwise.input_zero_point,
        "expand": _range(quantized.expand) if quantized.expand else unused,
        "depthwise": _range(quantized.depthwise),
        "project": _range(quantized.project),
    }
    if quantized.add is not None:
        members["add"] = _add(quantized.add)
    return record_bytes(Descriptor, members)


def build_block_program(block, quantized, activation, config):
    """Program and memory image of one block with its input in external memory.

    Parameters
    ----------
    block : golden.network.Block
        The block's shapes.
    quantized : golden.model.QuantizedBlock
        Its weights and parameters.
    activation : int8 [H, W, C]
        Its input.
    config : hw.config.AcceleratorConfig

    Returns
    -------
    BlockProgram

    Raises
    ------
    sim.mapping.tiling.DoesNotFit
        If a buffer is too small.
    """
    tiling = tile_block(block, config)
    layers = [layer for layer in (quantized.expand, quantized.depthwise, quantized.project) if layer]
    streams = {
        "parameters": np.concatenate([pack_parameters(layer, config) for layer in layers]),
        "taps": pack_taps(quantized.depthwise.weights, config),
        "weights": np.concatenate([pack_weights(layer.weights, config) for layer in layers
                                   if layer.kind != "depthwise"]),
        "activations": pack_map(activation, config),
    }
    assert len(streams["parameters"]) * 8 % (config.inputs * PARAMETER_BITS) == 0

    address, places = 2 * RECORD_BYTES, {}
    for name, data in streams.items():
        address = -(-address // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        places[name] = address
        address += len(data)
    output_address = -(-address // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
    output_words   = tiling.output_shape[0] * tiling.output_row_words
    output_bytes   = -(-output_words * config.word_bits // 8)

    image = np.zeros(output_address, np.uint8)
    for name, data in streams.items():
        image[places[name]:places[name] + len(data)] = data
    header = {}
    for name in ("weights", "taps", "parameters"):
        header[f"{name}_address"] = places[name]
        header[f"{name}_beats"]   = -(-len(streams[name]) // config.data_bytes)
    image[:RECORD_BYTES] = record_bytes(Header, header)
    image[RECORD_BYTES:2 * RECORD_BYTES] = _descriptor(
        block, quantized, tiling, config, places["activations"], output_address)
    return BlockProgram(
        image=image, records=2, tiling=tiling, output_address=output_address,
        output_bytes=output_bytes, output_shape=block.output_shape,
        memory_bytes=output_address + output_bytes,
        stream_bytes={"program": 2 * RECORD_BYTES} | {k: len(v) for k, v in streams.items()})
