"""`mnv2 golden`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import Labels, Normalization, PixelNormalization, Resize


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
    resize: Resize = None,
    labels: Labels = None,
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
    from mnv2.sim.networks.graph_inputs import load_graph_inputs
    from mnv2.sim.pictures.normalization import choose_normalization
    from mnv2.sim.pictures.photographs import find_picture
    from mnv2.sim.pictures.resizing import CROP, parse_resizing

    resizing = CROP if resize is None else parse_resizing(resize)
    graph = load_graph(model)
    chosen = normalization.value
    if chosen == "auto":
        chosen = choose_normalization(graph) if graph.inputs else "symmetric"
    paths = [find_picture(name) for name in inputs]
    names = find_output_names(model, graph, labels)
    arrays = load_graph_inputs(graph, paths, chosen, resizing)
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
    for line in describe_input(graph, paths, chosen, resizing, names, outputs):
        get_console().print(line, soft_wrap=True, markup=False)


def find_output_names(model, graph, labels):
    """Names of the classes of a graph whose output is a class each, or None.

    Parameters
    ----------
    model : Path
        Its file.
    graph : mnv2.golden.graph.graph.Graph
    labels : Path or None
        File of labels.

    Returns
    -------
    mnv2.sim.pictures.class_names.ClassNames or None

    Raises
    ------
    UserError
        If there is a file of labels and it does not fit the output.
    """
    from math import prod

    from mnv2.sim.errors import UserError
    from mnv2.sim.networks.carried_names import find_class_names
    from mnv2.sim.pictures.class_names import known_class_names

    shape = graph.tensors[graph.outputs[0]].shape if len(graph.outputs) == 1 else ()
    classes = prod(shape)
    if not shape or classes != shape[-1]:
        if labels is None:
            return None
        raise UserError("Labels are for a model with one output, a number for each class")
    return find_class_names(model, classes, labels) or known_class_names(classes)


def describe_input(graph, paths, normalization, resizing, names, outputs):
    """Lines that say what was done to a picture, and what it was taken for.

    Parameters
    ----------
    graph : mnv2.golden.graph.graph.Graph
    paths : list of Path
        Its inputs.
    normalization : str
        A name of `mnv2.sim.pictures.normalization.NORMALIZATIONS`.
    resizing : mnv2.sim.pictures.resizing.Resizing
    names : mnv2.sim.pictures.class_names.ClassNames or None
        See `find_output_names`.
    outputs : dict of int to array
        As `Graph.run` gives them.

    Returns
    -------
    list of str
    """
    import numpy as np

    from mnv2.sim.networks.input_files import is_npy
    from mnv2.sim.pictures.normalization import NORMALIZATIONS
    from mnv2.sim.pictures.resizing import pixel_words

    lines = []
    if names is not None and any(name is not None for name in names.names):
        values = np.asarray(outputs[graph.outputs[0]]).reshape(-1)
        order = np.argsort(-values.astype(np.float64), kind="stable")[:5]
        found = ", ".join(f"{names.name(int(one))} ({values[one]:.6g})" for one in order)
        lines.append(f"Likeliest by the output ({names.origin}): {found}")
    if len(paths) == 1 and not is_npy(paths[0]):
        rows, columns = graph.tensors[graph.inputs[0]].shape[1:3]
        words = pixel_words(resizing, rows, columns, NORMALIZATIONS[normalization])
        lines.append(f"Pixels: {words}")
    return lines


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
