"""The command line that reproduces a report."""

import shlex

import typer

__all__ = ["command_line"]

#: Parameters that change how a command prints, and nothing of its report.
MANNERS = ("quiet", "as_json")


def command_line(context: typer.Context) -> str:
    """The command with the options that were given, quoted for a shell.

    Parameters
    ----------
    context : typer.Context
        Of the command.

    Returns
    -------
    str
        Options left at their defaults are left out; paths stay as they were written.
    """
    arguments: list[str] = []
    options: list[str] = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE" or parameter.name in MANNERS:
            continue
        value = context.params[parameter.name or ""]
        values = value if isinstance(value, (list, tuple)) else [value]
        if parameter.param_type_name == "argument":
            arguments += [_written(one) for one in values]
            continue
        name = max(parameter.opts, key=len)
        for one in values:
            if getattr(parameter, "is_flag", False):
                options.append(name if one else parameter.secondary_opts[0])
            else:
                options += [name, _written(one)]
    return shlex.join(["mnv2", context.info_name or "", *arguments, *options])


def _written(value):
    """Text of an option's value: of a choice its value, of a whole number no .0."""
    value = getattr(value, "value", value)
    return f"{value:g}" if isinstance(value, float) else str(value)
