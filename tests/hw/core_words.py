"""Golden's tensors and layers as words and items of the core, in numpy alone.

A word holds ``inputs`` channels of ``pixels`` pixels of each frame: ``[pixel][frame * inputs +
channel]``; lanes beyond a map carry anything. The array takes activations with their top bits
flipped, so a bias carries that offset of the sums along with the zero point's.
"""

import numpy as np

from mnv2.hw.config import IMAGE_CHANNELS, TAPS

__all__ = [
    "add_parameters",
    "image_words",
    "layer_range",
    "map_of_words",
    "map_words",
    "parameter_words",
    "pool_parameters",
    "tap_words",
    "weight_words",
]


def groups(size, lanes):
    """Words, or groups, that a number of elements takes."""
    return -(-size // lanes)


def _padded(rng, shape, tensor, bits):
    """A tensor in the first corner of a larger one of anything."""
    half = 1 << bits - 1
    filled = rng.integers(-half, half, shape)
    filled[tuple(slice(size) for size in tensor.shape)] = tensor
    return filled


def map_words(maps, config, rng):
    """Words of a map of each frame, int8 [H, W, C] each: int64 [N, pixel, frame * channel].

    Row by row, group of pixels by group of pixels, channel word by channel word.
    """
    frames, (rows, columns, channels) = len(maps), maps[0].shape
    width, words = groups(columns, config.pixels), groups(channels, config.inputs)
    shape = (frames, rows, width * config.pixels, words * config.inputs)
    filled = _padded(rng, shape, np.stack(maps), config.activation_bits)
    lanes = filled.reshape(frames, rows, width, config.pixels, words, config.inputs)
    return lanes.transpose(1, 2, 4, 3, 0, 5).reshape(-1, config.pixels, config.word_channels)


def map_of_words(found, shape, config):
    """The maps of the frames, int64 [frame, H, W, C], from words as `map_words` makes them."""
    rows, columns, channels = shape
    width, words = groups(columns, config.pixels), groups(channels, config.inputs)
    lanes = found.reshape(rows, width, words, config.pixels, config.frames, config.inputs)
    joined = lanes.transpose(4, 0, 1, 3, 2, 5).reshape(
        config.frames, rows, width * config.pixels, words * config.inputs
    )
    return joined[:, :, :columns, :channels]


def image_words(images, config, rng):
    """Words of an image of each frame, int8 [H, W, 3]."""
    assert images[0].shape[2] == IMAGE_CHANNELS <= config.inputs
    return map_words(images, config, rng)


def weight_words(weights, config):
    """Words of 1x1 weights [Cin, Cout]: by tile of outputs, word of inputs: [output, input].

    A stem's [3, 3, 3, Cout] are those of its 27 values, taps first.
    """
    weights = weights.reshape(-1, weights.shape[-1])
    inputs, outputs = weights.shape
    words, tiles = groups(inputs, config.inputs), groups(outputs, config.outputs)
    padded = np.zeros((words * config.inputs, tiles * config.outputs), np.int64)
    padded[:inputs, :outputs] = weights
    lanes = padded.reshape(words, config.inputs, tiles, config.outputs)
    return lanes.transpose(2, 0, 3, 1).reshape(-1, config.outputs, config.inputs)


def tap_words(weights, config):
    """Words of 3x3 kernels [3, 3, C]: [channel, tap]."""
    channels = weights.shape[2]
    padded = np.zeros((groups(channels, config.inputs) * config.inputs, TAPS), np.int64)
    padded[:channels] = weights.reshape(TAPS, channels).T
    return padded.reshape(-1, config.inputs, TAPS)


def _wrapped(values, bits):
    half = 1 << bits - 1
    return (values + half) % (2 * half) - half


def parameter_words(layer, config):
    """Parameters of requantisation, word by word: arrays [N, channel] by member."""
    sums = layer.weights.astype(np.int64).reshape(-1, layer.weights.shape[-1]).sum(0)
    offset = layer.input_zero_point + (1 << config.activation_bits - 1)
    count = groups(len(sums), config.inputs) * config.inputs
    members = {
        "bias": _wrapped(layer.bias - offset * sums, config.accumulator_bits),
        "multiplier": layer.multiplier,
        "shift": layer.shift,
    }
    return {
        name: np.pad(np.asarray(of, np.int64), (0, count - len(sums))).reshape(-1, config.inputs)
        for name, of in members.items()
    }


def layer_range(layer):
    """Output range of a record."""
    return {
        "zero_point": layer.output_zero_point,
        "minimum": layer.minimum,
        "maximum": layer.maximum,
    }


def pool_parameters(pool):
    """The pool's factor; its sums are those of the activations themselves."""
    return {
        "bias": -pool.count * pool.input_zero_point,
        "multiplier": int(pool.multiplier),
        "shift": int(pool.shift),
    }


def add_parameters(add):
    """Parameters of a residual addition."""
    names = [f"{side}_{name}" for side in "ab" for name in ("zero_point", "multiplier", "shift")]
    members = {name: int(getattr(add, name)) for name in (*names, "multiplier", "shift")}
    return members | {"range": layer_range(add)}
