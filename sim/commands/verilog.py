"""`mnv2 verilog`."""

import importlib.metadata
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.accelerator import Config, Settings

#: Name of the top module, of its file and of the core.
TOP = "accelerator"


def verilog(
    output: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder that gets the files. Those of the same names are replaced, others "
            "are left alone.",
        ),
    ],
    config: Config = "base",
    settings: Settings = None,
):
    """Write the accelerator as Verilog, with its register map and a FuseSoC core file.

    The folder gets accelerator.v, the design in one file, with ports clk and rst (synchronous), the
    AXI4-Lite port control, the AXI4 port bus and an interrupt; registers.md, what the host writes
    and reads; and mnv2_accelerator.core, with which FuseSoC takes it into a design:
    fusesoc --cores-root DIR run --target lint mnv2_accelerator. It is the same text that mnv2 run
    simulates.

    Examples:

    - mnv2 verilog --output rtl

    - mnv2 verilog --config tiny --set data_bits=128 --output rtl/tiny
    """
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import replaced_files

    accelerator = load_configuration(config, settings or ())
    description = f"MobileNetV2 accelerator, {accelerator.multipliers} multipliers ({config})"
    with replaced_files(output) as temporary:
        for name, text in accelerator_files(accelerator, description).items():
            (temporary / name).write_text(text, encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
    for name, size in sizes.items():
        get_console().print(f"{output / name}: {size:,} bytes", soft_wrap=True, highlight=False)


def accelerator_files(accelerator, description):
    """Texts of the files, by name.

    Parameters
    ----------
    accelerator : mnv2.hw.config.AcceleratorConfig
    description : str
        One line that goes into the core file.

    Returns
    -------
    dict of str to str
    """
    from mnv2.hw.accelerator import Accelerator
    from mnv2.hw.config import COUNTER_ROWS
    from mnv2.sim.rtl.fusesoc import core_description
    from mnv2.sim.rtl.register_map import register_map
    from mnv2.sim.rtl.verilog import generate

    return {
        f"{TOP}.v": generate(Accelerator, name=TOP, config=accelerator),
        "registers.md": register_map(accelerator, rows=COUNTER_ROWS),
        f"mnv2_{TOP}.core": core_description(
            name=f"mnv2_{TOP}",
            version=importlib.metadata.version("mnv2"),
            description=description,
            verilog_file=f"{TOP}.v",
            top=TOP,
        ),
    }
