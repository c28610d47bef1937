"""`mnv2 classify`."""

from pathlib import Path
from typing import Annotated

import typer


def classify(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            help="A picture in any format Pillow reads, or the name of an installed "
            "photograph such as chelsea, coffee or china.",
        ),
    ],
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            dir_okay=False,
            help="Write every intermediate tensor of the integer network there, by name.",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pth",
            help="torchvision's mobilenet_v2-b0353104.pth, if not the installed one; "
            "its sha256 is checked.",
        ),
    ] = None,
):
    """Classify a picture with the float and with the integer network, side by side.

    The picture is resized to 256 pixels and its centre of 224 is cropped. The integer network is
    calibrated on the installed photographs at the first call (some seconds) and kept in the cache.
    SQNR is the signal to quantisation noise ratio, in dB, of each block's output against float:
    every 6 dB halve the error.

    Example: mnv2 classify cat.jpg --dump tensors.npz
    """
    from sim.classify import classify as run
    from sim.classify import write_dump
    from sim.commands.console import get_console
    from sim.commands.pictures import find_picture
    from sim.commands.progress import show_count

    path = find_picture(image)
    with show_count("Calibrating") as progress:
        result = run(path, weights=weights, progress=progress)
    if dump is not None:
        write_dump(dump, result)
    get_console().print(render_classification(result))


def render_classification(result):
    """Rankings and qualities of a classification.

    Parameters
    ----------
    result : sim.classify.Classification

    Returns
    -------
    rich.console.Group
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table

    style = {"title_justify": "left", "box": box.SIMPLE_HEAD, "pad_edge": False}
    ranking = Table(title=f"{result.image.name}: the likeliest classes", **style)
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
    quality = Table(title="Integer against float", **style)
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
