"""Tensors as the accelerator's words: lanes in order, least significant bit first.

A word of a map holds `inputs` channels of `pixels` consecutive pixels of a row; words follow row by
row, group of pixels by group of pixels, channel word by channel word. Lanes beyond a map are zero.
Where two frames are computed abreast, a word holds those channels of either frame, pixel by pixel.

Maps and images are packed as they lie in external memory, see `mnv2.hw.stream_layout`; weights,
kernels and parameters without gaps: `mnv2.sim.mapping.program` puts them into their places.
"""

import math

import numpy as np

from mnv2.hw.config import ACCUMULATOR_BITS, IMAGE_CHANNELS, NARROW_ACCUMULATOR_BITS, TAPS

__all__ = [
    "pack_bits",
    "pack_image",
    "pack_map",
    "pack_parameters",
    "pack_taps",
    "pack_weights",
    "pad_stem",
    "place_words",
    "take_words",
    "unpack_bits",
    "unpack_map",
]


def pack_bits(values, bits):
    """Bytes of integers of `bits` bits each, in C order, without gaps.

    Parameters
    ----------
    values : int8 array
        Each fits into `bits` bits, two's complement.
    bits : int
        Bits of each value, 1 to 8.

    Returns
    -------
    uint8 [ceil(values.size * bits / 8)]

    Raises
    ------
    ValueError
        If a value does not fit: it was quantised to more bits.
    """
    limit = 2 ** (bits - 1)
    for value in (values.min(), values.max()) if values.size else ():
        if not -limit <= value < limit:
            raise ValueError(f"Values must fit into {bits} bits, not {value}")
    flat = np.ascontiguousarray(values, np.int8).reshape(-1).view(np.uint8)
    if bits == 8:
        return flat.copy()
    planes = np.unpackbits(flat[:, None], axis=1, bitorder="little")[:, :bits]
    return np.packbits(planes.reshape(-1), bitorder="little")


def unpack_bits(data, bits, count):
    """int8 [count] from bytes that `pack_bits` made."""
    data = np.frombuffer(data, np.uint8)
    if bits == 8:
        return data[:count].view(np.int8).copy()
    planes = np.unpackbits(data, bitorder="little")[: count * bits].reshape(count, bits)
    # The sign is repeated up to the eighth bit.
    planes = np.concatenate([planes, np.repeat(planes[:, -1:], 8 - bits, axis=1)], axis=1)
    return np.packbits(planes, axis=1, bitorder="little").reshape(-1).view(np.int8)


def place_words(data, words, layout):
    """Bytes of words in external memory.

    Parameters
    ----------
    data : uint8 array
        Words of ``layout.word_bits`` without gaps, and zeros up to a byte.
    words : int
        Number of words.
    layout : mnv2.hw.stream_layout.StreamLayout

    Returns
    -------
    uint8 [layout.memory_bytes(words)]
    """
    if layout.taken_bits == layout.word_bits and layout.beat_bits == layout.data_bits:
        return data
    bits = np.unpackbits(data, bitorder="little")[: words * layout.word_bits]
    bits = bits.reshape(words, layout.word_bits)
    bits = np.pad(bits, ((0, 0), (0, layout.taken_bits - layout.word_bits))).reshape(-1)
    beats = layout.beats(words)
    bits = np.pad(bits, (0, beats * layout.beat_bits - len(bits))).reshape(beats, layout.beat_bits)
    bits = np.pad(bits, ((0, 0), (0, layout.data_bits - layout.beat_bits)))
    return np.packbits(bits.reshape(-1), bitorder="little")


def take_words(data, words, layout):
    """Words without gaps from bytes that `place_words` made: uint8 array."""
    data = np.frombuffer(data, np.uint8)
    if layout.taken_bits == layout.word_bits and layout.beat_bits == layout.data_bits:
        return data
    bits = np.unpackbits(data, bitorder="little").reshape(-1, layout.data_bits)
    bits = bits[:, : layout.beat_bits].reshape(-1)[: words * layout.taken_bits]
    bits = bits.reshape(words, layout.taken_bits)[:, : layout.word_bits]
    return np.packbits(bits.reshape(-1), bitorder="little")


def _groups(size, lanes):
    return -(-size // lanes)


def _stack_frames(tensors, config):
    """int8 [frames, H, W, C] from a tensor, or from the tensors of two frames."""
    if config.frames == 1:
        return tensors[np.newaxis]
    if len(tensors) != config.frames:
        raise ValueError(f"Tensors must be {config.frames}, one for each frame, not {len(tensors)}")
    return np.stack(tensors)


def pack_map(tensor, config):
    """Bytes of an activation map as it lies in external memory.

    Parameters
    ----------
    tensor : int8 [H, W, C], or a sequence of two
        With ``config.frames`` of 2 the maps of both frames.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    uint8 array
    """
    maps = _stack_frames(tensor, config)
    frames, rows, width, channels = maps.shape
    groups, words = _groups(width, config.pixels), _groups(channels, config.inputs)
    padded = np.zeros((frames, rows, groups * config.pixels, words * config.inputs), np.int8)
    padded[:, :, :width, :channels] = maps
    lanes = padded.reshape(frames, rows, groups, config.pixels, words, config.inputs)
    data = pack_bits(lanes.transpose(1, 2, 4, 3, 0, 5), config.activation_bits)
    return place_words(data, rows * groups * words, config.streams["activations"])


def pack_image(image, config):
    """Bytes of an image: groups of pixels row by row, its channels in each pixel, no empty lanes.

    Parameters
    ----------
    image : int8 [H, W, C], or a sequence of two
        At most 3 channels; fewer are followed by zeros. With ``config.frames`` of 2 the images of
        both frames, pixel by pixel.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    uint8 array
    """
    images = _stack_frames(image, config)
    frames, rows, width, channels = images.shape
    groups = _groups(width, config.pixels)
    padded = np.zeros((frames, rows, groups * config.pixels, IMAGE_CHANNELS), np.int8)
    padded[:, :, :width, :channels] = images
    data = pack_bits(padded.transpose(1, 2, 0, 3), config.activation_bits)
    return place_words(data, rows * groups, config.streams["image"])


def pad_stem(weights):
    """int8 [3, 3, 3, Cout] of a stem's weights: zeros for the channels that `pack_image` adds."""
    missing = IMAGE_CHANNELS - weights.shape[2]
    return np.pad(weights, ((0, 0), (0, 0), (0, missing), (0, 0)))


def unpack_map(data, shape, config, layout=None):
    """Activation map from its bytes.

    Parameters
    ----------
    data : bytes
    shape : tuple of int
        (rows, columns, channels).
    config : mnv2.hw.config.AcceleratorConfig
    layout : mnv2.hw.stream_layout.StreamLayout, optional
        Layout of its words; by default that of external memory.

    Returns
    -------
    int8 [H, W, C], or a list of two
        With ``config.frames`` of 2 the maps of both frames.
    """
    rows, width, channels = shape
    groups, words = _groups(width, config.pixels), _groups(channels, config.inputs)
    shape = rows, groups, words, config.pixels, config.frames, config.inputs
    data = take_words(data, rows * groups * words, layout or config.streams["activations"])
    lanes = unpack_bits(data, config.activation_bits, math.prod(shape)).reshape(shape)
    padded = lanes.transpose(4, 0, 1, 3, 2, 5).reshape(
        config.frames, rows, groups * config.pixels, words * config.inputs
    )
    maps = [np.ascontiguousarray(one[:, :width, :channels]) for one in padded]
    return maps if config.frames == 2 else maps[0]


def pack_weights(weights, config):
    """Bytes of 1x1 weights: for each tile of outputs, each word of inputs: ``[output][input]``.

    Parameters
    ----------
    weights : int8 [Cin, Cout]
    """
    inputs, outputs = weights.shape
    words, tiles = _groups(inputs, config.inputs), _groups(outputs, config.outputs)
    padded = np.zeros((words * config.inputs, tiles * config.outputs), np.int8)
    padded[:inputs, :outputs] = weights
    lanes = padded.reshape(words, config.inputs, tiles, config.outputs).transpose(2, 0, 3, 1)
    return pack_bits(lanes, config.weight_bits)


def pack_taps(weights, config):
    """Bytes of 3x3 kernels: for each channel word ``[channel][tap]``.

    Parameters
    ----------
    weights : int8 [3, 3, C]
    """
    channels = weights.shape[2]
    words = _groups(channels, config.inputs)
    padded = np.zeros((words * config.inputs, TAPS), np.int8)
    padded[:channels] = weights.reshape(TAPS, channels).T
    return pack_bits(padded, config.weight_bits)


def pack_parameters(layer, config):
    """Bytes of a layer's requantisation parameters, 64 or 72 bits a channel.

    The array multiplies ``u = x + h`` with ``h = 2**(activation_bits - 1)``. That and the input
    zero point go into the bias: ``sum((x - z) * w) + b = sum(u * w) + (b - (z + h) * sum(w))``,
    modulo 2**accumulator_bits, which padding by ``z`` leaves true.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
        With narrow accumulators one that `mnv2.sim.mapping.bounds.check_layer` accepts.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    uint8 array
        See `mnv2.hw.layouts.ChannelParameters` and `mnv2.hw.layouts.NarrowChannelParameters`.
    """
    axes = tuple(range(layer.weights.ndim - 1))
    sums = layer.weights.astype(np.int64).sum(axis=axes)
    half = 2 ** (config.activation_bits - 1)
    bias = layer.bias.astype(np.int64) - (layer.input_zero_point + half) * sums
    lanes = _groups(len(bias), config.inputs) * config.inputs
    if config.accumulator_bits != ACCUMULATOR_BITS:
        multiplier, shift = (part.astype(np.int64) for part in (layer.multiplier, layer.shift))
        bias_bits, multiplier_bits = NARROW_ACCUMULATOR_BITS[-1], 31
        words = np.zeros(lanes, "<u8")
        words[: len(bias)] = (
            bias & (1 << bias_bits) - 1
            | multiplier << bias_bits
            | shift << bias_bits + multiplier_bits
        ).astype(np.uint64)
        return words.view(np.uint8)
    record = np.zeros(lanes, np.dtype([("bias", "<u4"), ("multiplier", "<i4"), ("shift", "i1")]))
    record["bias"][: len(bias)] = (bias & 0xFFFFFFFF).astype(np.uint32)
    record["multiplier"][: len(bias)] = layer.multiplier
    record["shift"][: len(bias)] = layer.shift
    return record.view(np.uint8)
