"""Random layers for the depthwise and the pointwise unit, with what golden says of them.

The units sum products of activations in offset binary, x + 2**(bits - 1); golden subtracts the zero
point of the input and adds a bias. Both are held together by the bias that a host folds zero point
and offset into. A unit of two frames gets two maps, word by word side by side.
"""

from dataclasses import dataclass

import numpy as np

from mnv2.golden.ops import depthwise_conv2d, pointwise_conv2d
from tests.hw.maps import line_commands, map_words, output_words
from tests.hw.packing import pack_items, unpack_items

__all__ = ["Case", "depthwise_case", "pointwise_case"]


@dataclass(frozen=True)
class Case:
    """Items for a unit, and what it is to give.

    Attributes
    ----------
    inputs : dict of str to list of int
        Payloads by port.
    layout : ShapeLike
        Of the output payload.
    expected : list of (word, address, int64 [pixels, channels])
        Output words; one at the end of a row has fewer pixels.
    command_of : list of int
        Number of the command that gives each output word.
    step_of : list of int
        Number of the step in that command that completes the word.
    """

    inputs: dict[str, list[int]]
    layout: object
    expected: list
    command_of: list[int]
    step_of: list[int]

    @property
    def outputs(self):
        """Number of items by output port."""
        return {"o": len(self.expected)}

    @property
    def deadline(self):
        """Cycles that suffice with frequent stalls."""
        return 300 + 10 * (len(self.expected) + sum(map(len, self.inputs.values())))

    def check(self, trace):
        """Compare the transfers of a run with golden."""
        results = unpack_items(self.layout, trace.items["o"])
        for n, (word, address, values) in enumerate(self.expected):
            place = f"output {n}, command {self.command_of[n]}, step {self.step_of[n]}"
            assert (results["word"][n], results["address"][n]) == (word, address), place
            np.testing.assert_array_equal(results["accumulators"][n, : len(values)], values, place)


def _draw(rng, bits, shape):
    """Values of the whole range, its ends among them more often."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    values = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.1, rng.choice([low, high], shape), values)


def _unfold(unit, accumulators, bias, zero_point, weight_sums):
    """Sums of products, from golden's accumulators: less the bias that a host folds."""
    offset = zero_point + (1 << unit.activation_bits - 1)
    sums = accumulators.astype(np.int64) - (bias - offset * weight_sums)
    half = 1 << unit.accumulator_bits - 1
    return (sums + half) % (2 * half) - half


def _weight_items(unit, sets, rng):
    """Payloads of ``i_weights`` for sets of words [N, ...], each in a random order."""
    items = []
    for words in sets:
        order = rng.permutation(len(words))
        items += pack_items(
            unit.i_weights.payload.shape(),
            {
                "weights": words[order],
                "address": order,
                "last": np.arange(len(words)) == len(words) - 1,
            },
        )
    return items


def depthwise_case(unit, geometries, seed):
    """Maps one after the other, each with kernels of its own, kept over the commands of the map."""
    rng = np.random.default_rng(seed)
    lanes = dict(
        channels=unit.frames * unit.channels, pixels=unit.pixels, tile_words=unit.tile_words
    )
    sets, commands, words, expected, command_of, step_of = [], [], [], [], [], []
    for geometry in geometries:
        channels = geometry.words * unit.frames * unit.channels
        zero_point = int(_draw(rng, unit.activation_bits, ()))
        activation = _draw(rng, unit.activation_bits, (geometry.rows, geometry.columns, channels))
        given = _draw(rng, unit.weight_bits, (3, 3, geometry.words, 1, unit.channels))
        kernels = np.repeat(given, unit.frames, 3).reshape(3, 3, channels)
        bias = rng.integers(-(2**20), 2**20, channels)
        accumulators = depthwise_conv2d(
            activation, kernels, bias, zero_point, geometry.stride, geometry.pads
        )
        sums = _unfold(unit, accumulators, bias, zero_point, kernels.sum((0, 1)))
        # [3, 3, word, 1, channel] to [word, channel, tap]
        sets.append(given.reshape(9, geometry.words, unit.channels).transpose(1, 2, 0))
        lines = line_commands(geometry, unit.pixels, zero_point)
        for index, line in enumerate(lines):
            command = {"line": line, "release": int(index == len(lines) - 1)}
            commands.append(unit.i_command.payload.shape().const(command).as_bits())
        words += map_words(geometry, activation, filler=rng, **lanes)
        for outputs in output_words(geometry, sums, **lanes):
            command_of += [(command_of[-1] if command_of else -1) + 1] * len(outputs)
            step_of += [step for step, *_ in outputs]
            expected += [output for _, *output in outputs]
    return Case(
        {
            "i_weights": _weight_items(unit, sets, rng),
            "i_command": commands,
            "i": pack_items(unit.i.payload.shape(), np.concatenate(words)),
        },
        unit.o.payload.shape(),
        expected,
        command_of,
        step_of,
    )


def pointwise_case(unit, layers, seed):
    """Layers one after the other, each with weights of its own.

    Parameters
    ----------
    layers : list of (groups, input_words, output_words)
        ``groups`` is a tuple: groups of pixels of each command of the layer.
    """
    rng = np.random.default_rng(seed)
    sets, commands, words, expected, command_of, step_of = [], [], [], [], [], []
    tile_words = unit.outputs // unit.inputs
    for groups, input_words, output_words_ in layers:
        tiles = -(-output_words_ // tile_words)
        zero_point = int(_draw(rng, unit.activation_bits, ()))
        # [pixel, word, frame, channel]
        activation = _draw(
            rng,
            unit.activation_bits,
            (sum(groups) * unit.pixels, input_words, unit.frames, unit.inputs),
        )
        # The lanes beyond the last output word hold anything.
        weights = _draw(rng, unit.weight_bits, (input_words * unit.inputs, tiles * unit.outputs))
        bias = rng.integers(-(2**20), 2**20, weights.shape[1])
        # [pixel, frame, M]: the frames are rows of one map.
        accumulators = pointwise_conv2d(
            activation.transpose(0, 2, 1, 3).reshape(-1, unit.frames, weights.shape[0]),
            weights,
            bias,
            zero_point,
        )
        sums = _unfold(unit, accumulators, bias, zero_point, weights.sum(0))
        # [C, M] to [tile, input word][output, input]
        sets.append(
            weights.reshape(input_words, unit.inputs, tiles, unit.outputs)
            .transpose(2, 0, 3, 1)
            .reshape(-1, unit.outputs, unit.inputs)
        )
        # [group, word, pixel, frame * inputs + channel]
        lanes = unit.frames * unit.inputs
        taken = activation.reshape(-1, unit.pixels, input_words, lanes).transpose(0, 2, 1, 3)
        words.append(np.repeat(taken[:, None], tiles, 1).reshape(-1, unit.pixels, lanes))
        given = sums.reshape(-1, unit.pixels, unit.frames, tiles * tile_words, unit.inputs)
        given = given.transpose(0, 3, 1, 2, 4).reshape(-1, tiles * tile_words, unit.pixels, lanes)
        first = 0
        for index, count in enumerate(groups):
            commands.append(
                {
                    "groups": count,
                    "input_words": input_words,
                    "output_words": output_words_,
                    "release": index == len(groups) - 1,
                }
            )
            for group in range(count):
                for word in range(output_words_):
                    expected.append(
                        (word, group * output_words_ + word, given[first + group, word])
                    )
                    command_of.append(len(commands) - 1)
                    step_of.append((group * tiles + word // tile_words + 1) * input_words - 1)
            first += count
    shape = unit.i_command.payload.shape()
    return Case(
        {
            "i_weights": _weight_items(unit, sets, rng),
            "i_command": [shape.const(command).as_bits() for command in commands],
            "i": pack_items(unit.i.payload.shape(), np.concatenate(words)),
        },
        unit.o.payload.shape(),
        expected,
        command_of,
        step_of,
    )
