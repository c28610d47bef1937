"""`mnv2 export`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import (
    BiasCorrection,
    BlockReconstruction,
    Calibration,
    Labels,
    Model,
    Resize,
    Size,
)
from mnv2.sim.errors import UserError


class Format(StrEnum):
    """Format of the file."""

    TFLITE = "tflite"
    NPZ = "npz"


def export(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[IMAGE-SET] OUT",
            help="The file to write; before it, optionally, the pictures of --calibration.",
        ),
    ],
    model: Model = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="tflite: a model for LiteRT, whose reference kernels give the same tensors. npz: "
            "the integers by layer, for numpy. Default: by OUT's suffix.",
        ),
    ] = None,
    size: Size = None,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    bias_correction: BiasCorrection = None,
    block_reconstruction: BlockReconstruction = False,
    weight_bits: Annotated[
        int, typer.Option(min=2, max=8, metavar="N", help="Bits of a float model's weights.")
    ] = 8,
):
    """Write the quantised network for other programs: .tflite for LiteRT, .npz for numpy.

    All tensors are LiteRT's, element by element: the integer model's, the hardware's and those of
    LiteRT's reference kernels (not of XNNPACK, which rounds otherwise) can be held side by side.
    The classifier is a 1x1 CONV_2D, which is integer end to end in LiteRT. At most 64 pictures of a
    set are used for calibration. The description and the metadata `mnv2` of a .tflite state what it
    was made from, the names of --labels, and --resize, which other commands read back; the same
    call writes the same bytes.

    Examples:

    - mnv2 export mobilenet_v2.tflite

    - mnv2 export imagenet/val mobilenet_v2.tflite

    - mnv2 export --weight-bits 4 --block-reconstruction --calibration pictures small.npz

    - mnv2 export --model weights.h5 --format npz integers.npz
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console, say_notes
    from mnv2.sim.jobs.files import check_writable_file, write_whole
    from mnv2.sim.networks.export import encode_model
    from mnv2.sim.networks.open import open_model

    if len(arguments) > 2:
        raise UserError(
            f"An export has one set of pictures and one file, not {len(arguments)} arguments"
        )
    *sources, name = arguments
    if sources and calibration != "bundled":
        raise UserError("The pictures to calibrate on are either an argument or --calibration's")
    source, out = (sources or [calibration])[0], Path(name).expanduser()
    suffix = out.suffix.lower().removeprefix(".")
    if form is None and suffix not in list(Format):
        raise UserError(f"The file {out} must end in .tflite or .npz, or --format say which it is")
    check_writable_file(out, "file")
    with show_count("Calibrating") as progress:
        opened = open_model(
            model,
            input_size=size,
            calibration=source,
            bias_correction=bias_correction,
            block_reconstruction=block_reconstruction,
            weight_bits=weight_bits,
            resize=resize,
            labels=labels,
            progress=progress,
        )
    say_notes(opened)
    content = encode_model(opened, (form or Format(suffix)).value)
    write_whole(out, content)
    what = "" if opened.calibrated_on is None else f", calibrated on {opened.calibrated_on}"
    get_console().print(f"{out}: {len(content):,} bytes{what}", soft_wrap=True)
