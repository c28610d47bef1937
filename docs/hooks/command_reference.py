"""The page of commands: every command's own help, arguments and options."""

import re

import typer.main

from mnv2.sim.cli import EPILOG, app

__all__ = ["command_page"]

_INTRODUCTION = """
Every command prints the same with `--help`. A bad input ends with one sentence and exit status 2, a
simulation that fails or differs with 1, Ctrl-C with 130.
"""


def command_page():
    """Text of the page, in Markdown."""
    group = typer.main.get_command(app)
    lines = ["# Commands", "", group.help, "", EPILOG, _INTRODUCTION]
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):  # a group
            lines += [f"## mnv2 {name}", "", _text(command.help), ""]
            for inner, one in command.commands.items():
                lines += _command(f"mnv2 {name} {inner}", one, level=3)
        else:
            lines += _command(f"mnv2 {name}", command, level=2)
    return "\n".join(lines) + "\n"


def _command(name, command, level):
    """Lines of a command: its help, then tables of its parameters, panel by panel."""
    lines = [f"{'#' * level} {name}", "", _text(command.help), ""]
    panels = {}
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            panel = getattr(parameter, "rich_help_panel", None) or (
                "Options" if parameter.param_type_name == "option" else "Arguments"
            )
            panels.setdefault(panel, []).append(parameter)
    for panel, parameters in panels.items():
        lines += [f"| {panel} | meaning | default |", "|---|---|---|"]
        lines += [_row(parameter) for parameter in parameters]
        lines.append("")
    return lines


def _row(parameter):
    """A parameter as a row: its names and value, its help, its default."""
    if parameter.param_type_name == "argument":
        names = [parameter.metavar or parameter.name.upper()]
        value = ""
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else _value(parameter)
    default = parameter.default
    # A flag's default is off, and no value is what the help speaks of.
    shown = "" if default is None or isinstance(default, bool) or default == () else f"`{default}`"
    cells = (
        " ".join(filter(None, (", ".join(f"`{name}`" for name in names), value))),
        _text(getattr(parameter, "help", None) or ""),
        shown,
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _value(parameter):
    """Name of an option's value."""
    return f"`{parameter.metavar or parameter.name.upper()}`"


def _text(help):
    """A help text as Markdown: a word in angle brackets is no tag."""
    return re.sub(r"<(?=\w)", "&lt;", help or "").strip()


def _cell(text):
    """A text in a cell of a table: one line, its bars escaped."""
    return re.sub(r"\s*\n\s*", " ", text).replace("|", "\\|")
