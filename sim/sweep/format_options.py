"""The options of quantisation that a format means."""

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.quantize import QuantizationOptions, first_and_last
from mnv2.sim.sweep.grid import Point

__all__ = ["quantization_options"]


def quantization_options(point: Point) -> QuantizationOptions:
    """The mnv2.golden.quantize.QuantizationOptions of a `mnv2.sim.sweep.grid.Point`."""
    return QuantizationOptions(
        weight_bits=point.weight_bits,
        activation_bits=point.activation_bits,
        overrides=first_and_last(8) if point.first_last == "8" else (),
        granularity=point.granularity,
        scales=point.scales,
        arithmetic=Arithmetic(
            point.multiplier_bits, point.rounding, point.accumulator_bits, point.overflow
        ),
        range_method=point.ranges,
        weight_range_method=point.weight_ranges,
        equalization=point.equalization == "on",
        bias_correction=point.bias_correction == "on",
        adaptive_rounding=point.adaptive_rounding == "on",
    )
