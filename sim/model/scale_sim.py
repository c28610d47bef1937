"""Cycles that SCALE-Sim gives a layer, from its closed form."""

__all__ = ["scale_sim_cycles"]


def scale_sim_cycles(layer, rows, columns):
    """Cycles of a layer on a systolic array that holds its weights, if memory never waits.

    A fold holds ``rows`` products of an output and ``columns`` outputs; its weights are shifted in,
    then all pixels pass. A depthwise layer is given to it as its users give it, as one filter over
    all channels, which leaves all but one column idle.

    Parameters
    ----------
    layer : golden.network.Layer
        The pool, which it does not know, takes none.
    rows, columns : int
        Of the array.

    Returns
    -------
    int

    Ref: SCALE-Sim 3.0.0, weight-stationary, which the formula equals on all layers of MobileNetV2.
    """
    if layer.kind == "pool":
        return 0
    products = layer.kernel_size[0] * layer.kernel_size[1] * layer.input_channels
    outputs  = 1 if layer.kind == "depthwise" else layer.output_channels
    pixels   = layer.output_shape[0] * layer.output_shape[1]
    folds    = -(-products // rows) * -(-outputs // columns)
    return folds * (pixels + 2 * rows + columns - 2) - 1
