"""`mnv2 summary`: the layers of a network as a table."""

from dataclasses import asdict
from functools import partial
from math import prod

from mnv2.sim.commands.options.model import Model
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
    choose_network,
)
from mnv2.sim.commands.terminal.guard import prints_json


@prints_json
def summary(
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
):
    """Print the layers of MobileNetV2: shapes, parameters, MACs and weight bytes.

    MACs are multiplications with a weight; weight bytes are those of 8-bit weights without bias.
    Nothing is run, and no file but that of --model is read.

    Examples:

    - mnv2 summary --width 0.35 --size 96

    - mnv2 summary --model mobilenet_v2.tflite
    """
    from mnv2.sim.commands.terminal.console import show_report

    network = choose_network(model, width, size, classes, padding)
    show_report(
        render_network(network, model and model.name), report=partial(network_as_dict, network)
    )


def network_as_dict(network):
    """Layers of a network and their totals, in values that JSON holds."""
    return {
        "width": network.width,
        "input_shape": list(network.input_shape),
        "classes": network.classes,
        "padding": network.padding,
        "parameters": network.parameters,
        "macs": network.macs,
        "weight_bytes": network.weight_bytes(),
        "layers": [
            {
                **asdict(layer),
                "parameters": layer.parameters,
                "macs": layer.macs,
                "weight_bytes": layer.weight_bytes(),
            }
            for layer in network.layers
        ],
    }


def render_network(network, name=None):
    """Table of a network's layers with their totals.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    name : str, optional
        Of the file of the network.

    Returns
    -------
    rich.console.Group
    """
    from rich.console import Group

    from mnv2.sim.report.wide_table import WideTable

    width = "of another width" if network.width is None else f"{network.width:g}"
    version = 1 if network.separable else 2
    table = WideTable(
        f"{'' if name is None else f'{name}: '}MobileNetV{version} {width}, "
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
