"""Map an accelerator with Yosys; results of the designs of sim/cost/designs.toml are kept."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.synthesised import RESULTS, load_designs
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.synthesis.kept_results import read_results, write_results
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.whole_netlist import (
    COMMANDS,
    convert_accelerator,
    map_netlist,
    netlist_folder,
)
from mnv2.sim.synthesis.whole_result import summarize_netlist

__all__ = ["map_accelerator"]


def map_accelerator(
    config: AcceleratorConfig,
    name: str,
    families: Iterable[str],
    *,
    output: Path | None = None,
    yosys: str | None = None,
    timeout: float = 7200,
) -> None:
    """Map an accelerator for families of devices; print the cells, and keep the results.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    name : str
        Title of the results.
    families : iterable of str
        Keys of `mnv2.sim.synthesis.whole_netlist.COMMANDS`.
    output : Path, optional
        JSON that keeps the results, cells by kind included; results of other names in it stay. By
        default those of a design of sim/cost/designs.toml are kept in sim/cost/synthesis.json, and
        others are only printed.
    yosys : str, optional
        A Yosys to use; default as of `mnv2.sim.synthesis.tools.find_yosys`.
    timeout : float
        Seconds for each family.

    Raises
    ------
    UserError
        If Yosys is not installed.
    SimulationError
        If it fails, or takes longer than ``timeout``.
    """
    tool = find_yosys(yosys)
    text = convert_accelerator(config)
    for family in families:
        folder = netlist_folder(text, family, tool)
        netlist = map_netlist(text, folder, tool, family=family, timeout=timeout)
        result = summarize_netlist(text, netlist, tool)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in result["total"].items())
        print(f"{name} {family}: {counts}", flush=True)
        if output is not None:
            _write(output, name, family, {**result, "cells": netlist.cells})
            continue
        for design, mapped in load_designs().items():
            if mapped.config == config:
                kept = read_results(RESULTS)
                kept.setdefault(design, {})[family] = result
                write_results(RESULTS, kept)


def _write(path: Path, name: str, family: str, result: dict[str, Any]) -> None:
    """Add a result to a file of the user's."""
    content = read_results(path)
    content.setdefault(name, {})[family] = {"commands": COMMANDS[family].splitlines(), **result}
    write_whole(path, f"{json.dumps(content, indent=1)}\n".encode())
