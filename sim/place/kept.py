"""Results that are kept with the project, for `mnv2.sim.cost.placed`."""

import json
from pathlib import Path

from mnv2.sim.cost.placed import PLACED, load_placed
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.place.place_files import describe_place
from mnv2.sim.place.placement import PlaceReport

__all__ = ["keep_result"]

#: What of place.json is kept: what readers ask for, and not what a picture needs.
_KEPT = (
    "configuration",
    "device",
    "package",
    "speed",
    "seed",
    "megahertz_by_speed",
    "placed_megahertz",
    "seeds",
    "resources",
    "paths",
    "synthesis",
    "netlist_sha256",
    "versions",
    "commit",
)


def keep_result(report: PlaceReport, title: str, path: Path = PLACED) -> None:
    """Add a result to the kept ones, in place of an earlier one of its title, device and speed.

    Parameters
    ----------
    report : PlaceReport
    title : str
        Of the configuration.
    path : Path
        The kept results.
    """
    results = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    described = describe_place(report)
    name = f"{title} {report.target.device.name}-{report.speed}"
    results[name] = {key: described[key] for key in _KEPT}
    lines = [
        f" {json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
        + "}"
        for name, found in results.items()
    ]
    write_whole(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
    load_placed.cache_clear()
