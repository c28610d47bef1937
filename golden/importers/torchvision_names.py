"""From torchvision's names of MobileNetV2's tensors to the float model.

Ref: torchvision 0.6 `models/mobilenet.py`: features.0 is the stem, features.1 to features.N the
blocks, features.N+1 the head, classifier.1 the classifier; weights are [Cout, Cin / groups, K, K].
"""

import numpy as np

from golden.float_model import BatchNormalization, FloatLayer, FloatModel
from golden.network import mobilenet_v2


def layer_prefixes(network):
    """Name of each convolution in torchvision's dictionary and of its normalisation, by layer."""
    prefixes = {"stem": ("features.0.0", "features.0.1")}
    for block in network.blocks:
        root = f"features.{block.index}.conv"
        position = 0
        for layer in block.layers:
            if layer.kind == "project":
                prefixes[layer.name] = (f"{root}.{position}", f"{root}.{position + 1}")
            else:
                prefixes[layer.name] = (f"{root}.{position}.0", f"{root}.{position}.1")
            position += 1
    last = len(network.blocks) + 1
    prefixes["head"] = (f"features.{last}.0", f"features.{last}.1")
    prefixes["classifier"] = ("classifier.1", None)
    return prefixes


def _weights(tensor, kind):
    """Reorder [Cout, Cin / groups, K, K] (classifier [Cout, Cin]) to golden's axes."""
    axes = {"stem": (2, 3, 1, 0), "depthwise": (2, 3, 0, 1)}.get(kind, (1, 0))
    if kind in ("expand", "project", "head"):
        tensor = tensor[..., 0, 0]
    tensor = tensor.transpose(axes)
    return np.ascontiguousarray(tensor[..., 0] if kind == "depthwise" else tensor)


def float_model_from_torchvision(tensors, network=None):
    """FloatModel of a dictionary with torchvision's names.

    Parameters
    ----------
    tensors : dict of str to array
        As `torch_checkpoint.read_checkpoint` gives it.
    network : Network, optional
        The architecture; by default `mobilenet_v2()`.

    Raises
    ------
    ValueError
        If a tensor is missing, or has another shape or type than the network asks for.
    """
    network = mobilenet_v2() if network is None else network

    def fetch(name, dimensions):
        value = tensors.get(name)
        if value is None or value.dtype != np.float32 or value.ndim != dimensions:
            raise ValueError(f"The weights must hold a float32 tensor {name} with {dimensions} "
                             "axes")
        if not np.isfinite(value).all():
            raise ValueError(f"The tensor {name} must be finite")
        return value

    layers = {}
    by_name = {layer.name: layer for layer in network.layers}
    for name, (convolution, normalization) in layer_prefixes(network).items():
        layer = by_name[name]
        axes = 2 if layer.kind == "classifier" else 4
        weights = _weights(fetch(f"{convolution}.weight", axes), layer.kind)
        bias, norm = None, None
        if normalization is None:
            bias = fetch(f"{convolution}.bias", 1)
        else:
            norm = BatchNormalization(*(fetch(f"{normalization}.{part}", 1) for part in
                                        ("weight", "bias", "running_mean", "running_var")))
        layers[name] = FloatLayer(layer, weights, bias, norm)
    return FloatModel(network, layers)
