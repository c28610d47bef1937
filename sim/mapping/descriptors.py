"""Descriptors of blocks, head and classifier, from golden's records and a tiling."""

from mnv2.hw.config import ADDRESS_BITS
from mnv2.hw.program import Descriptor, Turns, Work
from mnv2.sim.mapping.program import record_bytes
from mnv2.sim.mapping.tiling import map_words, stem_steps

__all__ = ["block_descriptor", "classifier_descriptor", "head_descriptor", "map_bytes"]


def map_bytes(words, config):
    """Bytes of a number of words of a map in external memory."""
    return config.streams["activations"].memory_bytes(words)


def _range(layer):
    return {
        "zero_point": layer.output_zero_point,
        "minimum": layer.minimum,
        "maximum": layer.maximum,
    }


def _add(add):
    return {
        "a_zero_point": add.a_zero_point,
        "a_multiplier": int(add.a_multiplier),
        "a_shift": int(add.a_shift),
        "b_zero_point": add.b_zero_point,
        "b_multiplier": int(add.b_multiplier),
        "b_shift": int(add.b_shift),
        "multiplier": int(add.multiplier),
        "shift": int(add.shift),
        "range": _range(add),
    }


def _load(words, offset, config):
    return {
        "load": 1,
        "load_offset": offset,
        "load_words": words,
        "load_beats": config.streams["activations"].beats(words),
    }


def _store(words, offset, config):
    return {
        "store": 1,
        "store_offset": offset,
        "store_words": words,
        "store_bytes": map_bytes(words, config),
    }


def _stem(stem, quantized, tiling, config):
    """Members for a block whose input a stem makes."""
    rows, groups, _ = map_words(stem.input_shape, config)
    width = stem.input_shape[1]
    (top, _), (left, _) = stem.padding
    return {
        "stem": 1,
        "image_rows": rows,
        "image_groups": groups,
        "image_tail": width - (groups - 1) * config.pixels,
        "image_steps": 2 * tiling.input_shape[1] + 1 - left,
        "image_pad_top": top,
        "image_pad_left": left,
        "image_line": tiling.hidden_shape[1] * tiling.hidden_shape[2],
        "image_padding": quantized.input_zero_point,
        "stem_steps": stem_steps(stem, config),
        "stem_range": _range(quantized),
        "load_offset": 0,
        "load_beats": config.streams["image"].beats(rows * groups),
    }


def block_descriptor(
    block,
    quantized,
    tiling,
    config,
    *,
    load_offset=None,
    store_offset=None,
    alone=False,
    stem=None,
    quantized_stem=None,
):
    """Bytes of the descriptor of a block.

    Parameters
    ----------
    block : mnv2.golden.network.Block
    quantized : mnv2.golden.quantized_block.QuantizedBlock
    tiling : mnv2.sim.mapping.tiling.BlockTiling
    config : mnv2.hw.config.AcceleratorConfig
    load_offset, store_offset : int
        Where the input and the output lie in the program's image; None if on chip.
    alone : bool
        The block is the whole program.
    stem : mnv2.golden.network.Layer
        Makes the input, of the turn's picture.
    quantized_stem : mnv2.golden.quantized_layer.QuantizedLayer
    """
    rows, groups, words = tiling.input_shape
    hidden_words = tiling.hidden_shape[2]
    output_rows, output_groups, output_words = tiling.output_shape
    depthwise = block.depthwise
    (top, _), (left, _) = depthwise.padding
    stride_2 = depthwise.stride == 2
    parameters = hidden_words + output_words
    parameters += hidden_words if block.expand else 0
    parameters += words if stem else 0
    members = {
        "work": Work.BLOCK,
        "ends_turn": int(alone),
        "copy": int(block.expand is None),
        "residual": int(quantized.add is not None),
        "stride_2": int(stride_2),
        "pad_top": top,
        "pad_left": left,
        "steps": 2 * output_groups + 1 - left if stride_2 else output_groups + 1,
        "input_rows": rows,
        "input_groups": groups,
        "input_tail": block.input_shape[1] - (groups - 1) * config.pixels,
        "input_words": words,
        "hidden_words": hidden_words,
        "output_rows": output_rows,
        "output_groups": output_groups,
        "output_words": output_words,
        "strip_rows": tiling.strip_rows,
        "strip_output_words": tiling.strip_rows * tiling.output_row_words,
        "parameter_words": parameters,
        "input_base": tiling.input_base,
        "input_end": tiling.input_end,
        "output_base": tiling.output_base,
        "output_end": tiling.output_end,
        # Where the map ends, the depthwise layer sees the zero point.
        "padding": quantized.depthwise.input_zero_point,
        "depthwise": _range(quantized.depthwise),
        "project": _range(quantized.project),
    }
    if quantized.expand is not None:
        members["expand"] = _range(quantized.expand)
    if quantized.add is not None:
        members["add"] = _add(quantized.add)
    if stem:
        members |= _stem(stem, quantized_stem, tiling, config)
    elif load_offset is not None:
        members |= _load(rows * tiling.input_row_words, load_offset, config)
    if store_offset is not None:
        members |= _store(output_rows * tiling.output_row_words, store_offset, config)
    return record_bytes(Descriptor, members)


def _pointwise(layer, quantized, config, *, input_base, load_offset):
    """Members for a head or a classifier."""
    rows, groups, words = map_words(layer.input_shape, config)
    output_words = map_words(layer.output_shape, config)[2]
    members = {
        "input_rows": rows,
        "input_groups": groups,
        "input_tail": layer.input_shape[1] - (groups - 1) * config.pixels,
        "input_words": words,
        "output_words": output_words,
        "parameter_words": output_words,
        "input_base": input_base,
        "input_end": input_base + rows * groups * words,
        "project": _range(quantized),
    }
    if load_offset is not None:
        members |= _load(rows * groups * words, load_offset, config)
    return members


def head_descriptor(layer, quantized, pool, config, *, input_base, output_base, load_offset=None):
    """Bytes of the descriptor of a head and the pool after it.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
    quantized : mnv2.golden.quantized_layer.QuantizedLayer
    pool : mnv2.golden.quantized_layer.QuantizedMean or QuantizedAveragePool
    config : mnv2.hw.config.AcceleratorConfig
    input_base, output_base : int
        Addresses in the map memory.
    load_offset : int
        Where the input lies in the program's image; None if on chip.
    """
    members = _pointwise(layer, quantized, config, input_base=input_base, load_offset=load_offset)
    members |= {
        "work": Work.HEAD,
        # Each group of pixels goes to the same words: a ring of one pixel.
        "output_base": output_base,
        "output_end": output_base + members["output_words"],
        "pool_parameters": {
            "bias": pool.sum_bias,
            "multiplier": int(pool.multiplier),
            "shift": int(pool.shift),
        },
        "pool": {"zero_point": pool.offset, "minimum": pool.minimum, "maximum": pool.maximum},
    }
    return record_bytes(Descriptor, members)


def classifier_descriptor(
    layer, quantized, config, *, input_base, store_offset, store_bytes, turns, ends_turn
):
    """Bytes of the descriptor of a classifier, or of a part of it.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
    quantized : mnv2.golden.quantized_layer.QuantizedLayer
    config : mnv2.hw.config.AcceleratorConfig
    input_base : int
        Address of the pooled word in the map memory.
    store_offset, store_bytes : int
        Where the logits go in the turn's, and how many bytes.
    turns : mnv2.hw.program.Turns
        Turns that execute it.
    ends_turn : bool
        All logits of a turn are in memory after it.
    """
    members = _pointwise(layer, quantized, config, input_base=input_base, load_offset=None)
    members |= {
        "work": Work.CLASSIFIER,
        "turns": Turns(turns),
        "ends_turn": int(ends_turn),
        "output_base": 0,
        "output_end": 2**ADDRESS_BITS - 1,
        "store": 1,
        "store_offset": store_offset,
        "store_bytes": store_bytes,
        "store_words": members["output_words"],
    }
    return record_bytes(Descriptor, members)
