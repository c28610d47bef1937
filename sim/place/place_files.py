"""Files of a placed accelerator: place.json, the picture, the logs, the bitstream."""

import dataclasses
from pathlib import Path
from typing import Any

from mnv2.sim.jobs.files import write_json
from mnv2.sim.place.place_plots import draw_place
from mnv2.sim.place.placement import PlaceReport

__all__ = ["describe_place", "write_place"]


def describe_place(report: PlaceReport) -> dict[str, Any]:
    """A report as values that JSON holds; clocks are in MHz, delays in nanoseconds.

    ``timing`` is ``"complete"``, or begins with "optimistic" and says what it leaves out.
    ``resources`` are used and available as nextpnr counts what it packed, ``units`` the same by
    unit, ``delays`` the numbers of endpoints by the delay of their longest path.
    """
    result = report.result
    return {
        "configuration": dataclasses.asdict(report.config),
        "device": report.target.device.name,
        "package": report.target.package,
        "speed": report.speed,
        "timing": report.timing,
        "seed": report.best,
        "megahertz": result["megahertz"],
        "placed_megahertz": result["placed_megahertz"],
        "megahertz_by_speed": {str(speed): clock for speed, clock in report.clocks.items()},
        "seeds": list(report.seeds),
        "resources": {
            use.resource: {"used": use.used, "available": use.available} for use in report.uses
        },
        "paths": result["paths"],
        "units": result["units"],
        "delays": result["delays"],
        "synthesis": report.synthesis,
        "netlist_sha256": report.netlist_sha256,
        "versions": report.versions,
        "commit": report.commit,
    }


def write_place(report: PlaceReport, folder: Path) -> list[str]:
    """Write the files of a report.

    Parameters
    ----------
    report : PlaceReport
    folder : Path
        As of `mnv2.sim.jobs.files.output_folder`.

    Returns
    -------
    list of str
        Names of the files.
    """
    write_json(folder / "place.json", describe_place(report), allow_nan=False)
    draw_place(report).savefig(folder / "place.png", dpi=120)
    names = ["place.json", "place.png"]
    if report.bitstream is not None:
        (folder / "accelerator.bit").write_bytes(report.bitstream)
        names.append("accelerator.bit")
    return names
