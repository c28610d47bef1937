"""A placed accelerator on the terminal."""

from rich.console import Group
from rich.text import Text

from mnv2.sim.place.placement import PlaceReport
from mnv2.sim.report.wide_table import WideTable, new_table
from mnv2.sim.synthesis.owners import WRAPPER

__all__ = ["name_register", "render_place"]

_MEBIBYTE = 2**20


def render_place(report: PlaceReport) -> Group:
    """Clock, use of the device, seeds, and the worst paths by unit.

    Parameters
    ----------
    report : PlaceReport

    Returns
    -------
    rich.console.Group
    """
    return Group(
        _headline(report),
        "",
        _use_table(report),
        "",
        _seed_table(report),
        "",
        _path_table(report),
        "",
        _closing(report),
    )


def _headline(report):
    others = ", ".join(
        f"{clock:.1f} MHz at speed {speed}"
        for speed, clock in report.clocks.items()
        if speed != report.speed
    )
    return Text(
        f"placed and routed: {report.result['megahertz']:.1f} MHz{_doubt(report)} on "
        f"{report.target.device.title} speed {report.speed}, seed {report.best}"
        f"{f'; the same routing {others}' if others else ''}",
        style="bold",
    )


def _doubt(report, begin=" (", end=")"):
    """The word that stands at each figure of time where the timing leaves something out."""
    return f"{begin}optimistic{end}" if report.target.flow.caveat else ""


def _use_table(report):
    table = new_table(
        "Use of the device", "resource", "used", "available", "share", "of it\nwrapper"
    )
    wrapper = report.result["units"].get(WRAPPER, {})
    kinds = {"LUTs": "luts", "flip-flops": "flip_flops"}
    for use in report.uses:
        table.add_row(
            use.resource,
            f"{use.used:,}",
            f"{use.available:,}",
            f"{use.share:.0%}",
            f"{wrapper.get(kinds.get(use.resource, ''), 0):,}",
        )
    table.caption = (
        f"as nextpnr packs it: {report.target.flow.note};\n"
        "the wrapper is the registers at the accelerator's ports"
    )
    return table


def _seed_table(report):
    table = new_table(
        f"Routed for speed {report.speed}{_doubt(report, ', ', '')}",
        "step",
        "MHz after\nrouting",
        "MHz after\nplacement",
        "wall,\ns",
        "processor,\ns",
        "peak memory,\nMiB",
    )
    table.add_row("Yosys", "", "", *_effort(report.synthesis["effort"]))
    for seed in report.seeds:
        name = f"seed {seed['seed']}"
        if "failed" in seed:
            table.add_row(name, "failed", *[""] * 4)
            continue
        estimate = seed["placed_megahertz"]
        table.add_row(
            name,
            f"{seed['megahertz']:.1f}",
            "" if estimate is None else f"{estimate:.1f}",
            *_effort(seed["effort"]),
            style="bold" if seed["seed"] == report.best else None,
        )
    notes = [
        f"seed {seed['seed']}: {seed['failed']}; log {seed['log']}"
        for seed in report.seeds
        if "failed" in seed
    ]
    table.caption = "\n".join(
        ["after placement: nextpnr's estimate of wires not yet routed", *notes]
    )
    return table


def _effort(effort):
    return (
        f"{effort['wall_seconds']:,.0f}",
        f"{effort['processor_seconds']:,.0f}",
        f"{effort['peak_bytes'] / _MEBIBYTE:,.0f}",
    )


def _path_table(report):
    title = f"Longest paths by unit, seed {report.best}{_doubt(report, ', ', '')}"
    table = WideTable(title, keys=1)
    table.add_column("ns", "right")
    table.add_column("of it\nwires", "right")
    for column in ("from", "to", "cells", "through"):
        table.add_column(column)
    for path in report.result["paths"]:
        table.add_row(
            f"{path['nanoseconds']:.2f}",
            f"{path['wires']:.2f}",
            Text(name_register(path["from_unit"], path["from_register"])),
            Text(name_register(path["to_unit"], path["to_register"], path["to_port"])),
            ", ".join(f"{count} {kind}" for kind, count in path["logic"].items()),
            Text(" > ".join(unit or "top" for unit in path["through"])),
        )
    table.caption = (
        "the longest path for each register and unit that it leads to;\n"
        f"{report.target.flow.path_note}"
    )
    return table


def name_register(unit: str, register: str, port: str = "") -> str:
    """A register with its unit, such as ``"core.issue: issued"``."""
    suffix = f" ({port})" if port in ("CE", "LSR", "SR", "WRE", "WE") else ""
    return f"{unit or 'top'}: {register}{suffix}"


def _closing(report):
    versions = "; ".join(report.versions[name] for name in ("yosys", "nextpnr"))
    lines = [
        f"Measured by nextpnr's model of the device, which no board has confirmed. {versions}.",
    ]
    if report.target.flow.caveat:
        lines.insert(0, f"Every clock and delay here is {report.timing}.")
    if report.bitstream is not None:
        lines.append(
            "The bitstream was not run on a board: its two pins are where nextpnr put them, and "
            "lead to the wrapper."
        )
    return Text("\n".join(lines), style="dim")
