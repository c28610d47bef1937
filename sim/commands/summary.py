"""`mnv2 summary`."""

from enum import StrEnum
from math import prod
from typing import Annotated

import typer

from sim.commands.model_options import Model
from sim.errors import UserError


class Padding(StrEnum):
    """How a convolution of stride 2 pads an even size."""

    PYTORCH = "pytorch"
    TENSORFLOW = "tensorflow"


def summary(
    model: Model = None,
    width: Annotated[
        float | None,
        typer.Option(
            help="Width multiplier: 0.35, 0.5, 0.75, 1.0 (without it), 1.3 or 1.4. Channels are "
            "rounded to multiples of 8, and the head never has fewer than 1280."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Rows and columns of the image, in pixels: 96, 128, 160, 192 or 224 (without it); "
            "with --model, of a float model that does not state them."
        ),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(min=1, help="Number of classes, 1000 without it.")
    ] = None,
    padding: Annotated[
        Padding | None,
        typer.Option(
            help="Padding at stride 2: pytorch (without it) pads one pixel on each side, "
            "tensorflow (SAME) only at the bottom and right of an even size."
        ),
    ] = None,
):
    """Print the layers of MobileNetV2: shapes, parameters, MACs and weight bytes.

    MACs are multiplications with a weight, weight bytes those of 8-bit weights without bias.
    Nothing is run, and nothing loaded but the file of --model.

    Examples:

    - mnv2 summary --width 0.35 --size 96

    - mnv2 summary --model mobilenet_v2.tflite
    """
    from sim.commands.console import get_console

    network = choose_network(model, width, size, classes, padding)
    get_console().print(render_network(network, model and model.name))


def choose_network(model, width, size, classes, padding):
    """The network of a model's file, or MobileNetV2 of these options; None is their default.

    Parameters
    ----------
    model : Path, optional
    width : float, optional
    size, classes : int, optional
    padding : Padding, optional

    Returns
    -------
    golden.network.Network

    Raises
    ------
    UserError
        If the options contradict each other, or there is no such network.
    """
    if model is not None:
        from sim.model_files import read_model_network

        if not (width is None and classes is None and padding is None):
            raise UserError("A model's file states its width, classes and padding: leave out "
                            "--width, --classes and --padding, or --model")
        return read_model_network(model, size)
    return summary_network(1.0 if width is None else width, size or 224, classes or 1000,
                           padding or Padding.PYTORCH)


def summary_network(width, size, classes, padding):
    """MobileNetV2 of these options.

    Parameters
    ----------
    width : float
    size, classes : int
    padding : Padding

    Returns
    -------
    golden.network.Network

    Raises
    ------
    UserError
        If there is no such network.
    """
    from golden.network import INPUT_SIZES, WIDTH_MULTIPLIERS, mobilenet_v2

    for name, value, valid in (("width", width, WIDTH_MULTIPLIERS), ("size", size, INPUT_SIZES)):
        if value not in valid:
            raise UserError(f"The {name} must be one of {', '.join(map(str, valid))}, not {value}")
    return mobilenet_v2(width=width, input_size=size, classes=classes, padding=padding.value)


def render_network(network, name=None):
    """Table of a network's layers with their totals.

    Parameters
    ----------
    network : golden.network.Network
    name : str, optional
        Of the file that it came from.

    Returns
    -------
    rich.console.Group
    """
    from rich.console import Group

    from sim.wide_table import WideTable

    width = "of another width" if network.width is None else f"{network.width:g}"
    table = WideTable(
        f"{'' if name is None else f'{name}: '}MobileNetV2 {width}, "
        f"{network.input_shape[0]}x{network.input_shape[1]}, {network.classes} classes, "
        f"{network.padding} padding"
    )
    table.add_column("layer")
    for column in (
        "kernel",
        "stride",
        "output",
        "parameters",
        "MACs",
        "weight\nbytes",
        "output\nbytes",
    ):
        table.add_column(column, justify="right")
    for layer in network.layers:
        name = f"{layer.name} + input" if layer.residual else layer.name
        table.add_row(
            name,
            "x".join(map(str, layer.kernel_size)),
            str(layer.stride),
            "x".join(map(str, layer.output_shape)),
            f"{layer.parameters:,}",
            f"{layer.macs:,}",
            f"{layer.weight_bytes():,}",
            f"{prod(layer.output_shape):,}",
        )
    table.add_section()
    table.add_row(
        "total",
        "",
        "",
        "",
        f"{network.parameters:,}",
        f"{network.macs:,}",
        f"{network.weight_bytes():,}",
        "",
        style="bold",
    )
    return Group(
        table,
        f"Parameters with the running statistics of the batch normalisations: "
        f"{network.parameters_with_statistics:,}",
    )
