"""Tensors as the accelerator's words: lanes in order, dense, least significant bit first.

A word of a map holds `inputs` channels of `pixels` consecutive pixels of a row; words follow row by
row, group of pixels by group of pixels, channel word by channel word. Lanes beyond a map are zero.
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


def _groups(size, lanes):
    return -(-size // lanes)


def pack_map(tensor, config):
    """Bytes of an activation map.

    Parameters
    ----------
    tensor : int8 [H, W, C]
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    uint8 array
    """
    rows, width, channels = tensor.shape
    groups, words = _groups(width, config.pixels), _groups(channels, config.inputs)
    padded = np.zeros((rows, groups * config.pixels, words * config.inputs), np.int8)
    padded[:, :width, :channels] = tensor
    lanes = padded.reshape(rows, groups, config.pixels, words, config.inputs)
    return pack_bits(lanes.transpose(0, 1, 3, 2, 4), config.activation_bits)


def pack_image(image, config):
    """Bytes of an image: groups of pixels row by row, its channels in each pixel, no empty lanes.

    Parameters
    ----------
    image : int8 [H, W, 3]
    """
    rows, width, channels = image.shape
    padded = np.zeros((rows, _groups(width, config.pixels) * config.pixels, channels), np.int8)
    padded[:, :width] = image
    return pack_bits(padded, config.activation_bits)


def unpack_map(data, shape, config):
    """int8 [H, W, C] from the bytes of an activation map of that shape."""
    rows, width, channels = shape
    groups, words = _groups(width, config.pixels), _groups(channels, config.inputs)
    count = rows * groups * words * config.pixels * config.inputs
    lanes = unpack_bits(data, config.activation_bits, count).reshape(
        rows, groups, words, config.pixels, config.inputs
    )
    padded = lanes.transpose(0, 1, 3, 2, 4).reshape(
        rows, groups * config.pixels, words * config.inputs
    )
    return np.ascontiguousarray(padded[:, :width, :channels])


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
