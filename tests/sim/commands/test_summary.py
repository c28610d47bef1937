"""`mnv2 summary`: the layers of a network and their totals."""

from typer.testing import CliRunner

from mnv2.sim.cli import app


def invoke(*arguments):
    """Result of a command, run in this process."""
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})


def test_summary_totals():
    text = invoke("summary").stdout
    assert "3,504,872" in text
    assert "3,538,984" in text
    assert "300,774,272" in text
    rows = [line for line in text.splitlines() if line.startswith(" block17.project")]
    assert rows[0].split() == [
        "block17.project",
        "1x1",
        "1",
        "7x7x320",
        "307,840",
        "15,052,800",
        "307,200",
        "15,680",
    ]


def test_summary_of_another_network():
    text = invoke(
        "summary", "--width", "0.35", "--size", "96", "--classes", "10", "--padding", "tensorflow"
    ).stdout
    assert "MobileNetV2 0.35, 96x96, 10 classes, tensorflow padding" in text
    assert "1x1x10 " in text
