"""Networks of the family that nobody trained: random weights for any width, size and classes.

Cycles and bytes do not depend on weights, and the hardware's arithmetic is checked as well on these
as on others; the classes mean nothing.
"""

import numpy as np

from mnv2.golden.float_model import FloatLayer, FloatModel
from mnv2.golden.network import Network

__all__ = ["UNTRAINED_SEED", "untrained_network"]

#: Seed of the weights: the same network has the same ones in every run.
UNTRAINED_SEED = 1


def untrained_network(network: Network) -> FloatModel:
    """A float network with random weights, whose layers keep the spread of their inputs.

    Parameters
    ----------
    network : mnv2.golden.network.Network

    Returns
    -------
    mnv2.golden.float_model.FloatModel

    Notes
    -----
    Ref: He et al., "Delving Deep into Rectifiers", arXiv:1502.01852, section 2.2: a variance of 2
    over the number of products of a sum.
    """
    rng = np.random.default_rng(UNTRAINED_SEED)
    layers = {}
    for layer in network.layers:
        if layer.kind == "pool":
            continue
        shape = layer.weight_shape
        products = np.prod(shape[:2]) if layer.kind == "depthwise" else np.prod(shape[:-1])
        weights = (rng.normal(size=shape) * np.sqrt(2 / products)).astype(np.float32)
        bias = rng.normal(size=layer.output_channels).astype(np.float32)
        layers[layer.name] = FloatLayer(layer, weights, bias)
    return FloatModel(network, layers)
