"""A TOML file for each design of the front, which `mnv2 run --config` goes on from."""

import dataclasses
import shlex

from sim.explore.lanes import warning_words
from sim.explore.tables import binding_words, time_words
from sim.explore.units import format_quantity

__all__ = ["design_file", "network_options", "run_command", "write_design_files"]


def network_options(request):
    """Options that name the network of a search, as a shell takes them."""
    options = []
    for name in ("model", "width", "size", "classes", "padding"):
        value = request.network.get(name)
        if value is not None:
            options += [f"--{name}", shlex.quote(str(value))]
    return options


def run_command(design, folder, request):
    """The command that predicts, or proves, a design of the front once more.

    `mnv2 run` takes the networks of model files; of others, `mnv2 model` predicts.
    """
    options = network_options(request)
    runs = not any(name in request.network and request.network[name] is not None
                   for name in ("width", "classes", "padding"))
    file = shlex.quote(str(folder / f"{design.name}.toml"))
    return " ".join(["mnv2", "run" if runs else "model", "--config", file, *options,
                     "--latency", str(request.latency), "--clock", f"{design.clock_hz / 1e6:g}"])


def design_file(design, objectives, command):
    """Content of a design's file: its fields, below comments that say what it is.

    Parameters
    ----------
    design : sim.explore.design.Design
        Of the front.
    objectives : sequence of sim.explore.objectives.Figure
    command : str
        That goes on from it.

    Returns
    -------
    str
    """
    lines = [f"{design.name}, of mnv2 explore: predicted, not run", ""]
    lines += [f"{figure.name:10} {format_quantity(figure.of(design), figure.unit)}: {figure.words}"
              for figure in objectives]
    lines.append(f"{'time':10} is bound by {time_words(design)}")
    if design.uses:
        lines.append(f"{'device':10} is bound by {binding_words(design)}")
    lines += [f"{'idle':10} {sentence}" for sentence in warning_words(design.lane_warnings)]
    lines += ["", command]
    fields = [f"{name} = {value}" for name, value in dataclasses.asdict(design.config).items()]
    return "\n".join([*(f"# {line}".rstrip() for line in lines), "", *fields]) + "\n"


def write_design_files(results, written, folder):
    """Write ``design-001.toml`` and so on.

    Parameters
    ----------
    results : sim.explore.search.Results
    written : Path
        Where they are written now.
    folder : Path
        Where they will be, for the commands in them.
    """
    prepared = results.prepared
    for design in results.front:
        command = run_command(design, folder, prepared.request)
        (written / f"{design.name}.toml").write_text(
            design_file(design, prepared.objectives, command), encoding="utf-8")
