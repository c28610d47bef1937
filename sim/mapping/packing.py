"""Tensors as the accelerator's words: lanes in order, least significant bit first.

A word of a map holds `inputs` channels of `pixels` consecutive pixels of a row; words follow row by
row, group of pixels by group of pixels, channel word by channel word. Lanes beyond a map are zero.
Where two frames are computed abreast, a word holds those channels of either frame, pixel by pixel.

Maps and images are packed as they lie in external memory, each word with its padding. Weights,
kernels and parameters are dense: `mnv2.sim.mapping.program` pads them.
"""

import numpy as np

from mnv2.hw.config import TAPS

__all__ = [
    "pack_bits",
    "pack_image",
    "pack_map",
    "pack_parameters",
    "pack_taps",
    "pack_weights",
    "pack_words",
    "unpack_bits",
    "unpack_map",
    "unpack_words",
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


def pack_words(lanes, bits, word_bits):
    """Bytes of words that take `word_bits` each: their lanes, then zeros.

    Parameters
    ----------
    lanes : int8 [words, lanes]
        Each fits into `bits` bits, two's complement.
    bits : int
        Bits of a lane, 1 to 8.
    word_bits : int
        Those of the lanes or more; whole bytes if more.

    Returns
    -------
    uint8 [ceil(words * word_bits / 8)]
    """
    words, count = lanes.shape
    if count * bits == word_bits:
        return pack_bits(lanes, bits)
    data = np.zeros((words, word_bits // 8), np.uint8)
    filled = -(-count * bits // 8)
    if count * bits % 8 == 0:
        data[:, :filled] = pack_bits(lanes, bits).reshape(words, filled)
    else:
        for word, row in zip(data, lanes, strict=True):
            word[:filled] = pack_bits(row, bits)
    return data.reshape(-1)


def unpack_words(data, bits, word_bits, shape):
    """int8 [words, lanes] of that shape from bytes that `pack_words` made."""
    words, count = shape
    if count * bits == word_bits:
        return unpack_bits(data, bits, words * count).reshape(shape)
    data = np.frombuffer(data, np.uint8)[: words * word_bits // 8].reshape(words, word_bits // 8)
    filled = -(-count * bits // 8)
    if count * bits % 8 == 0:
        return unpack_bits(data[:, :filled].tobytes(), bits, words * count).reshape(shape)
    return np.stack([unpack_bits(word[:filled].tobytes(), bits, count) for word in data])


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
    lanes = lanes.transpose(1, 2, 4, 3, 0, 5).reshape(rows * groups * words, -1)
    return pack_words(lanes, config.activation_bits, config.memory_word_bits["activations"])


def pack_image(image, config):
    """Bytes of an image: groups of pixels row by row, its channels in each pixel, no empty lanes.

    Parameters
    ----------
    image : int8 [H, W, 3], or a sequence of two
        With ``config.frames`` of 2 the images of both frames, pixel by pixel.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    uint8 array
    """
    images = _stack_frames(image, config)
    frames, rows, width, channels = images.shape
    groups = _groups(width, config.pixels)
    padded = np.zeros((frames, rows, groups * config.pixels, channels), np.int8)
    padded[:, :, :width] = images
    lanes = padded.transpose(1, 2, 0, 3).reshape(rows * groups, -1)
    return pack_words(lanes, config.activation_bits, config.memory_word_bits["image"])


def unpack_map(data, shape, config, word_bits=None):
    """Activation map from its bytes.

    Parameters
    ----------
    data : bytes
    shape : tuple of int
        (rows, columns, channels).
    config : mnv2.hw.config.AcceleratorConfig
    word_bits : int, optional
        Bits that each word takes in `data`; by default those that it takes in external memory.

    Returns
    -------
    int8 [H, W, C], or a list of two
        With ``config.frames`` of 2 the maps of both frames.
    """
    rows, width, channels = shape
    groups, words = _groups(width, config.pixels), _groups(channels, config.inputs)
    lanes = unpack_words(
        data,
        config.activation_bits,
        word_bits or config.memory_word_bits["activations"],
        (rows * groups * words, config.pixels * config.frames * config.inputs),
    ).reshape(rows, groups, words, config.pixels, config.frames, config.inputs)
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
    """Bytes of a layer's requantisation parameters, 72 bits a channel.

    The input zero point goes into the bias: ``sum((x - z) * w) + b = sum(x * w) + (b - z *
    sum(w))``, modulo 2**32, which padding by ``z`` leaves true.

    Parameters
    ----------
    layer : mnv2.golden.quantized_layer.QuantizedLayer
    """
    axes = tuple(range(layer.weights.ndim - 1))
    sums = layer.weights.astype(np.int64).sum(axis=axes)
    bias = layer.bias.astype(np.int64) - layer.input_zero_point * sums
    channels = len(bias)
    record = np.zeros(
        _groups(channels, config.inputs) * config.inputs,
        np.dtype([("bias", "<u4"), ("multiplier", "<i4"), ("shift", "i1")]),
    )
    record["bias"][:channels] = (bias & 0xFFFFFFFF).astype(np.uint32)
    record["multiplier"][:channels] = layer.multiplier
    record["shift"][:channels] = layer.shift
    return record.view(np.uint8)
