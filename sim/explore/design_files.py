"""A TOML file for each design of the front, for `mnv2 run --config`."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnv2.sim.configuration import toml_value
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.lanes import warning_words
from mnv2.sim.explore.objectives import Figure
from mnv2.sim.explore.request import NETWORK_OPTIONS, SearchRequest
from mnv2.sim.explore.search_tables import binding_words, time_words

if TYPE_CHECKING:
    from mnv2.sim.explore.search_results import SearchResults

__all__ = ["design_file", "run_command", "write_design_files"]


def run_command(design: Design, folder: Path) -> str:
    """The command for the next step from a design of the front: it runs the design in RTL.

    Its file states clock, memory and network; one that no file has weights of gets random ones.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
    folder : Path
        Folder of its file.

    Returns
    -------
    str
        As a shell takes it.
    """
    return f"mnv2 run --config {shlex.quote(str(folder / f'{design.name}.toml'))}"


def design_file(design: Design, objectives: Sequence[Figure], request: SearchRequest) -> str:
    """Content of a design's file: comments that describe it, its fields, where it was found.

    The tables ``[design]`` and ``[network]`` have the clock, the device, the memory and the network
    of the search: every command that takes the file takes them too.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
        A design of the front.
    objectives : sequence of mnv2.sim.explore.objectives.Figure
    request : mnv2.sim.explore.request.SearchRequest

    Returns
    -------
    str
    """
    lines = [f"{design.name}, of mnv2 explore: predicted, not run", ""]
    lines += [f"{figure.name:10} {figure.text(design)}: {figure.words}" for figure in objectives]
    lines.append(f"{'time':10} is bound by {time_words(design)}")
    if design.uses:
        lines.append(f"{'device':10} is bound by {binding_words(design)}")
    lines += [f"{'idle':10} {sentence}" for sentence in warning_words(design.lane_warnings)]
    lines += ["", design.command]
    tables = {"": dataclasses.asdict(design.config), **_conditions(design, request)}
    fields: list[str] = []
    for name, values in tables.items():
        if name:
            fields += ["", f"[{name}]"]
        fields += [f"{key} = {toml_value(value)}" for key, value in values.items()]
    return "\n".join([*(f"# {line}".rstrip() for line in lines), "", *fields]) + "\n"


def _conditions(design: Design, request: SearchRequest) -> dict[str, dict[str, Any]]:
    """Tables that say where the design was found to be good, as `load_setting` reads them."""
    place: dict[str, Any] = {
        "clock_mhz": design.clock_hz / 1e6,
        "clock_source": design.clock_from,
    }
    place |= {
        name: value
        for name in ("device", "devices")
        if (value := getattr(request, name)) is not None
    }
    if request.memory:
        place["memory"] = request.memory
    else:
        place["latency"] = request.latency
        if design.memory["bytes_per_cycle"]:
            place["bandwidth"] = design.memory["bytes_per_cycle"]
    network = {
        name: value for name in NETWORK_OPTIONS if (value := request.network.get(name)) is not None
    }
    return {"design": place, **({"network": network} if network else {})}


def write_design_files(results: "SearchResults", folder: Path) -> None:
    """Write ``design-001.toml`` and so on, of the front's designs.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    folder : Path
    """
    for design in results.front:
        (folder / f"{design.name}.toml").write_text(
            design_file(design, results.prepared.objectives, results.prepared.request),
            encoding="utf-8",
        )
