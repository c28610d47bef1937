"""Material to measure a GPU with: a float network, pictures, and formats of every kind.

A folder made by `pack_material` carries them to a machine that has none of the project's packages.
Without one the bundled network and photographs are taken; where those are not installed either, a
network of the same shapes with random weights, and pictures of noise.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.float_model import FloatLayer, FloatModel
from mnv2.golden.importers.torch_checkpoint import find_checkpoint
from mnv2.golden.network import mobilenet_v2
from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.networks.open import load_float_model
from mnv2.sim.pictures.calibration_pictures import cut_pictures
from mnv2.sim.pictures.images import load_image
from mnv2.sim.pictures.photographs import calibration_photographs
from mnv2.sim.sweep.grid import Point

__all__ = ["FORMATS", "Material", "load_material", "pack_material"]

#: Formats of every kind of datapath, by name.
FORMATS = {
    "W8A8": Point(),
    "W8A8 per tensor": Point(granularity="tensor"),
    "W4A8": Point(weight_bits=4),
    "W8A6": Point(activation_bits=6),
    "W4A4": Point(weight_bits=4, activation_bits=4),
    "W8A16": Point(activation_bits=16),
    "truncation": Point(rounding="truncate"),
    "one rounding": Point(rounding="single"),
    "power of two": Point(scales="power-of-two"),
    "multipliers of 10 bits": Point(multiplier_bits=10),
    "equalised": Point(equalization="on"),
    "accumulator of 24 bits": Point(accumulator_bits=24),
    "accumulator of 20 bits": Point(accumulator_bits=20),
    "accumulator of 16 bits": Point(accumulator_bits=16),
    "16 bits that saturate": Point(accumulator_bits=16, overflow="saturate"),
}
#: Files of a packed folder.
WEIGHTS, PICTURES = "weights.pth", "pictures.npz"
#: One picture of this many is calibrated on.
CALIBRATED = 14


@dataclass(frozen=True, eq=False)
class Material:
    """A float network, folded, and pictures.

    Attributes
    ----------
    words : str
        What they are.
    model : mnv2.golden.float_model.FloatModel
    pixels : uint8 [N, H, W, 3]
    """

    words: str
    model: FloatModel
    pixels: np.ndarray

    __repr__ = short_repr

    @property
    def calibration(self) -> np.ndarray:
        """The pictures that formats are calibrated on, uint8 [M, H, W, 3]."""
        return self.pixels[::CALIBRATED]


def _bundled_pixels() -> np.ndarray:
    """Crops of the bundled photographs, and the same mirrored."""
    pixels = np.stack(
        [
            picture
            for photograph in calibration_photographs()
            for picture in cut_pictures(load_image(photograph.path))
        ]
    )
    return np.concatenate([pixels, pixels[:, :, ::-1]])


def pack_material(folder: Path) -> None:
    """Write the bundled weights and photographs into a folder, for `load_material`.

    Raises
    ------
    UserError
        If they are not installed, or the folder cannot be written.
    """
    try:
        checkpoint = find_checkpoint()
    except ValueError as error:
        raise UserError(str(error)) from None
    pixels = _bundled_pixels()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint, folder / WEIGHTS)
        np.savez_compressed(folder / PICTURES, pixels=pixels)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from None


def load_material(
    folder: Path | None = None, *, random: tuple[float, int] | None = None
) -> Material:
    """The network and pictures to measure with.

    Parameters
    ----------
    folder : Path, optional
        Made by `pack_material`; default the bundled network, or a random one where its packages
        are not installed.
    random : (float, int), optional
        Width multiplier and rows of the random network, to be taken instead.

    Raises
    ------
    UserError
        If the folder does not hold both files.
    """
    if random is not None:
        return _random_material(*random)
    if folder is not None:
        try:
            with np.load(folder / PICTURES) as arrays:
                pixels = arrays["pixels"]
        except (OSError, KeyError, ValueError):
            raise UserError(
                f"{folder} must hold {WEIGHTS} and {PICTURES}, as --pack writes them"
            ) from None
        model = load_float_model(folder / WEIGHTS)
        return Material("torchvision's weights, photographs", model.folded(), pixels)
    try:
        model, pixels = load_float_model(), _bundled_pixels()
    except UserError:
        return _random_material(1.0, 224)
    return Material("torchvision's weights, photographs", model.folded(), pixels)


def _random_material(width: float, size: int, seed: int = 1) -> Material:
    """A network with random weights whose outputs keep their spread, and pictures of noise."""
    rng, network = np.random.default_rng(seed), mobilenet_v2(width, size)
    layers = {}
    for layer in network.layers:
        if layer.kind != "pool":
            shape = layer.weight_shape
            fan = np.prod(shape[:2]) if layer.kind == "depthwise" else np.prod(shape[:-1])
            weights = (rng.normal(size=shape) * np.sqrt(2 / fan)).astype(np.float32)
            bias = rng.normal(size=layer.output_channels).astype(np.float32)
            layers[layer.name] = FloatLayer(layer, weights, bias)
    pixels = rng.integers(0, 256, (28, size, size, 3), dtype=np.uint8)
    return Material("random weights, pictures of noise", FloatModel(network, layers), pixels)
