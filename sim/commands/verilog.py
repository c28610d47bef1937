"""`mnv2 verilog`."""

import importlib.metadata
from pathlib import Path
from typing import Annotated

import typer

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.commands.options.accelerator import Config, Settings
from mnv2.sim.errors import UserError

#: The unit that is everything: name of its top module, of its file and of its core.
TOP = "accelerator"


def verilog(
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that gets the files. Those of the same names are replaced, others "
            "are left alone. Required, except with --unit list.",
        ),
    ] = None,
    config: Config = "base",
    settings: Settings = None,
    unit: Annotated[
        str,
        typer.Option(
            metavar="NAME|list",
            help="A unit alone, with the lanes and memories of the configuration: depthwise, "
            "pointwise, mac-array, line-buffer, requantize, residual-add, pool, and others; "
            "list shows them all.",
        ),
    ] = TOP,
    litex: Annotated[
        bool,
        typer.Option("--litex", help="Also mnv2_litex.py, which puts the accelerator into a SoC."),
    ] = False,
    vivado: Annotated[
        bool,
        typer.Option(
            "--vivado",
            help="Also Tcl that packages an IP, and makes block designs of KV260, ZCU104 and "
            "PYNQ-Z2. Not run in Vivado.",
        ),
    ] = False,
):
    """Write the accelerator, or one of its units, as Verilog, with a FuseSoC core file.

    The folder gets accelerator.v, the design in one file, with ports clk and rst (synchronous), the
    AXI4-Lite port control, the AXI4 port bus and an interrupt; mnv2_axi.v, the same under the names
    that Vivado recognises, aclk, aresetn, s_axi_… and m_axi_…; registers.md, what the host writes
    and reads, and the same as a C header, mnv2_registers.h, and in SystemRDL, accelerator.rdl, of
    which PeakRDL makes pages and IP-XACT; and mnv2_accelerator.core, with which FuseSoC takes it
    into a design: fusesoc --cores-root DIR run --target lint mnv2_accelerator. It is the same text
    that mnv2 run simulates, SystemVerilog for its assertions; with the macro SYNTHESIS defined, as
    synthesis tools do, they are left out and it is Verilog-2005.

    With --litex the folder also gets mnv2_litex.py, a module for LiteX: add_accelerator(soc)
    connects registers, interrupt and LiteDRAM. With --vivado it gets Tcl: package_ip.tcl makes an
    IP of mnv2_axi; kv260.tcl, zcu104.tcl and pynq_z2.tcl make a project each, with the IP next to
    the processor system. Nothing of that was run in Vivado.

    With --unit the folder gets the unit instead, such as depthwise.v, mnv2_depthwise.core, and
    depthwise.md with its parameters and ports. The depthwise and pointwise units are complete in
    themselves; in the accelerator both kinds of layers share one array of multipliers, mac-array.

    Examples:

    - mnv2 verilog --output rtl

    - mnv2 verilog --config tiny --set data_bits=128 --output rtl/tiny

    - mnv2 verilog --litex --output rtl

    - mnv2 verilog --unit depthwise --config small --output rtl

    - mnv2 verilog --unit list
    """
    from mnv2.sim.commands.terminal.console import get_console
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.system.litex_files import litex_files
    from mnv2.sim.system.vivado import vivado_files

    accelerator = load_configuration(config, settings or ())
    if unit == "list":
        _print_units()
        return
    unit = find_unit(unit)
    if output is None:
        raise UserError("--output must name the folder that gets the files")
    for option, wanted in (("--litex", litex), ("--vivado", vivado)):
        if wanted and unit != TOP:
            raise UserError(f"{option} is for the accelerator as a whole: leave out --unit")
    if unit == TOP:
        description = (
            f"MobileNetV2 accelerator, {accelerator.multipliers} products a cycle ({config})"
        )
        files = accelerator_files(accelerator, description)
        files |= litex_files(accelerator) if litex else {}
        if vivado:
            files |= vivado_files(importlib.metadata.version("mnv2"), description)
    else:
        files = unit_files(
            unit, accelerator, f"Unit {unit} of a MobileNetV2 accelerator ({config})"
        )
    with replaced_files(output) as temporary:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
        sizes = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
    for name, size in sizes.items():
        get_console().print(f"{output / name}: {size:,} bytes", soft_wrap=True, highlight=False)


def _print_units():
    """A line for each unit."""
    from rich.table import Table

    from mnv2.hw.units import UNITS
    from mnv2.sim.commands.terminal.console import get_console

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, unit in UNITS.items():
        place = "in the accelerator" if unit.places else "stand-alone"
        table.add_row(name, "whole" if name == TOP else place, unit.summary.rstrip("."))
    get_console().print(table)


def find_unit(name: str) -> str:
    """Name of a unit in `mnv2.hw.units.UNITS`, given in any case, with or without hyphens.

    Raises
    ------
    UserError
        If there is none, with the names nearest to it.
    """
    from mnv2.hw.units import UNITS
    from mnv2.sim.report.names import find_by_name

    return find_by_name("unit", name, {known: known for known in UNITS})


def unit_files(name: str, accelerator: AcceleratorConfig, description: str) -> dict[str, str]:
    """Texts of the files of a unit, by name.

    Parameters
    ----------
    name : str
        A key of `mnv2.hw.units.UNITS`.
    accelerator : mnv2.hw.config.AcceleratorConfig
        Gives the unit's parameters.
    description : str
        One line that goes into the core file.
    """
    from mnv2.hw.units import UNITS
    from mnv2.sim.rtl.assertion_guard import guard_assertions
    from mnv2.sim.rtl.unit_page import unit_page
    from mnv2.sim.rtl.verilog import convert

    unit = UNITS[name]
    top = name.replace("-", "_")
    parameters = unit.parameters(accelerator)
    component = unit.component(**parameters)
    return {
        f"{top}.v": guard_assertions(convert(component, name=top)),
        f"{top}.md": unit_page(name, unit, parameters, component),
        f"mnv2_{top}.core": _core_file(top, description),
    }


def accelerator_files(accelerator: AcceleratorConfig, description: str) -> dict[str, str]:
    """Texts of the files of the accelerator, by name.

    Parameters
    ----------
    accelerator : mnv2.hw.config.AcceleratorConfig
    description : str
        One line that goes into the core file.
    """
    from mnv2.hw.accelerator import Accelerator
    from mnv2.hw.config import COUNTER_ROWS
    from mnv2.sim.rtl.assertion_guard import guard_assertions
    from mnv2.sim.rtl.axi_wrapper import WRAPPER, axi_wrapper
    from mnv2.sim.rtl.register_header import register_header
    from mnv2.sim.rtl.register_map import register_map
    from mnv2.sim.rtl.system_rdl import system_rdl
    from mnv2.sim.rtl.verilog import generate

    return {
        f"{TOP}.v": guard_assertions(generate(Accelerator, name=TOP, config=accelerator)),
        f"{WRAPPER}.v": axi_wrapper(accelerator),
        "registers.md": register_map(accelerator, rows=COUNTER_ROWS),
        f"{TOP}.rdl": system_rdl(accelerator),
        "mnv2_registers.h": register_header(),
        f"mnv2_{TOP}.core": _core_file(TOP, description),
    }


def _core_file(top: str, description: str) -> str:
    """Text of the FuseSoC core of a top module."""
    from mnv2.sim.rtl.fusesoc import core_description

    return core_description(
        name=f"mnv2_{top}",
        version=importlib.metadata.version("mnv2"),
        description=description,
        verilog_file=f"{top}.v",
        top=top,
    )
