"""Pictures as float inputs of a network, in one call."""

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.sim.pictures.images import crop_image, load_image, normalize


def load_input(path, size=224, normalization=IMAGENET_NORMALIZATION):
    """The network's float32 input [size, size, 3] of an image file."""
    return normalize(crop_image(load_image(path), size), normalization)
