"""Panels of a command's help."""

import copy
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args

__all__ = ["in_panel"]

Command = TypeVar("Command", bound=Callable[..., Any])


def in_panel(panel: str, *parameters: str) -> Callable[[Command], Command]:
    """Put options that other commands have too into a panel of this command's help.

    Parameters
    ----------
    panel : str
    parameters : str
        Of the command, each with its option.

    Returns
    -------
    function of a command
        Returns the command itself.
    """

    def put(command: Command) -> Command:
        for name in parameters:
            kind, option = get_args(command.__annotations__[name])
            option = copy.copy(option)
            option.rich_help_panel = panel
            command.__annotations__[name] = Annotated[kind, option]
        return command

    return put
