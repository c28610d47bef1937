"""The request of a campaign, its configuration, and what is kept of its results."""

import dataclasses
import json
from pathlib import Path
from typing import ClassVar

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.campaign import CampaignRequest, absolute, open_campaign
from mnv2.sim.jobs.identity import code_hash
from mnv2.sim.jobs.journal import read_journal


@dataclasses.dataclass(frozen=True)
class SumRequest(CampaignRequest):
    """A request for sums."""

    kind: ClassVar[str] = "sum"
    code: ClassVar[tuple[str, ...]] = ("mnv2.sim.errors",)

    terms: tuple[int, ...]
    names: dict[str, tuple[str, ...]]
    limit: int | None = None

    def stated(self, parameter):
        """The terms are written as --term, and the names are not of the command."""
        if parameter == "term":
            return "term", frozenset({self.terms})
        return (parameter, self.limit) if parameter == "limit" else None


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A prepared campaign of sums."""

    request: SumRequest

    @property
    def configuration(self):
        """The request and the code."""
        return self.request.configuration({"pictures": ("a", "b")}, {"numpy": "1"})


class Recorder:
    """Progress that is written down."""

    def __init__(self):
        self.calls = []

    def count(self, what, done, total):
        """Nothing is done before the results."""
        raise AssertionError

    def results(self, done, total, last=""):
        """Note how many results are kept."""
        self.calls.append((done, total, last))

    def best(self, words):
        """No sum is best."""
        raise AssertionError


REQUEST = SumRequest((1, 2), {"a": ("b",)})


def test_request_comes_back_from_json():
    values = json.loads(json.dumps(REQUEST.as_dict()))
    assert values == REQUEST.as_dict()
    assert SumRequest.from_dict(values) == REQUEST


@pytest.mark.parametrize("values", [None, {}, {"terms": [1]}, {**REQUEST.as_dict(), "other": 1}, 3])
def test_values_of_another_request(values):
    with pytest.raises(UserError, match="not that of a sum, or was written by another version"):
        SumRequest.from_dict(values)


def test_configuration_is_as_json_gives_it_back():
    configuration = Prepared(REQUEST).configuration
    assert list(configuration) == ["request", "pictures", "code", "numpy"]
    assert configuration["pictures"] == ["a", "b"]
    assert configuration["code"] == code_hash("mnv2.sim.errors")
    assert json.loads(json.dumps(configuration)) == configuration


def test_options_must_match_the_request():
    same = dataclasses.replace(REQUEST, names={})
    REQUEST.check_same(Path("old"), same, ["term", "limit", "names", "workers"])
    other = dataclasses.replace(REQUEST, terms=(1, 3), limit=4)
    REQUEST.check_same(Path("old"), other, ["workers"])
    for parameter, words in (("limit", "--limit None, not 4"), ("term", "--term 1,2, not 1,3")):
        with pytest.raises(
            UserError, match=f"The folder 'old' holds another sum: with {words}; --resume without"
        ):
            REQUEST.check_same(Path("old"), other, ["workers", parameter])


def test_paths_mean_the_same_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("model.onnx") == str(tmp_path / "model.onnx")
    assert absolute(Path("~/x")) == str(Path.home() / "x")
    assert absolute(None) is None


def run(folder, progress, *, resume, todo):
    options = {"resume": resume, "workers": 0, "scheduler": None, "progress": progress}
    with open_campaign(Prepared(REQUEST), folder, **options) as campaign:
        known = campaign.figures("sum")
        campaign.done = len(known)
        campaign.show(3)
        for terms in todo:
            figures = campaign.place.submit(sum, terms).result()
            campaign.keep({"sum": str(terms), "figures": figures}, 3, str(terms))
        return known


def test_results_are_kept_and_known(tmp_path):
    folder, progress = tmp_path / "sums", Recorder()
    assert run(folder, progress, resume=False, todo=[(1, 2), (3, 4)]) == {}
    assert progress.calls == [(0, 3, ""), (1, 3, "(1, 2)"), (2, 3, "(3, 4)")]
    again = Recorder()
    assert run(folder, again, resume=True, todo=[(5, 6)]) == {"(1, 2)": 3, "(3, 4)": 7}
    assert again.calls == [(2, 3, ""), (3, 3, "(5, 6)")]
    configuration, entries = read_journal(folder)
    assert configuration == Prepared(REQUEST).configuration
    assert [entry["figures"] for entry in entries] == [3, 7, 11]
    assert SumRequest.read(folder) == REQUEST


def test_a_cluster_that_is_not_there_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("mnv2.sim.jobs.cluster.CONNECT_SECONDS", 1)
    options = {"workers": None, "scheduler": "tcp://127.0.0.1:9", "progress": Recorder()}
    with (
        pytest.raises(UserError, match="No Dask scheduler answers"),
        open_campaign(Prepared(REQUEST), tmp_path / "sums", resume=False, **options),
    ):
        pytest.fail("There is no cluster")
    assert not (tmp_path / "sums").exists()


def test_a_resumed_campaign_without_work_needs_no_cluster(tmp_path):
    run(tmp_path / "sums", Recorder(), resume=False, todo=[(1, 2)])
    options = {"workers": None, "scheduler": "tcp://127.0.0.1:9", "progress": Recorder()}
    with open_campaign(Prepared(REQUEST), tmp_path / "sums", resume=True, **options) as campaign:
        assert campaign.figures("sum") == {"(1, 2)": 3}
