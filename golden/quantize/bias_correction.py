"""Bias correction: rounded weights give each output the mean that the float weights gave.

Weights that are off by e shift the mean of an output by e . mean(x), on every pixel, and later
layers see that shift. The mean input of every tap is known from the calibration pictures, so the
bias takes the shift up exactly. Where the datapath truncates, `mnv2.golden.quantize.quantizer` adds
the half step of each output to it as well, which makes the truncation a rounding.

Ref: Nagel et al., arXiv:1906.04721, section 4.2 (equation 17), with the mean input measured on
pictures where the paper derives it from batch normalisation. Its appendix D compares the
quantised network's means with the float network's instead; where ranges clip outliers on purpose
that pulls every pixel towards what a few have lost, and costs far more than it repairs.
"""

import numpy as np

from mnv2.golden.quantize.moments import group_weights


def corrected_bias(layer, weights, bias, integers, scales, mean_input):
    """The bias that leaves each output's mean where the float weights had it.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
    weights : float32
        Axes as in QuantizedLayer.
    bias : float32 [Cout]
    integers : int8, as the weights
        The weights, rounded, in steps of their scale.
    scales : float32 [Cout]
    mean_input : float64 [groups, inputs]
        As `LayerMoments.mean` gives it.

    Returns
    -------
    float64 [Cout]
    """
    error = integers * scales.astype(np.float64) - weights
    shift = np.einsum("gi,gio->go", mean_input, group_weights(layer, error)).reshape(-1)
    return bias - shift
