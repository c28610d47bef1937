"""The command line that makes a report again."""

import shlex

__all__ = ["command_line"]


def command_line(context):
    """The command with the options that were given, as a shell reads it.

    Parameters
    ----------
    context : typer.Context
        Of the command.

    Returns
    -------
    str
        What was left out is left out; paths stay as they were written.
    """
    arguments, options = [], []
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name).name != "COMMANDLINE":
            continue
        value = context.params[parameter.name]
        values = value if isinstance(value, (list, tuple)) else [value]
        if parameter.param_type_name == "argument":
            arguments += [_written(one) for one in values]
            continue
        name = max(parameter.opts, key=len)
        for one in values:
            if parameter.is_flag:
                options.append(name if one else parameter.secondary_opts[0])
            else:
                options += [name, _written(one)]
    return shlex.join(["mnv2", context.info_name, *arguments, *options])


def _written(value):
    """A value of an option as it is written: a choice by its value, a whole number without .0."""
    value = getattr(value, "value", value)
    return f"{value:g}" if isinstance(value, float) else str(value)
