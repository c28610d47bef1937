"""Commands run in an empty folder, and what they refuse: one sentence, and nothing is left."""

from typer.testing import CliRunner

from mnv2.sim import cli


def invoker(command, folder, monkeypatch):
    """A function that runs a command of `mnv2` in a folder, in this process."""
    monkeypatch.chdir(folder)

    def run(*arguments):
        return CliRunner().invoke(cli.app, [command, *map(str, arguments)], env={"COLUMNS": "200"})

    return run


def refuser(invoke, folder):
    """A function that insists on one sentence, and that nothing is left; it returns the sentence.

    invoke : what `invoker` gave for the same folder
    """

    def run(*arguments):
        before = sorted(folder.rglob("*"))
        done = invoke(*arguments)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("mnv2: ")
        assert line.endswith(".")
        assert sorted(folder.rglob("*")) == before
        return line

    return run
