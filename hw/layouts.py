"""Every payload that crosses a unit's border or the border between host and hardware."""

from amaranth import *
from amaranth.lib import data

from .config import ACCUMULATOR_BITS, NARROW_ACCUMULATOR_BITS, TAPS

__all__ = ["AddParameters", "ChannelParameters", "LayerRange", "NarrowChannelParameters",
           "accumulator_word", "activation_word", "channel_parameters", "logits_word", "tap_word"]


class ChannelParameters(data.Struct):
    """Parameters of requantisation of one output channel with 32-bit accumulators, 72 bits.

    Members
    -------
    bias
        Added to the accumulator, modulo 2**32; the input zero point is folded into it by the host.
    multiplier
        Q31 multiplier, 0 or in [2**30, 2**31).
    shift
        Net right shift in bits, -30 to 31; negative shifts left, before the multiplication.
    """

    bias:       signed(32)
    multiplier: signed(32)
    shift:      signed(8)


class NarrowChannelParameters(data.Struct):
    """Parameters of requantisation of one output channel with narrow accumulators, 64 bits.

    Members
    -------
    bias
        Added to the accumulator; fits one, as every sum does.
    multiplier
        Q31 multiplier, 0 or in [2**30, 2**31).
    shift
        Right shift in bits.
    """

    bias:       signed(NARROW_ACCUMULATOR_BITS[-1])
    multiplier: 31
    shift:      5


class LayerRange(data.Struct):
    """Output range of a layer: its zero point and its clamp, both ends included."""

    zero_point: signed(8)
    minimum:    signed(8)
    maximum:    signed(8)


class AddParameters(data.Struct):
    """Parameters of a residual addition, per tensor.

    Members
    -------
    a_zero_point, b_zero_point
        Zero points of the two inputs.
    a_multiplier, a_shift, b_multiplier, b_shift
        Rescale each input, already shifted left by 20 bits, to the common scale; right shifts.
    multiplier, shift
        Rescale the sum to the output scale; right shift.
    range
        Zero point and clamp of the output.
    """

    a_zero_point: signed(8)
    a_multiplier: signed(32)
    a_shift:      signed(8)
    b_zero_point: signed(8)
    b_multiplier: signed(32)
    b_shift:      signed(8)
    multiplier:   signed(32)
    shift:        signed(8)
    range:        LayerRange


def activation_word(channels, pixels, bits):
    """Layout of a word of activations, indexed ``[pixel][channel]``; element 0 lowest."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), channels), pixels)


def channel_parameters(accumulator_bits):
    """Record of the parameters of one output channel, for accumulators of that width."""
    return ChannelParameters if accumulator_bits == ACCUMULATOR_BITS else NarrowChannelParameters


def accumulator_word(channels, pixels, bits=ACCUMULATOR_BITS):
    """Layout of a word of accumulators, indexed ``[pixel][channel]``."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), channels), pixels)


def tap_word(channels, bits):
    """Layout of the 3x3 kernels of one channel word, indexed ``[channel][tap]``."""
    return data.ArrayLayout(data.ArrayLayout(signed(bits), TAPS), channels)


def logits_word(channels):
    """Layout of a word of logits: accumulators with their biases, and requantised values."""
    return data.StructLayout({
        "accumulators": data.ArrayLayout(signed(ACCUMULATOR_BITS), channels),
        "logits":       data.ArrayLayout(signed(8), channels),
    })
