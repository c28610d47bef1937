"""`mnv2 export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import Model, Size
from mnv2.sim.errors import UserError


class Format(StrEnum):
    """What is written."""

    TFLITE = "tflite"
    NPZ = "npz"


def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[IMAGE-SET] OUT",
            help="The file to write; before it, if wanted, the pictures to calibrate a float model "
            "on: a folder, a list file, or bundled, the installed photographs (as without it).",
        ),
    ],
    model: Model = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="tflite: a model for LiteRT, whose reference kernels give the same tensors. npz: "
            "the integers by layer, for numpy. Without it, by OUT's suffix.",
        ),
    ] = None,
    size: Size = None,
):
    """Write the quantised network as a file that others run: .tflite for LiteRT, .npz for numpy.

    All tensors are LiteRT's, element by element: the integer model's, the hardware's and those of
    LiteRT's reference kernels (not of XNNPACK, which rounds otherwise) can be held side by side.
    The classifier is a 1x1 CONV_2D, which is integer end to end in LiteRT. Of a set of more than
    64 pictures, 64 are calibrated on. A .tflite says in its description and in the metadata `mnv2`
    what it was made from; the same call writes the same bytes.

    Examples:

    - mnv2 export mobilenet_v2.tflite

    - mnv2 export imagenet/val mobilenet_v2.tflite

    - mnv2 export --model weights.h5 --format npz integers.npz
    """
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.commands.terminal.progress import show_count
    from mnv2.sim.jobs.files import check_writable_file, write_whole
    from mnv2.sim.networks.export import encode_model, open_calibrated
    from mnv2.sim.networks.open import open_model

    if len(arguments) > 2:
        raise UserError(
            f"An export has one set of pictures and one file, not {len(arguments)} arguments"
        )
    *sources, out = arguments
    source, out = (sources or ["bundled"])[0], Path(out).expanduser()
    suffix = out.suffix.lower().removeprefix(".")
    if form is None and suffix not in list(Format):
        raise UserError(f"The file {out} must end in .tflite or .npz, or --format say which it is")
    check_writable_file(out, "file")
    with show_count("Calibrating") as progress:
        if source == "bundled":
            opened = open_model(model, input_size=size, progress=progress)
            quantised = opened.float_model is not None
            calibrated_on = "the installed photographs" if quantised else None
        else:
            opened, calibrated_on = open_calibrated(model, source, size, progress)
    content = encode_model(opened, calibrated_on, (form or Format(suffix)).value)
    write_whole(out, content)
    what = "" if calibrated_on is None else f", calibrated on {calibrated_on}"
    get_console().print(f"{out}: {len(content):,} bytes{what}", soft_wrap=True)
