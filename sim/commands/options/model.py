"""Options of the network and of its pixels, shared by the commands that run one."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BiasCorrection",
    "BlockReconstruction",
    "Calibration",
    "Labels",
    "Model",
    "Normalization",
    "PixelNormalization",
    "Resize",
    "Size",
    "given",
]


class Normalization(StrEnum):
    """Normalisation of a picture's pixels."""

    AUTO = "auto"
    IMAGENET = "imagenet"
    SYMMETRIC = "symmetric"
    UNIT = "unit"
    RAW = "raw"


def given(normalization: Normalization) -> str | None:
    """The name in `mnv2.sim.pictures.normalization.NORMALIZATIONS`, or None for "auto"."""
    return None if normalization is Normalization.AUTO else normalization.value


Model = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A network of the MobileNetV2 family: a .tflite in int8 or an .npz of mnv2 export, "
        "used as it is; or a float model of PyTorch (state dict), safetensors, Keras (.h5, .keras) "
        "or ONNX, which is calibrated and quantised. Default torchvision's weights.",
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=4096,
        metavar="PIXELS",
        help="Rows and columns of the picture, for float models that do not state them (PyTorch, "
        "safetensors). Default 224.",
    ),
]
PixelNormalization = Annotated[
    Normalization,
    typer.Option(
        "--normalization",
        help="Normalisation of a picture's pixels: imagenet (mean and deviation), symmetric "
        "(-1 to 1), unit (0 to 1), raw (0 to 255); auto is that of the float model, or the one "
        "whose range is nearest to the model's input scale.",
    ),
]
Resize = Annotated[
    str | None,
    typer.Option(
        metavar="crop|crop:SHARE|stretch|none",
        help="How pictures become as large as the network's, those of calibration too: as it was "
        "trained. crop: the shorter side is resized so that the cropped centre is SHARE of it "
        "(default 0.875, 224 of 256); stretch: both sides, nothing is cut off; none: they have the "
        "size. Default crop, or what a .tflite of mnv2 export states.",
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Names of the network's classes: a line each, in its order; or lines of an index and "
        "a name; or JSON. Default those that the model's file carries, or ImageNet's for 1,000 or "
        "1,001 classes.",
    ),
]
Calibration = Annotated[
    str,
    typer.Option(
        metavar="DIR|FILE|bundled",
        help="Pictures that a float model is calibrated on, at most 64 of them: a folder or a list "
        "file; bundled: 49 crops of 7 photographs of installed packages.",
    ),
]
BiasCorrection = Annotated[
    bool | None,
    typer.Option(
        "--bias-correction/--no-bias-correction",
        help="The biases of a float model take back the mean error that rounded weights make in "
        "each layer, as the pictures of calibration show it, unless they are not to.",
        show_default=False,
    ),
]
BlockReconstruction = Annotated[
    bool,
    typer.Option(
        "--block-reconstruction",
        help="Train the roundings of a float model's weights block by block, on up to 256 pictures "
        "of calibration: minutes, with PyTorch (pip install 'mnv2\\[gpu]'). For weights of few "
        "bits; with hundreds of pictures in --calibration.",
    ),
]
