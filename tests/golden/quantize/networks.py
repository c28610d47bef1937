"""Small float networks with spread activations, and pictures for them."""

import numpy as np

from mnv2.golden.float_model import BatchNormalization
from mnv2.golden.network import build_network
from tests.golden.float_networks import float_network

#: Blocks with and without expansion, residual and stride.
TABLE = ((1, 8, 1, 1), (4, 12, 2, 2), (4, 16, 1, 1))


def small_network(classes=10):
    return build_network(
        TABLE, stem_channels=8, head_channels=48, classes=classes, input_size=(24, 20)
    )


def small_model(rng, normalized=False, uneven=1.0, gain=1.5):
    """A FloatModel whose activations fill 0..6 without all clipping.

    Parameters
    ----------
    normalized : bool
        With batch normalisations instead of biases.
    uneven : float
        Channels' weights differ by factors up to this, either way.
    gain : float
        At 0.8 no activation comes near 6.
    """

    def draw(layer):
        channels, shape = layer.output_channels, layer.weight_shape
        factor = uneven ** rng.uniform(-1, 1, channels)
        weights = rng.normal(0, gain / np.sqrt(np.prod(shape[:-1])), shape) * factor
        bias = rng.normal(0.3, 0.5, channels) * factor
        if not normalized or layer.kind == "classifier":
            return weights.astype(np.float32), bias.astype(np.float32)
        vectors = (
            rng.uniform(0.2, 0.6, channels),
            rng.normal(1, 0.8, channels),
            rng.normal(0, 0.1, channels),
            rng.uniform(0.5, 2, channels),
        )
        normalization = BatchNormalization(*(vector.astype(np.float32) for vector in vectors))
        return weights.astype(np.float32), None, normalization

    return float_network(small_network(), draw)


def small_pictures(rng, count, shape=(24, 20, 3)):
    """float32 pictures, rough and fine structure together."""
    coarse = rng.normal(0, 1, (count, -(-shape[0] // 4), -(-shape[1] // 4), shape[2]))
    coarse = np.kron(coarse, np.ones((1, 4, 4, 1)))[:, : shape[0], : shape[1]]
    return list((coarse + rng.normal(0, 0.4, (count, *shape))).astype(np.float32))
