"""The `mnv2` command: registers the subcommands of `mnv2.sim.commands`."""

import signal
from typing import Annotated

import typer

from mnv2.sim.commands.accuracy import accuracy
from mnv2.sim.commands.classify import classify
from mnv2.sim.commands.compare import compare
from mnv2.sim.commands.cost import cost
from mnv2.sim.commands.devices import devices
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
from mnv2.sim.commands.terminal.guard import Command, guard
from mnv2.sim.commands.validate import validate
from mnv2.sim.commands.verilog import verilog
from mnv2.sim.jobs.cache import place_matplotlib
from mnv2.sim.jobs.threads import limit_blas_threads

__all__ = ["app", "guard", "main"]

EPILOG = (
    "First steps: mnv2 doctor, then mnv2 classify chelsea, then mnv2 run chelsea. "
    "Builds and the quantised model are kept in the cache (MNV2_CACHE, default the user's cache "
    "folder); nothing is fetched from the network."
)

app = typer.Typer(
    name="mnv2",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog=EPILOG,
    help="MobileNetV2 in integers and in RTL: classify a picture with a golden model, and run it "
    "on a simulated accelerator, from image to class, bit-exact, every cycle and byte counted.",
)


def _show_version(wanted: bool) -> None:
    """Print the version and end, if it is asked for."""
    if wanted:
        from mnv2.sim.report.provenance import find_commit, package_version

        commit = find_commit()
        known = "" if commit == "unknown" else f", commit {commit[:12]}"
        print(f"mnv2 {package_version('mnv2')}{known}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options of mnv2 itself."""


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
    devices,
    doctor,
):
    app.command(cls=Command)(guard(_command))
# The former name of predict: scripts that call it keep working.
app.command(name="model", hidden=True, cls=Command)(guard(model))

lab = typer.Typer(
    name="lab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=LAB_HELP,
)
for _lab_command in LAB_COMMANDS:
    lab.command(cls=Command)(guard(_lab_command))
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
