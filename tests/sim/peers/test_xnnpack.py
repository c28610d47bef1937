"""The benchmark runs both models and divides what it measured."""

import pytest

from mnv2.sim.peers import xnnpack as benchmark


def test_report_divides_least_by_least():
    measurement = benchmark.Measurement(
        (0.03, 0.02), (0.02, 0.02), (0.01, 0.005), (0.004, 0.008), (0.1,)
    )
    lines = benchmark.report(measurement, 16)
    assert [line.split()[-2:] for line in lines[1:]] == [
        ["20.00", "25.00"],
        ["5.00", "7.50"],
        ["4.00", "3.33"],
        ["20.00", "20.00"],
        ["4.00", "6.00"],
        ["5.00", "3.33"],
        ["100.00", "100.00"],
    ]


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--rounds", "-1"]])
def test_refuses(arguments, capsys):
    with pytest.raises(SystemExit):
        benchmark.main(arguments)
    assert "--batch and --rounds must be positive" in capsys.readouterr().err


def test_refuses_more_threads(capsys, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with pytest.raises(SystemExit):
        benchmark.main([])
    assert "OPENBLAS_NUM_THREADS must be 1" in capsys.readouterr().err
