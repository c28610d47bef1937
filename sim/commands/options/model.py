"""Options that every command that runs a network has."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Model", "Normalization", "PixelNormalization", "Size", "given"]


class Normalization(StrEnum):
    """What a model wants of a pixel."""

    AUTO = "auto"
    IMAGENET = "imagenet"
    SYMMETRIC = "symmetric"
    UNIT = "unit"
    RAW = "raw"


def given(normalization):
    """The name in `mnv2.sim.pictures.normalization.NORMALIZATIONS`, or None for "auto"."""
    return None if normalization is Normalization.AUTO else normalization.value


Model = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A network of the MobileNetV2 family: a .tflite in int8 or an .npz of mnv2 export, "
        "used as they are; or a float model of PyTorch (state dict), safetensors, Keras (.h5, "
        ".keras) or ONNX, which is calibrated and quantised. Without it, torchvision's weights.",
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=4096,
        metavar="PIXELS",
        help="Rows and columns of the picture, for float models that do not state them (PyTorch, "
        "safetensors); 224 by default.",
    ),
]
PixelNormalization = Annotated[
    Normalization,
    typer.Option(
        "--normalization",
        help="What is done to a picture's pixels: imagenet (mean and deviation), symmetric "
        "(-1 to 1), unit (0 to 1), raw (0 to 255); auto takes the float model's, or the one whose "
        "range is nearest to that of the model's input scale.",
    ),
]
