"""Common to all commands: errors as sentences, options of their manner, each taken once."""

import contextlib
import functools
import inspect
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import typer
import typer.core

from mnv2.sim.commands.terminal.console import MANNER
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.disk import LITTLE_BYTES, free_bytes, is_full

__all__ = ["PRINTS_JSON", "Command", "guard", "prints_json"]

#: Attribute of commands whose report --json prints.
PRINTS_JSON = "prints_json"

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no notes: errors and the result alone."),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the report on standard output as JSON, in place of the tables."
    ),
]


class Command(typer.core.TyperCommand):
    """A command whose options are taken once, unless they may be repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option with one value that is given twice, then parse as usual."""
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for parameter, times in Counter(order).items():
                if times > 1 and _takes_one(parameter):
                    name = max(parameter.opts, key=len)
                    ctx.fail(f"Option {name!r} is given {times} times, and takes one value.")
        return super().parse_args(ctx, args)


def _takes_one(parameter: Any) -> bool:
    """Whether a parameter is an option with one value."""
    return (
        parameter.param_type_name == "option"
        and not parameter.multiple
        and not getattr(parameter, "is_flag", False)
        and not getattr(parameter, "count", False)
    )


def prints_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a command whose report --json prints, through `show_report`."""
    setattr(command, PRINTS_JSON, True)
    return command


def guard(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make a command end with a sentence, not a traceback, on errors of the user or the hardware.

    Exit status 2 for errors that the user can fix, 1 for a failed simulation, 130 for Ctrl-C and
    for a request to terminate. It gets the options --quiet and, if it is marked by `prints_json`,
    --json.
    """
    manners: dict[str, Any] = {"quiet": Quiet}
    if getattr(command, PRINTS_JSON, False):
        manners["as_json"] = AsJson

    @functools.wraps(command)
    def guarded(*arguments: Any, **options: Any) -> Any:
        MANNER.quiet = options.pop("quiet", False)
        MANNER.as_json = options.pop("as_json", False)
        try:
            return command(*arguments, **options)
        except UserError as error:
            message, status = f"mnv2: {_sentence(error)}", 2
        except SimulationError as error:
            message, status = f"mnv2: {error}", 1
        except KeyboardInterrupt:
            _leave_elaboration()
            message, status = "mnv2: interrupted; nothing was left half-written.", 130
        except OSError as error:
            if str(error.strerror).startswith("No usable temporary directory"):
                message, status = f"mnv2: {error.strerror}: set TMPDIR to a folder.", 2
            elif is_full(error):
                message, status = f"mnv2: the output cannot be written: {_why_full(error)}.", 2
            else:
                raise
            # Text still in the buffer would fail once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except RuntimeError as error:
            # Path.expanduser and platformdirs, of a user that the system does not know.
            if "home directory" not in str(error):
                raise
            message, status = "mnv2: this user has no home folder: give paths without ~.", 2
        print(message, file=sys.stderr)
        raise typer.Exit(status)

    signature = inspect.signature(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in manners.items()
    ]
    guarded.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), *added]
    )
    guarded.__annotations__ = {**command.__annotations__, **manners}
    return guarded


def _leave_elaboration() -> None:
    """Silence Amaranth's warning of parts that an interrupted elaboration did not use."""
    if "amaranth" in sys.modules:
        with contextlib.suppress(ImportError):
            from amaranth.hdl import UnusedElaboratable

            warnings.filterwarnings("ignore", category=UnusedElaboratable)


def _sentence(error: Exception) -> str:
    """The message of an error with one full stop, or its own question mark."""
    text = str(error).rstrip(".")
    return text if text.endswith("?") else f"{text}."


def _why_full(error: OSError) -> str:
    """The reason of an error of a full disk, with the folder where it is known."""
    folders = [os.environ.get("TMPDIR", ""), os.environ.get("MNV2_CACHE", "")]
    full = [folder for folder in folders if folder and _is_without_room(folder)]
    where = error.filename or (full[0] if full else None)
    reason = error.strerror or "No space left on device"
    return f"{reason} in {str(where)!r}" if where else reason


def _is_without_room(folder: str) -> bool:
    """Whether the disk of a folder is full."""
    free = free_bytes(folder)
    return free is not None and free < LITTLE_BYTES
