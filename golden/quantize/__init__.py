"""Post-training quantisation, one idea a file.

`options` names the choices, `mixed_widths` those that differ by layer. `range_statistics`, with
`histogram` and `moments`, collects statistics from pictures, and `calibration` those that a set of
options needs. `ranges` and `scales` choose ranges, scales and zero points; `integer_record` makes
the integer model's records of them; `equalization`, `bias_correction` and `adaptive_rounding`
repair, `block_reconstruction` trains, of `soft_rounding`'s weights; `quantizer` does it all.
"""

from mnv2.golden.quantize.calibration import Calibration, calibrate
from mnv2.golden.quantize.integer_record import add_record, layer_record, mean_record
from mnv2.golden.quantize.mixed_widths import (
    expanded_maps,
    merge_overrides,
    weights_by_size,
    weights_of_kind,
)
from mnv2.golden.quantize.options import QuantizationOptions, first_and_last
from mnv2.golden.quantize.quantizer import quantize_image, quantize_model
from mnv2.golden.quantize.ranges import choose_ranges
from mnv2.golden.quantize.scales import affine_parameters, relu6_clamp, weight_scales

__all__ = [
    "Calibration",
    "QuantizationOptions",
    "add_record",
    "affine_parameters",
    "calibrate",
    "choose_ranges",
    "expanded_maps",
    "first_and_last",
    "layer_record",
    "mean_record",
    "merge_overrides",
    "quantize_image",
    "quantize_model",
    "relu6_clamp",
    "weight_scales",
    "weights_by_size",
    "weights_of_kind",
]
