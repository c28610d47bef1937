"""Options that name a network of the family, shared by the commands that need no weights."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.errors import UserError

__all__ = [
    "Classes",
    "ImageSize",
    "Padding",
    "StridePadding",
    "Width",
    "choose_network",
    "network_options",
    "open_chosen",
]


#: Rows and columns at most; what an accelerator's descriptors hold is less for most lanes.
MAXIMUM_SIZE = 4096


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
        help=f"Rows and columns of the image, in pixels: any size to {MAXIMUM_SIZE:,}; the paper's "
        "are 96, 128, 160, 192 and 224 (default). With --model, those of a float model that does "
        "not state them."
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


def network_options(model, width, size, classes, padding, setting=None):
    """The options of a network as they were given, or else those of a design's file.

    Parameters
    ----------
    model, width, size, classes, padding
        As for `choose_network`.
    setting : mnv2.sim.configuration.Setting, optional
        Whose file may name a network; an option that is given stands for all of it.

    Returns
    -------
    tuple
        As for `choose_network`.
    """
    given = (model, width, size, classes, padding)
    if setting is None or not setting.network or any(one is not None for one in given):
        return given
    named = setting.network
    padding = named.get("padding")
    if padding is not None and padding not in list(Padding):
        raise UserError(
            f"padding of the network in {setting.source!r} must be one of {', '.join(Padding)}, "
            f"not {padding!r}"
        )
    return (
        Path(named["model"]) if "model" in named else None,
        named.get("width"),
        named.get("size"),
        named.get("classes"),
        padding and Padding(padding),
    )


def untrained_or_bundled(width, size, classes, padding):
    """The network of these options for `mnv2.sim.networks.open.open_model`; None if none is given.

    Raises
    ------
    UserError
        If there is no such network.
    """
    if all(one is None for one in (width, size, classes, padding)):
        return None
    return choose_network(None, width, size, classes, padding)


def open_chosen(setting, model, width, size, classes, padding, **options):
    """The network of a command that runs one: of a file, the bundled one, or one of random weights.

    Parameters
    ----------
    setting : mnv2.sim.configuration.Setting
        Whose file may name the network, where no option does. A float network is quantised for its
        accelerator.
    model, width, size, classes, padding
        As for `choose_network`.
    **options
        As of `mnv2.sim.networks.open.open_model`.

    Returns
    -------
    mnv2.sim.networks.open.RunnableModel

    Raises
    ------
    UserError
        As those two.
    """
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.rtl.check import accelerator_arithmetic

    model, width, size, classes, padding = network_options(
        model, width, size, classes, padding, setting
    )
    if model is not None:
        _check_alone(width, classes, padding)
        options["input_size"] = size
    else:
        options["network"] = untrained_or_bundled(width, size, classes, padding)
    config = setting.config
    return open_model(
        model,
        weight_bits=config.weight_bits,
        activation_bits=config.activation_bits,
        arithmetic=accelerator_arithmetic(config),
        **options,
    )


def _check_alone(width, classes, padding):
    """Refuse options that a model's file states itself."""
    if not (width is None and classes is None and padding is None):
        raise UserError(
            "A model's file states its width, classes and padding: leave out "
            "--width, --classes and --padding, or --model"
        )


def choose_network(model, width, size, classes, padding, setting=None):
    """The network of a model's file, or MobileNetV2 of these options, which default at None.

    Parameters
    ----------
    model : Path, optional
    width : float, optional
    size, classes : int, optional
    padding : Padding, optional
    setting : mnv2.sim.configuration.Setting, optional
        Whose file may name the network, where no option does.

    Returns
    -------
    mnv2.golden.network.Network

    Raises
    ------
    UserError
        If the options contradict each other, or there is no such network.
    """
    model, width, size, classes, padding = network_options(
        model, width, size, classes, padding, setting
    )
    if model is not None:
        from mnv2.sim.networks.files import read_model_network

        _check_alone(width, classes, padding)
        return read_model_network(model, size)
    from mnv2.golden.network import WIDTH_MULTIPLIERS, mobilenet_v2

    width = 1.0 if width is None else width
    size = 224 if size is None else size
    classes = 1000 if classes is None else classes
    padding = padding or Padding.PYTORCH
    if width not in WIDTH_MULTIPLIERS:
        valid = ", ".join(map(str, WIDTH_MULTIPLIERS))
        raise UserError(f"The width must be one of {valid}, not {width}")
    if not 1 <= size <= MAXIMUM_SIZE:
        raise UserError(f"The size must be 1 to {MAXIMUM_SIZE:,} pixels, not {size}")
    if classes < 1:
        raise UserError(f"The number of classes must be 1 or more, not {classes}")
    return mobilenet_v2(width=width, input_size=size, classes=classes, padding=padding.value)
