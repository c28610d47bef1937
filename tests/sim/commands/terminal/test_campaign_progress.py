"""The bar of a sweep and of a search."""

from mnv2.sim.commands.terminal.campaign_progress import CampaignBar


def described(bar):
    """Description of the task that is shown."""
    (task,) = bar._bar.tasks
    return task.description, task.completed, task.total


def test_work_before_results_has_a_bar_of_its_own():
    bar = CampaignBar("Formats")
    bar.count("Decoding", 3, 9)
    assert described(bar) == ("Decoding", 3, 9)
    assert not bar.started
    bar.results(0, 4)
    assert bar.started
    assert described(bar) == ("Formats", 0, 4)
    bar.results(1, 4, "W8A8")
    assert described(bar) == ("Formats W8A8", 1, 4)


def test_rate_and_best(monkeypatch):
    now = iter((0.0, 2.0, 4.0))
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    bar = CampaignBar("Predicting", rate=True)
    bar._bar.get_time = lambda: 0.0
    bar.results(10, 20)
    assert described(bar)[0] == "Predicting"
    bar.results(11, 20, "a design")
    # Results of an earlier run do not count.
    assert described(bar)[0] == "Predicting 0/s"
    bar.best("3 in front")
    bar.results(12, 20, "another")
    assert described(bar)[0] == "Predicting 0/s, 3 in front"
