"""Options that name a network of the family, shared by the commands that need no weights."""

from enum import StrEnum
from typing import Annotated

import typer

from mnv2.sim.errors import UserError

__all__ = ["Classes", "ImageSize", "Padding", "StridePadding", "Width", "choose_network"]


class Padding(StrEnum):
    """Padding of an even size by a convolution of stride 2."""

    PYTORCH = "pytorch"
    TENSORFLOW = "tensorflow"


Width = Annotated[
    float | None,
    typer.Option(
        help="Width multiplier: 0.35, 0.5, 0.75, 1.0 (default), 1.3 or 1.4. Channels are rounded "
        "to multiples of 8, and the head has at least 1280."
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        help="Rows and columns of the image, in pixels: 96, 128, 160, 192 or 224 (default); with "
        "--model, those of a float model that does not state them."
    ),
]
Classes = Annotated[int | None, typer.Option(min=1, help="Number of classes. Default 1000.")]
StridePadding = Annotated[
    Padding | None,
    typer.Option(
        help="Padding at stride 2: pytorch (default) pads one pixel on each side, tensorflow "
        "(SAME) only at the bottom and right of an even size."
    ),
]


def choose_network(model, width, size, classes, padding):
    """The network of a model's file, or MobileNetV2 of these options, which default at None.

    Parameters
    ----------
    model : Path, optional
    width : float, optional
    size, classes : int, optional
    padding : Padding, optional

    Returns
    -------
    mnv2.golden.network.Network

    Raises
    ------
    UserError
        If the options contradict each other, or there is no such network.
    """
    if model is not None:
        from mnv2.sim.networks.files import read_model_network

        if not (width is None and classes is None and padding is None):
            raise UserError(
                "A model's file states its width, classes and padding: leave out "
                "--width, --classes and --padding, or --model"
            )
        return read_model_network(model, size)
    from mnv2.golden.network import INPUT_SIZES, WIDTH_MULTIPLIERS, mobilenet_v2

    width = 1.0 if width is None else width
    size = INPUT_SIZES[-1] if size is None else size
    classes = 1000 if classes is None else classes
    padding = padding or Padding.PYTORCH
    for name, value, valid in (("width", width, WIDTH_MULTIPLIERS), ("size", size, INPUT_SIZES)):
        if value not in valid:
            raise UserError(f"The {name} must be one of {', '.join(map(str, valid))}, not {value}")
    return mobilenet_v2(width=width, input_size=size, classes=classes, padding=padding.value)
