"""The benchmark runs both models and divides what it measured."""

from mnv2.sim.peers import xnnpack as benchmark


def test_report_divides_least_by_least():
    timing = benchmark.Timing((0.03, 0.02), (0.02, 0.02), (0.01, 0.005), (0.004, 0.008), (0.1,))
    lines = benchmark.report(timing, 16)
    assert [line.split()[-2:] for line in lines[1:]] == [
        ["20.00", "25.00"],
        ["5.00", "7.50"],
        ["4.00", "3.33"],
        ["20.00", "20.00"],
        ["4.00", "6.00"],
        ["5.00", "3.33"],
        ["100.00", "100.00"],
    ]
