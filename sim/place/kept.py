"""Results that are kept with the project, for `mnv2.sim.cost.placed`; optimistic ones apart."""

import json
from pathlib import Path

from mnv2.sim.cost.placed import PLACED, load_placed
from mnv2.sim.jobs.files import write_whole
from mnv2.sim.place.place_files import describe_place
from mnv2.sim.place.placement import PlaceReport

__all__ = ["OPTIMISTIC", "keep_result"]

#: Results whose timing leaves something out: nothing computes with them.
OPTIMISTIC = Path(__file__).with_name("optimistic.json")

#: What of place.json is kept: what readers ask for, and not what a picture needs.
_KEPT = (
    "configuration",
    "device",
    "package",
    "speed",
    "timing",
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


def keep_result(report: PlaceReport, title: str, path: Path | None = None) -> None:
    """Add a result to the kept ones, in place of an earlier one of its title, device and speed.

    Parameters
    ----------
    report : PlaceReport
    title : str
        Of the configuration.
    path : Path, optional
        The kept results; else those of the project, `OPTIMISTIC` where the timing is.
    """
    if path is None:
        path = OPTIMISTIC if report.target.flow.caveat else PLACED
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
