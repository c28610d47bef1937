"""The same files for any workers, after any kill; a point that fails is a row."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import psutil
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs import cluster
from mnv2.sim.jobs.cluster import connect
from mnv2.sim.jobs.journal import JOURNAL_FILE, read_journal
from mnv2.sim.jobs.progress import Silence
from mnv2.sim.sweep.evaluate import Workload
from mnv2.sim.sweep.grid import Point
from mnv2.sim.sweep.request import SweepRequest
from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep
from mnv2.sim.sweep.sweep_records import SweepResults
from mnv2.sim.sweep.sweep_tables import point_frame, write_tables
from tests.sim.sweep.small import (
    prepare_small,
    small_model,
    small_request,
    write_pictures,
    write_sets,
)

ROOT = Path(__file__).parents[3]
FILES = ("sweep.csv", "layers.csv")
POINTS = 12


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(sets):
    return prepare_small(sets)


def tables_of(results, folder):
    """Bytes of the tables by name."""
    folder.mkdir(exist_ok=True)
    write_tables(results, folder)
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def expected(prepared, tmp_path_factory):
    """The tables of a sweep in one process that nothing stopped."""
    folder = tmp_path_factory.mktemp("here")
    return tables_of(run_sweep(prepared, folder / "sweep", workers=0), folder / "tables")


class Recorder(Silence):
    """Progress that is written down."""

    def __init__(self, calls):
        self._calls = calls

    def results(self, done, total, last=""):
        """Note how many points are kept."""
        self._calls.append((done, total))


def points_of_journal(folder):
    return [entry["point"] for entry in read_journal(folder)[1] if "point" in entry]


def test_every_point_is_a_row(expected, prepared, tmp_path):
    (tmp_path / "sweep.csv").write_bytes(expected["sweep.csv"])
    frame = pandas.read_csv(tmp_path / "sweep.csv")
    assert len(frame) == POINTS == len(prepared.points)
    assert frame["failure"].isna().all()
    assert (frame["pictures"] == 30).all()
    assert frame["agree_top1"].between(0, 1).all()
    # Bits must matter, or the comparisons here would say little.
    eight, three = (frame[frame.weight_bits == bits]["sqnr_db"].mean() for bits in (8, 3))
    assert eight > three + 6


def test_workers_change_nothing(prepared, expected, tmp_path):
    results = run_sweep(prepared, tmp_path / "sweep", workers=2)
    assert tables_of(results, tmp_path / "tables") == expected
    assert sorted(points_of_journal(tmp_path / "sweep")) == sorted(p.key for p in prepared.points)


def test_a_cluster_elsewhere_changes_nothing(prepared, expected, tmp_path):
    """One worker, reached by its scheduler's address, that two sweeps share.

    The other sweep has the same points of another network: its results must not be taken for those
    of this one, nor the other way round.
    """
    other = replace(
        prepared, workload=Workload(small_model(seed=2).folded(), prepared.workload.calibration)
    )

    class Between(Recorder):
        def results(self, done, total, last=""):
            if done == 1:
                run_sweep(other, tmp_path / "other", scheduler=address)

    with connect(1, code=SweepRequest.code) as client:
        address = client.scheduler_info()["address"]
        results = run_sweep(prepared, tmp_path / "sweep", scheduler=address, progress=Between([]))
    assert tables_of(results, tmp_path / "tables") == expected
    others = run_sweep(other, tmp_path / "other", resume=True)
    assert tables_of(others, tmp_path / "tables") != expected


def test_cluster_that_is_lost_keeps_what_is_done(prepared, expected, tmp_path, caplog):
    """The scheduler goes away in the middle: one sentence, and a sweep to resume."""
    folder = tmp_path / "sweep"
    with connect(1, code=SweepRequest.code) as client:
        address = client.scheduler_info()["address"]

        class Losing(Recorder):
            def results(self, done, total, last=""):
                if done == 2:
                    client.cluster.close()

        with pytest.raises(UserError, match="The Dask cluster was lost"):
            run_sweep(prepared, folder, scheduler=address, progress=Losing([]))
    assert caplog.text == ""
    done = points_of_journal(folder)
    assert 2 <= len(done) < POINTS
    results = run_sweep(prepared, folder, workers=0, resume=True)
    assert points_of_journal(folder)[: len(done)] == done
    assert tables_of(results, tmp_path / "tables") == expected


def program(sets, workers, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sim.sweep.sweep_program", str(sets), str(workers), *options],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_points(folder, count, seconds=60):
    """Wait until the journal has a number of points."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (folder / JOURNAL_FILE).exists() and len(points_of_journal(folder)) >= count:
            return
        time.sleep(0.01)
    raise AssertionError("The sweep is not under way")


def test_kill_neither_loses_nor_repeats_a_point(sets, expected, prepared):
    folder = sets / "killed"
    killed = program(sets, 2)
    wait_for_points(folder, 2)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = points_of_journal(folder)
    assert 2 <= len(done) < POINTS
    # As a kill in the middle of a line would leave it.
    with (folder / JOURNAL_FILE).open("a") as file:
        file.write('{"point": "')
    calls = []
    results = run_sweep(prepared, folder, resume=True, workers=0, progress=Recorder(calls))
    assert calls[0] == (len(done), POINTS)
    after = points_of_journal(folder)
    assert after[: len(done)] == done
    assert sorted(after) == sorted(point.key for point in prepared.points)
    assert tables_of(results, sets / "tables") == expected


def test_ctrl_c_ends_the_workers_in_silence(sets, tmp_path):
    folder = sets / "killed"
    if folder.exists():
        folder.rename(tmp_path / "earlier")
    interrupted = program(sets, 2)
    wait_for_points(folder, 1)
    os.killpg(interrupted.pid, signal.SIGINT)
    output, _ = interrupted.communicate(timeout=30)
    assert "KeyboardInterrupt" in output
    assert "Dask" not in output
    assert output.count("Traceback") == 1
    deadline = time.monotonic() + 20
    while (left := processes_of_group(interrupted.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def processes_of_group(group):
    """Processes of a group that still run."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def test_sweep_that_is_done_does_nothing(prepared, expected, tmp_path):
    run_sweep(prepared, tmp_path / "sweep", workers=0)
    before = (tmp_path / "sweep" / JOURNAL_FILE).read_bytes()
    results = run_sweep(prepared, tmp_path / "sweep", workers=0, resume=True)
    assert (tmp_path / "sweep" / JOURNAL_FILE).read_bytes() == before
    assert tables_of(results, tmp_path / "tables") == expected


def test_another_sweep_is_refused(prepared, sets, tmp_path):
    small = prepare_small(sets, weight_bits=(8,))
    run_sweep(small, tmp_path / "sweep", workers=0)
    with pytest.raises(UserError, match="differs in the lists of formats; --resume"):
        run_sweep(prepared, tmp_path / "sweep", workers=0, resume=True)
    same_request = prepare_sweep(
        small_request(sets, weight_bits=(8,)), load_model=lambda request: small_model(seed=2)
    )
    with pytest.raises(UserError, match="other work: it differs in model"):
        run_sweep(same_request, tmp_path / "sweep", workers=0, resume=True)


def test_point_that_fails_is_a_row_with_its_reason(prepared, tmp_path):
    points = [Point(weight_bits=8), Point(weight_bits=1)]
    results = run_sweep(replace(prepared, points=points), tmp_path / "sweep", workers=2)
    assert results.figures[points[1]] == {"failure": "weight_bits must be 2 to 8, not 1"}
    good = {points[0]: results.figures[points[0]]}
    assert good[points[0]]["pictures"] == 30
    # What cannot be made has no cost; a format that fails when it runs has.
    failed = Point(weight_bits=7)
    results.figures.pop(points[1])
    results.figures[failed] = {"failure": "A reason"}
    frame = point_frame(results).set_index("name")
    assert frame.loc["W7A8", "failure"] == "A reason"
    assert np.isnan(frame.loc["W7A8", "agree_top1"])
    assert frame.loc["W7A8", "weight_bytes"] > 0
    assert frame.loc["W8A8", "agree_top1"] == good[points[0]]["agree_top1"]


def test_network_that_is_no_numbers(sets):
    def broken(request):
        model = small_model()
        layer = model.layers["head"]
        weights = np.full_like(layer.weights, np.nan)
        return replace(model, layers={**model.layers, "head": replace(layer, weights=weights)})

    with pytest.raises(UserError, match="The network cannot be calibrated"):
        prepare_sweep(small_request(sets), load_model=broken)


def test_pictures_must_not_be_in_both_sets(sets, tmp_path):
    write_pictures(tmp_path / "images", 3, seed=5)
    write_pictures(tmp_path / "calibration", 2, seed=5)
    with pytest.raises(
        UserError,
        match="both calibrated on and evaluated on, and 2 would be, 'picture000.png' among them",
    ):
        prepare_sweep(small_request(tmp_path), load_model=lambda request: small_model())


def test_bundled_sets_are_disjoint():
    prepared = prepare_sweep(
        SweepRequest(grids=({"weight_bits": (8,)},), limit=2),
        load_model=lambda request: small_model(classes=1000),
    )
    assert len(prepared.pictures) == 2
    assert prepared.pictures.labels is not None
    assert "49 crops of 7 photographs" in prepared.calibration_words


def test_request_comes_back_from_json(sets):
    request = small_request(sets)
    assert SweepRequest.from_dict(json.loads(json.dumps(request.as_dict()))) == request
    with pytest.raises(UserError, match="another version"):
        SweepRequest.from_dict({"grids": [{"colour": ["red"]}]})
    with pytest.raises(UserError, match="another version"):
        SweepRequest.from_dict(None)


def test_nobody_answers(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="No Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        run_sweep(prepared, tmp_path / "sweep", scheduler="tcp://127.0.0.1:9")
    assert not (tmp_path / "sweep").exists()


def test_entropy_of_few_photographs_is_warned_of(sets):
    """The six of this set are few; without such ranges there is nothing to say."""
    for ranges, words in (("entropy", "Entropy ranges of 6 photographs"), ("minmax", None)):
        prepared = prepare_small(sets, ranges=(ranges,))
        assert prepared.photographs == 6
        figures = dict.fromkeys(prepared.points, {"failure": "not run"})
        found = SweepResults(prepared, figures, {"label_top1": 1.0}).warnings
        assert [sentence.startswith(words) for sentence in found] == ([True] if words else [])
