"""Results of Yosys that are kept with the source, with one line for each unit and memory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnv2.sim.jobs.files import write_whole

__all__ = ["read_results", "write_results"]

#: What a result has by the paths of units.
_BY_PATH = ("units", "memories")


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
