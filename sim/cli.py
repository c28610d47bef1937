"""The `mnv2` command: guards and registers the subcommands of `mnv2.sim.commands`."""

import functools
import os
import signal
import sys

import typer

from mnv2.sim.commands.accuracy import accuracy
from mnv2.sim.commands.classify import classify
from mnv2.sim.commands.compare import compare
from mnv2.sim.commands.cost import cost
from mnv2.sim.commands.doctor import doctor
from mnv2.sim.commands.explore import explore
from mnv2.sim.commands.export import export
from mnv2.sim.commands.golden import golden
from mnv2.sim.commands.lab import COMMANDS as LAB_COMMANDS
from mnv2.sim.commands.lab import HELP as LAB_HELP
from mnv2.sim.commands.place import place
from mnv2.sim.commands.predict import model, predict
from mnv2.sim.commands.program import program
from mnv2.sim.commands.run import run
from mnv2.sim.commands.summary import summary
from mnv2.sim.commands.sweep import sweep
from mnv2.sim.commands.validate import validate
from mnv2.sim.commands.verilog import verilog
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.cache import place_matplotlib
from mnv2.sim.jobs.disk import LITTLE_BYTES, free_bytes, is_full
from mnv2.sim.jobs.threads import limit_blas_threads

__all__ = ["app", "main"]

EPILOG = (
    "First steps: mnv2 doctor, then mnv2 classify chelsea, then mnv2 run chelsea. "
    "Builds and the quantised model are kept in the cache (MNV2_CACHE, default the user's cache "
    "folder); nothing is fetched from the network."
)

app = typer.Typer(
    name="mnv2",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog=EPILOG,
    help="MobileNetV2 in integers and in RTL: classify a picture with a golden model, and run it "
    "on a simulated accelerator, from image to class, bit-exact, every cycle and byte counted.",
)


def _sentence(error):
    """The message of an error with one full stop, or its own question mark."""
    text = str(error).rstrip(".")
    return text if text.endswith("?") else f"{text}."


def guard(command):
    """Make a command end with a sentence, not a traceback, on errors of the user or the hardware.

    Exit status 2 for errors that the user can fix, 1 for a failed simulation, 130 for Ctrl-C and
    for a request to terminate.
    """

    @functools.wraps(command)
    def guarded(*arguments, **options):
        try:
            return command(*arguments, **options)
        except UserError as error:
            message, status = f"mnv2: {_sentence(error)}", 2
        except SimulationError as error:
            message, status = f"mnv2: {error}", 1
        except KeyboardInterrupt:
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

    return guarded


def _why_full(error):
    """The reason of an error of a full disk, with the folder where it is known."""
    folders = [os.environ.get("TMPDIR", ""), os.environ.get("MNV2_CACHE", "")]
    full = [folder for folder in folders if folder and _is_without_room(folder)]
    where = error.filename or (full[0] if full else None)
    reason = error.strerror or "No space left on device"
    return f"{reason} in {str(where)!r}" if where else reason


def _is_without_room(folder):
    """Whether the disk of a folder is full."""
    free = free_bytes(folder)
    return free is not None and free < LITTLE_BYTES


for _command in (
    summary,
    classify,
    golden,
    run,
    export,
    compare,
    accuracy,
    sweep,
    predict,
    validate,
    cost,
    explore,
    place,
    verilog,
    program,
    doctor,
):
    app.command()(guard(_command))
# The former name of predict: scripts that call it keep working.
app.command(name="model", hidden=True)(guard(model))

lab = typer.Typer(
    name="lab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=LAB_HELP,
)
for _command in LAB_COMMANDS:
    lab.command()(guard(_command))
app.add_typer(lab)


def _interrupt(number, frame):
    """End as Ctrl-C does: simulators are stopped and temporary files removed."""
    raise KeyboardInterrupt


def main():
    """Entry point of the console script."""
    # No command has loaded numpy or matplotlib yet.
    limit_blas_threads()
    place_matplotlib()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    app()


if __name__ == "__main__":
    main()
