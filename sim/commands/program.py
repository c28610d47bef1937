"""`mnv2 program`."""

from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.commands.options.model import (
    Calibration,
    Labels,
    Model,
    Normalization,
    PixelNormalization,
    Resize,
    given,
)
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
    open_chosen,
)
from mnv2.sim.commands.options.pictures import read_pictures


def program(
    output: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder that gets the files. Those of the same names are replaced, others are "
            "left alone.",
        ),
    ],
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="IMAGE",
            help="Picture of the test vector: a file, or the name of a bundled photograph. Default "
            "chelsea.",
        ),
    ] = None,
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="SECOND",
            help="Another one, for an accelerator of two frames abreast. Default coffee.",
        ),
    ] = None,
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    config: Config = "base",
    settings: Settings = None,
):
    """Write what a host loads into memory to run a network, and the driver that runs it.

    memory.bin is the program, with all weights, for the accelerator that mnv2 verilog writes with
    the same --config and --set; it runs wherever it is loaded, at a multiple of 4096 bytes, for any
    number of pictures. layout.json says what lies where, how a picture is packed and how logits are
    read; mnv2_program.h says the same in C, mnv2_names.h has the names of classes and layers and a
    table from a pixel's values to the network's input. memory.hex is memory.bin for Verilog's
    $readmemh.

    mnv2.c and mnv2.h are the driver, in C99 without allocation; mnv2_bare.c and mnv2_linux.c
    connect it to a board without and with Linux; mnv2_selftest.c runs the test vector under Linux;
    mnv2_pynq.py is for PYNQ, mnv2_serial.py for a board at a serial line.

    picture.bin, IMAGE as it is packed, and logits.bin, its logits, are a test vector; pixels.bin
    and accumulators.bin are the same before packing, and before the last rounding.

    Examples:

    - mnv2 program --output board

    - mnv2 program cat.jpg --model mobilenet_v2.tflite --config kv260 --output board
    """
    from mnv2.sim.commands.terminal.bars import show_count
    from mnv2.sim.commands.terminal.console import get_console, say_setting
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.driver.pixel_values import pixel_values
    from mnv2.sim.driver.program_files import driver_files, program_files, vector_files
    from mnv2.sim.errors import UserError
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.mapping.network_program import build_network_program
    from mnv2.sim.mapping.tiling import DoesNotFit
    from mnv2.sim.networks.inputs import load_input
    from mnv2.sim.rtl.check import check_formats

    setting = load_setting(config, settings or ())
    accelerator = setting.config
    say_setting(setting)
    sources = read_pictures((image, second), accelerator)
    way = given(normalization)
    with replaced_files(output) as temporary:
        with show_count("Calibrating") as progress:
            opened = open_chosen(
                setting,
                *(model, width, size, classes, padding),
                calibration=calibration,
                resize=resize,
                labels=labels,
                progress=progress,
            )
        check_formats(opened.integer, accelerator)
        pictures = [load_input(opened, source, way).integer for source in sources]
        try:
            made = build_network_program(opened.integer, accelerator)
        except DoesNotFit as error:
            raise UserError(error.advice) from None
        tensors = [opened.integer.run(picture) for picture in pictures]
        files = {
            **program_files(opened, made, accelerator, pixel_values(opened, sources[0], way)),
            **vector_files(pictures, tensors, accelerator),
            **driver_files(),
        }
        for name, content in files.items():
            (temporary / name).write_bytes(content)
    for name, content in sorted(files.items()):
        get_console().print(
            f"{output / name}: {len(content):,} bytes", soft_wrap=True, highlight=False
        )
