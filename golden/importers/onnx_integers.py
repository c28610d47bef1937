"""From a network whose training quantised it to the integer model, with the file's own integers.

Every value of such a network is an integer of a grid, so a layer's output is

    clamp(round(accumulator * factor) + zero point),   factor = input step * weight step / step

with the file's rounding, which is mostly half to even. Where all steps are powers of two the
factors are exact, and the result equals QONNX's executor in every element. Other factors have 31
bits, where the executor works in float32: results within float32's error of a tie may differ by
one. A normalisation between a convolution and its quantiser goes into factor and bias.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.fixed_point import quantize_multiplier, quantize_multipliers, signed_range
from mnv2.golden.importers.onnx_grid import Grid
from mnv2.golden.importers.onnx_mean import find_mean
from mnv2.golden.model import QuantizedModel
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.quantized_layer import (
    ACTIVATION_BITS,
    WEIGHT_BITS,
    QuantizedAdd,
    QuantizedLayer,
)
from mnv2.golden.summary import short_repr

#: Share of an accumulator's step by which a bias may miss its integer without being mentioned.
_EXACT = 0.01
_INT32 = signed_range(32)


@dataclass(frozen=True)
class Steps:
    """A tensor's integers as golden has them: signed, and int8.

    Attributes
    ----------
    scale : float
    zero_point : int
    minimum, maximum : int
    bits : int
    shift : int
        What was taken off the file's integers.
    """

    scale: float
    zero_point: int
    minimum: int
    maximum: int
    bits: int
    shift: int
    grid: Grid

    __repr__ = short_repr

    def bound(self, real):
        """The integer that a real number, perhaps infinite, is clamped to."""
        return int(self.grid.integers(np.float32(real)).reshape(-1)[0]) - self.shift


def find_steps(name, grids):
    """The Steps of a tensor that is quantised in one way.

    Parameters
    ----------
    name : str
    grids : list of Grid
    """
    if len(grids) != 1:
        raise ValueError(
            f"The output of {name[:100]} must be quantised, by a Quant of its own"
            if not grids
            else f"The output of {name[:100]} must be quantised in one way, not in {len(grids)}"
        )
    (grid,) = grids
    if grid.bits not in ACTIVATION_BITS or grid.bits > 8:
        raise ValueError(
            f"The output of {name[:100]} must be quantised to 4 to 8 bits, not {grid.bits}"
        )
    shift = 0 if grid.signed else 2 ** (grid.bits - 1)
    low, high = grid.low - shift, grid.high - shift
    return Steps(grid.step, grid.zero - shift, low, high, grid.bits, shift, grid)


def is_power_of_two(value):
    """Whether a positive float is one."""
    return math.frexp(value)[0] == 0.5


@dataclass(eq=False)
class _Builder:
    """Notes of what is not exact, while records are made."""

    rounded_biases: int = 0
    largest: float = 0.0
    moved_halves: int = 0

    __repr__ = short_repr

    def steps(self, name, grids):
        """`find_steps`; notes a zero point that QONNX adds before it rounds to even, or away."""
        made = find_steps(name, grids)
        zero, rounding = made.grid.zero, made.grid.rounding
        moves = {"FLOOR": 0, "HALF_UP": zero}.get(rounding, zero % 2)
        self.moved_halves += bool(moves and made.grid.adds_first)
        return made

    def weights(self, part):
        """(int64 weights less their zero points, float64 scales [C]) of a layer."""
        grid = part.weight_grid
        if grid is None:
            raise ValueError(f"The weights {part.name} must be quantised, as the activations are")
        axes = tuple(range(part.weights.ndim - 1))
        scales = grid.scale.max(axis=axes).astype(np.float64)
        if (grid.scale != grid.scale.max(axis=axes)).any():
            raise ValueError(
                f"The weights {part.name} must have a scale, or one for each output channel"
            )
        integers = np.rint(part.weights.astype(np.float64) / scales).astype(np.int64)
        return integers, scales

    def biases(self, part, scales):
        """float64 (factors of the normalisation [C], biases after it [C])."""
        bias = np.zeros(scales.shape) if part.bias is None else part.bias.astype(np.float64)
        if part.normalization is None:
            return np.ones(scales.shape), bias
        factor, offset = part.normalization.factor_and_offset()
        return factor, bias * factor + offset

    def layer(self, layer, part, source, target):
        """The QuantizedLayer of a `network.Layer` and its OnnxLayer.

        Parameters
        ----------
        source, target : Steps
            Of its input and its output.
        """
        if part.input_grid is None:
            raise ValueError(f"The input of {part.name} must be quantised, by a Quant of its own")
        integers, scales = self.weights(part)
        factors, biases = self.biases(part, scales)
        dead = factors == 0
        integers = np.where(factors < 0, -integers, np.where(dead, 0, integers))
        # A channel that its normalisation multiplies by 0 keeps its bias alone.
        scales = np.where(dead, target.scale / source.scale * 2.0**-16, scales * np.abs(factors))
        steps = source.scale * scales
        bits = needed_bits(integers)
        if bits > WEIGHT_BITS[-1]:
            raise ValueError(
                f"The weights {part.name} less their zero points must fit 8 bits, not {bits}"
            )
        factors = steps / target.scale
        arithmetic = choose_arithmetic(part, target, factors)
        multiplier, shift = quantize_multipliers(factors)
        if arithmetic.rounding == "double":
            multiplier, shift = just_below(multiplier, shift)
        return QuantizedLayer(
            layer.name,
            layer.kind,
            integers.astype(np.int8),
            self.whole(part, biases / steps),
            multiplier,
            shift,
            source.scale,
            source.zero_point,
            scales.astype(np.float32),
            target.scale,
            target.zero_point,
            max(target.minimum, target.bound(part.low)),
            min(target.maximum, target.bound(part.high)),
            layer.stride,
            layer.padding,
            bits,
            target.bits,
            arithmetic,
        )

    def whole(self, part, values):
        """int32 biases of real ones in steps of the accumulator."""
        nearest = np.rint(values)
        if not (np.abs(values) < -_INT32[0]).all():
            raise ValueError(f"The bias of {part.name} must fit 32 bits in the accumulator's steps")
        distance = np.abs(values - nearest)
        self.rounded_biases += int((distance > _EXACT).sum())
        self.largest = max(self.largest, float(distance.max(initial=0)))
        return nearest.astype(np.int32)

    def notes(self):
        """Sentences on each thing that was taken in another form than the file has it."""
        notes = []
        if self.moved_halves:
            notes.append(
                f"{self.moved_halves} tensors have a zero point that moves what QONNX rounds: "
                "halves may go to the other neighbour there"
            )
        if self.rounded_biases:
            notes.append(
                f"{self.rounded_biases:,} biases lie between two integers of their accumulators "
                f"and were rounded, by up to {self.largest:.2f} of a step"
            )
        return tuple(notes)


def needed_bits(integers):
    """Bits of a signed integer that holds all of them, at least 2."""
    low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
    return max(2, max(high, ~low).bit_length() + 1)


def choose_arithmetic(part, target, factors):
    """The Arithmetic of a layer.

    QONNX's HALF_UP goes away from zero. LiteRT's two roundings do that exactly where the first has
    nothing to round, which `just_below` sees to for powers of two. Of other factors no half comes.
    """
    name = target.grid.rounding
    if name != "HALF_UP":
        return Arithmetic(rounding="truncate" if name == "FLOOR" else "even")
    exact = [is_power_of_two(x) for x in factors]
    if all(exact):
        return Arithmetic()
    negative = max(target.minimum, target.bound(part.low)) < target.zero_point
    if any(exact) and negative:
        raise ValueError(
            f"The output of {part.name} must not be rounded HALF_UP: of its channels some have "
            "steps that are powers of two and some have not; train it with ROUND"
        )
    return Arithmetic(rounding="single")


def just_below(multiplier, shift):
    """The Q31 form of powers of two that LiteRT's first rounding leaves whole.

    2**31 - 1 in place of 2**30: (acc * (2**31 - 1) + 2**30) >> 31 is acc, up to 2**30.
    """
    lowered = shift >= 0
    return (
        np.where(lowered, 2**31 - 1, multiplier).astype(np.int32),
        np.where(lowered, shift + 1, shift).astype(np.int32),
    )


def add_integers(name, part, a, b, target):
    """The QuantizedAdd of two tensors' Steps.

    Parameters
    ----------
    part : mnv2.golden.importers.onnx_records.Sum
    a, b, target : Steps
        Of the block's input, of its projection and of the sum.
    """
    if None in part.term_grids:
        raise ValueError(f"Both terms of the operator Add {part.name[:80]} must be quantised")
    widest = 2 * max(a.scale, b.scale)
    parameters = [quantize_multiplier(x.scale / widest) for x in (a, b)]
    lift = 2.0**20
    last = quantize_multiplier(widest / (lift * target.scale))
    exact = all(is_power_of_two(x) for x in (a.scale / widest, b.scale / widest))
    rounding = {"HALF_UP": "double" if exact else "single", "FLOOR": "truncate"}.get(
        target.grid.rounding, "even"
    )
    return QuantizedAdd(
        name,
        a.zero_point,
        b.zero_point,
        *parameters[0],
        *parameters[1],
        *last,
        target.zero_point,
        target.scale,
        target.minimum,
        target.maximum,
        a.scale,
        b.scale,
        target.bits,
        Arithmetic(rounding=rounding),
    )


def _logits_steps(part, source):
    """Steps for logits that the file leaves in floats: int8 that no input clips."""
    grid = part.weight_grid
    if grid is None:
        raise ValueError(f"The weights {part.name} must be quantised, as the activations are")
    reach = (source.maximum - source.minimum) * source.scale
    bias = 0.0 if part.bias is None else np.abs(part.bias).max(initial=0)
    most = float((np.abs(part.weights).sum(axis=0) * reach + bias).max(initial=0))
    scale = 2.0 ** math.ceil(math.log2(max(most, 2.0**-60) / 127))
    low, high = signed_range(8)
    rounding = source.grid.rounding
    zero = np.zeros((), np.float32)
    grid = Grid(np.array(scale, np.float32), zero, low, high, 8, True, rounding)
    return Steps(scale, 0, low, high, 8, 0, grid)


def integer_model(network, found, parts):
    """The QuantizedModel of a network whose training quantised it.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    found : mnv2.golden.importers.onnx_records.Layers
    parts : mnv2.golden.importers.parts.Parts

    Raises
    ------
    ValueError
        If a tensor is not quantised, in more than one way, or to integers that golden has not.
    """
    builder = _Builder()
    image = builder.steps("the image", found.image.grids)
    if (image.minimum, image.maximum) != signed_range(image.bits):
        raise ValueError("The image must be quantised to all integers of its bits, without narrow")
    if image.grid.rounding == "FLOOR":
        raise ValueError("The image must be rounded to the nearest integers, not FLOOR")

    def convolution(layer, part, source):
        target = builder.steps(f"the layer {part.name}", part.grids)
        return builder.layer(layer, part, source, target), target

    stem, steps = convolution(network.stem, parts.stem, image)
    blocks = []
    for block, (chain, total) in zip(network.blocks, parts.blocks, strict=True):
        made, shortcut, add = {}, steps, None
        for layer, part in zip(block.layers, (x for x in chain if x is not None), strict=True):
            made[layer.kind], steps = convolution(layer, part, steps)
        if block.residual:
            target = builder.steps(f"the operator Add {total.name}", total.grids)
            add, steps = add_integers(block.add_name, total, shortcut, steps, target), target
        blocks.append(
            QuantizedBlock(block.name, made.get("expand"), made["depthwise"], made["project"], add)
        )
    head = None
    if network.head is not None:
        head, steps = convolution(network.head, parts.head, steps)
    pool = parts.classifier.source
    if pool.input_grid is None:
        raise ValueError("The input of the pool must be quantised, by a Quant of its own")
    pooled = builder.steps("the pool", pool.grids)
    count = math.prod(network.pool.kernel_size)
    mean = find_mean(count, steps, pooled, Fraction(steps.scale) / Fraction(pooled.scale))
    last = parts.classifier
    logits = (
        builder.steps(f"the layer {last.name}", last.grids)
        if last.grids
        else _logits_steps(last, pooled)
    )
    classifier = builder.layer(network.classifier, last, pooled, logits)
    return QuantizedModel(
        network,
        stem,
        tuple(blocks),
        head,
        mean,
        classifier,
        image.scale,
        image.zero_point,
        image.bits,
        builder.notes(),
    )
