"""`mnv2 golden`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import Normalization, PixelNormalization


class Form(StrEnum):
    """How FULLY_CONNECTED requantises."""

    LITERT = "litert"
    INTEGER = "integer"


def golden(
    model: Annotated[
        Path,
        typer.Option(metavar="FILE.tflite", dir_okay=False, help="An int8 model."),
    ],
    inputs: Annotated[
        list[str],
        typer.Option(
            "--input",
            metavar="FILE.npy|IMAGE",
            help="An array of the model's own type and shape; again for each further input, in "
            "the model's order. A picture, or the name of a bundled photograph, for a model "
            "with one input of [1, H, W, 3] or [1, H, W, 1].",
        ),
    ],
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            dir_okay=False,
            help="Write every operator's output there, under t9 for tensor 9.",
        ),
    ] = None,
    fully_connected: Annotated[
        Form,
        typer.Option(
            help="litert: FULLY_CONNECTED requantises in floating point, as LiteRT's reference "
            "kernel does; integer: with a multiplier and a shift, as the hardware does."
        ),
    ] = Form.LITERT,
    normalization: PixelNormalization = Normalization.AUTO,
):
    """Run any int8 .tflite model with a golden model, bit for bit with LiteRT's reference kernels.

    Operators: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, SUB, MUL, MEAN, AVERAGE_POOL_2D,
    MAX_POOL_2D, PAD, PADV2, RESHAPE, SHAPE, STRIDED_SLICE, PACK, SOFTMAX, LOGISTIC, QUANTIZE,
    DEQUANTIZE. Prints each operator's output with its shape and range, and how many elements differ
    between the two forms of FULLY_CONNECTED.

    Example: mnv2 golden --model mobilenet.tflite --input chelsea --dump tensors.npz
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.errors import UserError
    from mnv2.sim.jobs.files import check_writable_file
    from mnv2.sim.networks.dumps import write_dump
    from mnv2.sim.networks.files import load_graph
    from mnv2.sim.networks.inputs import load_graph_inputs
    from mnv2.sim.pictures.normalization import choose_normalization
    from mnv2.sim.pictures.photographs import find_picture

    graph = load_graph(model)
    chosen = normalization.value
    if chosen == "auto":
        chosen = choose_normalization(graph) if graph.inputs else "symmetric"
    paths = [find_picture(name) for name in inputs]
    arrays = load_graph_inputs(graph, paths, chosen)
    if dump is not None:
        check_writable_file(dump)
    try:
        with show_count("Running operators") as progress:
            outputs = graph.run(arrays, fully_connected.value, progress)
        differences = graph.fully_connected_differences(arrays, outputs)
    except ValueError as error:
        raise UserError(f"The model {model} cannot be run on this input: {error}") from None
    if dump is not None:
        write_dump(dump, {f"t{index}": array for index, array in outputs.items()})
    get_console().print(render_outputs(model, graph, outputs, differences, fully_connected.value))


def render_outputs(model, graph, outputs, differences, form):
    """Table of a graph's operators and their outputs.

    Parameters
    ----------
    model : Path
        The file, for the title.
    graph : mnv2.golden.graph.graph.Graph
    outputs : dict of int to array
        As `Graph.run` gives them.
    differences : dict of int to int
        As `Graph.fully_connected_differences` gives them.
    form : str
        The form of FULLY_CONNECTED in `outputs`.

    Returns
    -------
    rich.console.Group
    """
    from rich.console import Group, RenderableType

    from mnv2.sim.report.wide_table import WideTable

    table = WideTable(f"{model.name}: {len(graph.operators)} operators")
    for column in ("operator", "kind", "tensor", "output", "shape", "type", "range"):
        right = column in ("operator", "tensor", "shape", "range")
        table.add_column(column, justify="right" if right else "left")
    for operator in graph.operators:
        array = outputs[operator.output]
        low, high = array.min(), array.max()
        number = ".4g" if array.dtype == "float32" else "d"
        table.add_row(
            str(operator.index),
            operator.kind,
            f"t{operator.output}",
            graph.tensors[operator.output].name,
            "x".join(map(str, array.shape)) or "scalar",
            str(array.dtype),
            f"{low:{number}} to {high:{number}}",
        )
    lines: list[RenderableType] = [table]
    if differences:
        total = sum(outputs[index].size for index in differences)
        lines.append(
            f"FULLY_CONNECTED in floating point, as LiteRT, and in integers, as hardware: "
            f"{sum(differences.values()):,} of {total:,} outputs differ; these are "
            f"{'LiteRT' if form == 'litert' else 'the hardware'}'s"
        )
    return Group(*lines)
