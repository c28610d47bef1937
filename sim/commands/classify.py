"""`mnv2 classify`."""

from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import (
    Calibration,
    Labels,
    Model,
    Normalization,
    PixelNormalization,
    Resize,
    Size,
    given,
)


def classify(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A picture in any format Pillow reads, or the name of a bundled "
            "photograph such as chelsea, coffee or china; or an .npy of the model's own input.",
        ),
    ],
    model: Model = None,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            dir_okay=False,
            help="Write every intermediate tensor of the integer network there: of a .tflite as "
            "t9 for tensor 9, of others by name.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pth",
            help="torchvision's mobilenet_v2-b0353104.pth, if not the bundled one; "
            "its sha256 is checked.",
        ),
    ] = None,
):
    """Classify a picture with the float and the integer network, side by side.

    The picture is resized to 256 pixels and its centre of 224 is cropped (for other sizes in
    proportion), unless --resize says otherwise. The integer network is calibrated on the pictures
    of --calibration at the first call (some seconds) and kept in the cache; a model that is int8
    already is used as it is. SQNR is the
    signal to quantisation noise ratio, in dB, of each block's output compared with float: every
    6 dB halve the error.

    Examples:

    - mnv2 classify cat.jpg --dump tensors.npz

    - mnv2 classify cat.jpg --model mobilenet_v2.tflite

    - mnv2 classify rose.jpg --model flowers.onnx --labels flowers.txt --resize stretch
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console, say_notes
    from mnv2.sim.networks.classify import classify as run
    from mnv2.sim.networks.dumps import write_dump
    from mnv2.sim.networks.input_files import read_picture
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.networks.outputs import dump_tensors

    source = read_picture(image)  # first: a bad picture costs no calibration
    with show_count("Calibrating") as progress:
        opened = open_model(
            model,
            weights=weights,
            input_size=size,
            calibration=calibration,
            resize=resize,
            labels=labels,
            progress=progress,
        )
    say_notes(opened)
    result = run(opened, source, normalization=given(normalization))
    if dump is not None:
        write_dump(dump, dump_tensors(result.model, result.tensors))
    get_console().print(render_classification(result))
    get_console().print(result.preparation, soft_wrap=True, markup=False)


def render_classification(result):
    """Rankings and qualities of a classification.

    Parameters
    ----------
    result : mnv2.sim.networks.classify.Classification

    Returns
    -------
    rich.console.Group
    """
    from rich.console import Group

    from mnv2.sim.report.wide_table import WideTable

    if not result.float_top:
        return _render_integers(result)
    ranking = WideTable(f"{result.image.name}: the likeliest classes")
    for column, justify in (
        ("", "right"),
        ("float", "left"),
        ("probability", "right"),
        ("logit", "right"),
        ("integer", "left"),
        ("probability", "right"),
        ("logit", "right"),
    ):
        ranking.add_column(column, justify=justify)
    rows = zip(result.float_top, result.integer_top, strict=True)
    for place, pair in enumerate(rows, start=1):
        cells = [
            cell
            for one in pair
            for cell in (one.name, f"{one.probability:.3f}", f"{one.logit:.2f}")
        ]
        ranking.add_row(str(place), *cells)
    quality = WideTable("Integer against float")
    quality.add_column("tensor")
    quality.add_column("shape", justify="right")
    quality.add_column("SQNR, dB", justify="right")
    for tensor in result.quality:
        quality.add_row(tensor.name, "x".join(map(str, tensor.shape)), f"{tensor.sqnr_db:.1f}")
    agreement = "agree" if result.agree else "do not agree"
    return Group(
        ranking,
        quality,
        f"Float and integer {agreement}; logits {result.logits_sqnr_db:.1f} dB; float "
        f"{result.float_seconds:.2f} s, integer {result.integer_seconds:.2f} s",
    )


def _render_integers(result):
    """Ranking of a network that came as integers."""
    from rich.console import Group

    from mnv2.sim.report.wide_table import WideTable

    table = WideTable(f"{result.image.name}: the likeliest classes")
    for column, justify in (
        ("", "right"),
        ("integer", "left"),
        ("probability", "right"),
        ("logit", "right"),
    ):
        table.add_column(column, justify=justify)
    for place, one in enumerate(result.integer_top, start=1):
        table.add_row(str(place), one.name, f"{one.probability:.3f}", f"{one.logit:.2f}")
    return Group(table, f"integer {result.integer_seconds:.2f} s")
