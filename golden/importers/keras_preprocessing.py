"""Layers before the stem that work on pixels, folded into the normalisation of the input.

Ref: Keras 3.15 `layers/preprocessing/rescaling.py` (x * scale + offset), `normalization.py`
((x - mean) / max(sqrt(variance), epsilon)); `ops/numpy.py` TrueDivide, Subtract, Multiply, Add;
tf_keras 2.21 `layers/core/tf_op_layer.py` (TFOpLambda).
"""

import numpy as np

from mnv2.golden.float_model import InputNormalization
from mnv2.golden.importers.keras_layers import MODELS

#: Layers that change nothing at inference.
IDENTITIES = (
    "Dropout",
    "SpatialDropout2D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "Identity",
    "RandomBrightness",
    "RandomContrast",
    "RandomFlip",
    "RandomHeight",
    "RandomHue",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
)
_OPERATIONS = {
    "TrueDivide": "divide",
    "Divide": "divide",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Add": "add",
}
#: TFOpLambda's functions.
_FUNCTIONS = {
    "math.truediv": "divide",
    "math.divide": "divide",
    "__operators__.truediv": "divide",
    "math.subtract": "subtract",
    "__operators__.sub": "subtract",
    "math.multiply": "multiply",
    "__operators__.mul": "multiply",
    "math.add": "add",
    "__operators__.add": "add",
}
#: numpy's epsilon in Normalization.
_EPSILON = 1e-7
#: Largest pixel of a picture as files hold it, and the largest value that a normalised one may
#: reach: what is larger was made for pixels from 0 to 1.
PIXEL_MAXIMUM, _LARGEST = 255.0, 64.0


def is_operation(layer):
    """Whether a layer computes with a constant: not the Add of two tensors."""
    return layer.kind in ("Rescaling", "Normalization", "TFOpLambda") or (
        layer.kind in _OPERATIONS and bool(layer.constants)
    )


def find_preprocessing(layers):
    """The layers that stand between the input and the stem and compute with constants, in order.

    Parameters
    ----------
    layers : list of KerasLayer

    Raises
    ------
    ValueError
        If such a layer stands anywhere else; it is named.
    """
    leading = {x.name for x in layers if x.kind == "InputLayer" and not x.container}
    entered, found = set(), []
    for layer in layers:
        # A layer that names no source is the first of its model.
        begins = not layer.sources and (not layer.container or layer.container[-1] in entered)
        fed = begins or (bool(layer.sources) and set(layer.sources) <= leading)
        if is_operation(layer):
            if not fed:
                raise ValueError(
                    f"The layer {layer.name[:80]} of the class {layer.kind} must work on the "
                    "image, before the stem"
                )
            found.append(layer)
        if not fed:
            continue
        if layer.kind in MODELS:
            entered.add(layer.name)
        if _keeps_image(layer, layers):
            leading.add(layer.name)
    return found


def _keeps_image(layer, layers):
    """Whether what leaves a layer is still an image of pixels, computed with or not."""
    if layer.kind in MODELS:
        place = (*layer.container, layer.name)
        inside = [x for x in layers if x.container == place]
        return all(_keeps_image(x, layers) for x in inside)
    return layer.kind == "InputLayer" or layer.kind in IDENTITIES or is_operation(layer)


def fold_preprocessing(layers, variables):
    """The normalisation that layers of `find_preprocessing` amount to.

    Parameters
    ----------
    layers : list of KerasLayer
    variables : dict of str to dict of str to array
        By layer and variable: mean and variance of a Normalization that was adapted.

    Returns
    -------
    (InputNormalization, str) or None
        With a sentence that says so; None if there are no such layers.

    Raises
    ------
    ValueError
        If a layer's constants are not one for the image or one for each channel.
    """
    if not layers:
        return None
    factor, offset = np.ones(3), np.zeros(3)
    for layer in layers:
        scale, shift = _affine(layer, variables)
        factor, offset = factor * scale, offset * scale + shift
    named = ", ".join(f"{x.name[:40]} ({x.kind})" for x in layers)
    return pixel_normalization(factor, offset, named)


def pixel_normalization(factor, offset, named):
    """The normalisation that pixels * factor + offset is.

    Parameters
    ----------
    factor, offset : float64 [3]
    named : str
        The layers that do it.

    Returns
    -------
    (InputNormalization, str)
        With a sentence that says so.
    """
    if not (np.isfinite(factor).all() and np.isfinite(offset).all() and (factor > 0).all()):
        raise ValueError(
            f"The layers {named} must scale pixels by positive finite factors, not by "
            f"{factor.tolist()}"
        )
    pixels = "0 to 255"
    if np.abs(factor * PIXEL_MAXIMUM + offset).max() > _LARGEST:
        pixels, factor = "0 to 1", factor / PIXEL_MAXIMUM
    deviation = 1 / (factor * PIXEL_MAXIMUM)
    mean = -offset * deviation
    normalization = InputNormalization(_triple(mean), _triple(deviation))
    return normalization, (
        f"folded into the normalisation of pixels from {pixels}: {named}; "
        f"mean {_rounded(mean)}, deviation {_rounded(deviation)} of pixels from 0 to 1"
    )


def _triple(values) -> tuple[float, float, float]:
    red, green, blue = (float(x) for x in values)
    return red, green, blue


def _rounded(values):
    return ", ".join(f"{x:.6g}" for x in values)


def _affine(layer, variables):
    """(factor, offset), float64 [3] each, of a layer."""
    if layer.kind == "Rescaling":
        return (_channels(layer, layer.settings.get(x)) for x in ("scale", "offset"))
    if layer.kind == "Normalization":
        if layer.settings.get("invert"):
            raise ValueError(f"The layer {layer.name[:80]} must not undo a normalisation")
        mean, variance = (
            _channels(layer, variables.get(layer.name, {}).get(x, layer.settings.get(x)))
            for x in ("mean", "variance")
        )
        if (variance < 0).any():
            raise ValueError(f"The variance of {layer.name[:80]} must not be negative")
        deviation = np.maximum(np.sqrt(variance), _EPSILON)
        return 1 / deviation, -mean / deviation
    name = layer.settings.get("function") if layer.kind == "TFOpLambda" else None
    operation = _FUNCTIONS.get(name) if name else _OPERATIONS.get(layer.kind)
    if operation is None or len(layer.constants) != 1 or len(layer.sources) != 1:
        raise ValueError(
            f"The layer {layer.name[:80]} must divide, subtract, multiply or add one constant"
        )
    value = _channels(layer, layer.constants[0])
    zeros, ones = np.zeros(3), np.ones(3)
    if operation == "divide":
        with np.errstate(divide="ignore"):
            return ones / value, zeros
    return {
        "subtract": (ones, -value),
        "multiply": (value, zeros),
        "add": (ones, value),
    }[operation]


def _channels(layer, value):
    """float64 [3] of one number, or of one for each channel."""
    try:
        value = np.asarray(value, np.float64).ravel()
    except (TypeError, ValueError):
        value = np.zeros(0)
    if value.size not in (1, 3):
        raise ValueError(
            f"The constants of {layer.name[:80]} must be one, or one for each of 3 channels"
        )
    return np.broadcast_to(value, 3).astype(np.float64)
