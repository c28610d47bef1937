"""Small files of float networks."""

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from tests.golden.float_networks import float_network
from tests.golden.importers.float_files import torchvision_tensors


def float_file(network, rng):
    """torchvision's names in a file of safetensors; the normalisations change nothing."""
    from safetensors.numpy import save

    def draw(layer):
        weights = rng.normal(0, 0.3, layer.weight_shape).astype(np.float32)
        zeros = np.zeros(layer.output_channels, np.float32)
        ones = np.ones_like(zeros)
        if layer.kind == "classifier":
            return weights, zeros
        return weights, None, BatchNormalization(ones, zeros, zeros, ones)

    return save(torchvision_tensors(float_network(network, draw)))
