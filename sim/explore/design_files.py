"""A TOML file for each design of the front, for `mnv2 run --config`."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mnv2.sim.configuration import toml_value
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.lanes import warning_words
from mnv2.sim.explore.objectives import Figure
from mnv2.sim.explore.request import NETWORK_OPTIONS, SearchRequest
from mnv2.sim.explore.search_tables import binding_words, time_words

if TYPE_CHECKING:
    from mnv2.sim.explore.search_results import SearchResults

__all__ = ["design_file", "network_options", "run_command", "write_design_files"]


def network_options(request: SearchRequest) -> list[str]:
    """Options that name the network of a search, as a shell takes them."""
    options = []
    for name in NETWORK_OPTIONS:
        value = request.network.get(name)
        if value is not None:
            options += [f"--{name}", shlex.quote(str(value))]
    return options


def run_command(design: Design, folder: Path, request: SearchRequest) -> str:
    """The command for the next step from a design of the front.

    It runs the design in RTL; a network that is not of a model's file has no weights to run, and is
    predicted again.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
    folder : Path
        Folder of its file.
    request : mnv2.sim.explore.request.SearchRequest

    Returns
    -------
    str
        As a shell takes it.
    """
    options = network_options(request)
    runs = not any(
        name in request.network and request.network[name] is not None
        for name in ("width", "classes", "padding")
    )
    file = shlex.quote(str(folder / f"{design.name}.toml"))
    command = [
        "mnv2",
        "run" if runs else "predict",
        "--config",
        file,
        *options,
        *(["--memory", request.memory] if request.memory else ["--latency", str(request.latency)]),
        "--clock",
        f"{design.clock_hz / 1e6:g}",
    ]
    if design.memory["bytes_per_cycle"]:
        command += ["--bandwidth", str(design.memory["bytes_per_cycle"])]
    return " ".join(command)


def design_file(design: Design, objectives: Sequence[Figure]) -> str:
    """Content of a design's file: comments that describe it, then its fields.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design
        A design of the front.
    objectives : sequence of mnv2.sim.explore.objectives.Figure

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
    values = dataclasses.asdict(design.config)
    fields = [f"{name} = {toml_value(value)}" for name, value in values.items()]
    return "\n".join([*(f"# {line}".rstrip() for line in lines), "", *fields]) + "\n"


def write_design_files(results: "SearchResults", folder: Path) -> None:
    """Write ``design-001.toml`` and so on, of the front's designs.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    folder : Path
    """
    for design in results.front:
        (folder / f"{design.name}.toml").write_text(
            design_file(design, results.prepared.objectives), encoding="utf-8"
        )
