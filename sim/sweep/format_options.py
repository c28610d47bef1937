"""The options of quantisation that a format means."""

from typing import Any

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.network import Network
from mnv2.golden.quantize import (
    QuantizationOptions,
    expanded_maps,
    first_and_last,
    merge_overrides,
    weights_by_size,
    weights_of_kind,
)
from mnv2.sim.sweep.grid import Point

__all__ = ["quantization_options"]


def quantization_options(point: Point, network: Network) -> QuantizationOptions:
    """The options of a format.

    Parameters
    ----------
    point : mnv2.sim.sweep.grid.Point
    network : mnv2.golden.network.Network
        Its layers are those whose widths may differ.

    Returns
    -------
    mnv2.golden.quantize.QuantizationOptions
    """
    return QuantizationOptions(
        weight_bits=point.weight_bits,
        activation_bits=point.activation_bits,
        overrides=_overrides(point, network),
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


def _overrides(point: Point, network: Network) -> dict[str, Any]:
    """Widths of single layers; those of the first and the last layer hold before others."""
    several: list[dict[str, Any]] = []
    if point.layer_weights == "depthwise-8":
        several.append(weights_of_kind(network, "depthwise", 8))
    elif point.layer_weights == "by-size":
        several.append(weights_by_size(network, point.weight_bits))
    if point.expanded_bits != "same":
        several.append(expanded_maps(network, int(point.expanded_bits)))
    if point.first_last == "8":
        several.append(first_and_last(8))
    return merge_overrides(*several)
