"""The command line in a report is the one that was given."""

import shlex
from enum import Enum
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mnv2.sim.commands.terminal.command_line import command_line

app = typer.Typer()


class Kind(Enum):
    ONE = "first kind"


@app.command()
def other():
    """A second command, so that the first has a name."""


@app.command()
def work(
    context: typer.Context,
    image: Annotated[str, typer.Argument()] = "chelsea",
    clock: float = 200.0,
    kind: Kind = Kind.ONE,
    settings: Annotated[list[str] | None, typer.Option("--set", "-s")] = None,
    fast: Annotated[bool, typer.Option("--fast/--slow")] = True,
):
    print(command_line(context))


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["a picture's name.jpg", "--clock", "150"],
        ["--clock", "0.25", "--kind", "first kind", "--set", "a=1", "--set", "b=$(ls)", "--slow"],
        ["--fast"],
    ],
)
def test_what_was_given_is_said(given):
    result = CliRunner().invoke(app, ["work", *given])
    assert shlex.split(result.stdout) == ["mnv2", "work", *given]


def test_order_and_short_names_do_not_matter():
    result = CliRunner().invoke(app, ["work", "-s", "a=1", "--clock=1e3", "cat.jpg"])
    assert result.stdout.strip() == "mnv2 work cat.jpg --clock 1000 --set a=1"
