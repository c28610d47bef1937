"""The same front for any workers, after any kill; whole or by NSGA-II, it is the best there is."""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mnv2.golden.network import build_network
from mnv2.sim.cost.devices import find_device
from mnv2.sim.errors import UserError
from mnv2.sim.explore.evaluate import predict_rows
from mnv2.sim.explore.front import find_front
from mnv2.sim.explore.request import SearchRequest
from mnv2.sim.explore.search import run_search
from mnv2.sim.explore.search_tables import nearest_misses, write_tables
from mnv2.sim.jobs.cluster import connect
from mnv2.sim.jobs.journal import JOURNAL_FILE, read_journal
from mnv2.sim.jobs.progress import Silence
from tests.sim.explore.search_program import DESIGNS
from tests.sim.explore.small import TABLE, prepare_small, small_network

ROOT = Path(__file__).parents[3]
METHODS = list(DESIGNS)


def prepared_for(method, **options):
    return prepare_small(designs=DESIGNS[method], population=8, **options)


def files_of(results, folder):
    folder.mkdir(exist_ok=True)
    write_tables(results, folder)
    return (folder / "designs.csv").read_bytes()


def tasks_of(folder):
    return [entry["task"] for entry in read_journal(folder)[1] if "task" in entry]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Results of searches in one process that nothing stopped, and their tables."""
    folder, found = tmp_path_factory.mktemp("here"), {}
    for method in METHODS:
        results = run_search(prepared_for(method), folder / method, workers=0)
        assert results.method == method
        found[method] = results, files_of(results, folder / f"{method} tables")
        found[method, "tasks"] = sorted(tasks_of(folder / method))
    return found


def test_whole_space_gives_the_front_of_brute_force(expected):
    results, _ = expected["whole"]
    prepared, made = results.prepared, []
    for point in prepared.space.points():
        with contextlib.suppress(ValueError):
            candidate = prepared.judge.candidate(point)
            rows = predict_rows(prepared.network, prepared.judge.task(candidate))["rows"]
            made.append(prepared.judge.complete(candidate, rows))
    front = find_front(made, prepared.objectives)
    assert [design.key for design in results.front] == [design.key for design in front]
    assert len({design.key for design in made}) == len(results.designs) > len(front)
    assert not results.failures


def test_nsga_keeps_to_its_budget_and_to_the_space(expected):
    results, _ = expected["nsga-ii"]
    whole, _ = expected["whole"]
    assert len(results.predicted) == DESIGNS["nsga-ii"] < len(whole.predicted)
    assert {design.key for design in results.predicted} < {design.key for design in whole.designs}
    assert {design.key for design in results.front} & {design.key for design in whole.front}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_workers_change_nothing(expected, method, workers, tmp_path):
    results = run_search(prepared_for(method), tmp_path / "search", workers=workers)
    assert files_of(results, tmp_path / "tables") == expected[method][1]
    again = expected[method][0]
    assert [design.key for design in results.front] == [design.key for design in again.front]
    assert sorted(tasks_of(tmp_path / "search")) == expected[method, "tasks"]


def test_another_seed_searches_otherwise(expected, tmp_path):
    other = run_search(prepared_for("nsga-ii", seed=2), tmp_path / "search", workers=0)
    keys = {design.key for design in expected["nsga-ii"][0].designs}
    assert {design.key for design in other.designs} != keys


def program(folder, workers, method):
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.sim.explore.search_program",
            str(folder),
            str(workers),
            method,
        ],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for_tasks(folder, count, seconds=60):
    """Wait until the journal has a number of predictions."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (folder / JOURNAL_FILE).exists() and len(tasks_of(folder)) >= count:
            return
        time.sleep(0.01)
    raise AssertionError("The search is not under way")


class Recorder(Silence):
    """Counts predictions that are made now."""

    def __init__(self):
        self.made = 0

    def results(self, done, total, last=""):
        """Count a prediction that is made now."""
        self.made += bool(last)


@pytest.mark.parametrize("method", METHODS)
def test_kill_neither_loses_nor_repeats_a_prediction(expected, method, tmp_path):
    folder = tmp_path / "killed"
    killed = program(folder, 1, method)
    wait_for_tasks(folder, 10)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = tasks_of(folder)
    # As a kill in the middle of a line would leave it.
    with (folder / JOURNAL_FILE).open("a") as file:
        file.write('{"task": "')
    recorder = Recorder()
    results = run_search(prepared_for(method), folder, resume=True, workers=0, progress=recorder)
    after = tasks_of(folder)
    assert after[: len(done)] == done
    assert recorder.made == len(after) - len(done) > 0
    # What was predicted before the kill is what the search would have asked for.
    assert sorted(after) == expected[method, "tasks"]
    assert files_of(results, tmp_path / "tables") == expected[method][1]


def test_ctrl_c_ends_the_workers_in_silence(tmp_path):
    folder = tmp_path / "interrupted"
    interrupted = program(folder, 2, "whole")
    wait_for_tasks(folder, 1)
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


def test_search_that_is_done_does_nothing(expected, tmp_path, monkeypatch):
    folder = tmp_path / "search"
    run_search(prepared_for("whole"), folder, workers=0)
    before = (folder / JOURNAL_FILE).read_bytes()
    # Without work there is no cluster either.
    monkeypatch.setattr("mnv2.sim.jobs.spread.connect", None)
    results = run_search(prepared_for("whole"), folder, workers=2, resume=True)
    assert (folder / JOURNAL_FILE).read_bytes() == before
    assert files_of(results, tmp_path / "tables") == expected["whole"][1]


def test_another_search_is_refused(tmp_path):
    folder = tmp_path / "search"
    run_search(prepare_small("pixels=1"), folder, workers=0)
    with pytest.raises(UserError, match="differs in pixels; --resume"):
        run_search(prepare_small(), folder, workers=0, resume=True)
    other = build_network(TABLE, stem_channels=8, head_channels=40, classes=10, input_size=32)
    with pytest.raises(UserError, match="other work: it differs in network"):
        run_search(prepare_small("pixels=1", network=other), folder, workers=0, resume=True)


def test_two_searches_share_a_cluster(expected, tmp_path):
    with connect(1, code=SearchRequest.code) as client:
        address = client.scheduler_info()["address"]
        results = run_search(prepared_for("whole"), tmp_path / "one", scheduler=address)
        other = build_network(TABLE, stem_channels=8, head_channels=40, classes=10, input_size=32)
        others = run_search(prepare_small(network=other), tmp_path / "other", scheduler=address)
    assert files_of(results, tmp_path / "tables") == expected["whole"][1]
    assert files_of(others, tmp_path / "tables") != expected["whole"][1]


def test_a_small_space_needs_no_optuna(expected, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    results = run_search(prepared_for("whole"), tmp_path / "search", workers=0)
    assert files_of(results, tmp_path / "tables") == expected["whole"][1]
    with pytest.raises(UserError, match=r"needs Optuna: pip install 'mnv2\[explore\]'"):
        run_search(prepared_for("nsga-ii"), tmp_path / "other", workers=0)


def test_limits_keep_designs_off_the_front(expected, tmp_path):
    whole, _ = expected["whole"]
    rates = sorted(design.frames_per_second for design in whole.front)
    least, most = (
        rates[len(rates) // 2],
        sorted(design.resources.dsp for design in whole.front)[-1] - 1,
    )
    results = run_search(
        prepare_small(limits={"fps": least, "dsp": float(most)}), tmp_path / "search", workers=0
    )
    wanted = [
        design.key
        for design in whole.designs
        if design.layers and design.frames_per_second >= least and design.resources.dsp <= most
    ]
    assert 0 < len(wanted) < len(whole.predicted)
    assert {design.key for design in results.designs if design.feasible} == set(wanted)
    assert all(design.key in wanted for design in results.front)
    # Costs and ideal cycles rule out without a prediction; a design that is ruled out misses it.
    ruled_out = [design for design in results.designs if not design.layers]
    assert ruled_out
    by_key = {design.key: design for design in whole.designs}
    for design in ruled_out:
        full = by_key[design.key]
        assert full.frames_per_second < least or full.resources.dsp > most


def test_a_device_holds_every_design_of_the_front(tmp_path):
    results = run_search(prepare_small(device="ECP5-85"), tmp_path / "search", workers=0)
    assert results.front
    assert all(use.share <= 1 for design in results.front for use in design.uses)
    assert results.front[0].clock_hz < 150e6
    assert {design.resources.block_ram_36k for design in results.designs} == {0}
    over = [design for design in results.designs if "device" in design.violations]
    assert over
    assert all(design.uses[0].share > 1 and not design.layers for design in over)


def test_nothing_fits_is_a_sentence(tmp_path):
    results = run_search(prepare_small(device="iCE40UP5K"), tmp_path / "search", workers=0)
    assert results.front == []
    sentence = nearest_misses(results)
    assert sentence.startswith("No design meets all limits: of ")
    assert "miss device; the nearest, 12x4x1 lanes, misses device by" in sentence
    assert "DSPs" in sentence


def test_a_space_without_a_design_is_a_sentence(tmp_path):
    with pytest.raises(
        UserError, match="No point of the space is a design: outputs must be a multip"
    ):
        run_search(prepare_small("outputs=12", "inputs=8"), tmp_path / "search", workers=0)
    assert not (tmp_path / "search").exists()


def test_a_prediction_that_fails_is_kept_with_its_reason(tmp_path, monkeypatch):
    def failing(network, task):
        return {"failure": "A reason"} if task.config.pixels == 2 else predict_rows(network, task)

    monkeypatch.setattr("mnv2.sim.explore.evaluate.predict_rows", failing)
    results = run_search(prepare_small(), tmp_path / "search", workers=0)
    failed = [design for design in results.designs if design.config.pixels == 2]
    assert set(results.failures) == {design.key for design in failed}
    assert not any(design.layers for design in failed)
    assert all(design.config.pixels != 2 for design in results.front)


def test_ports_wider_than_the_memory_are_predicted_with_it(tmp_path):
    """A device whose memory gives 3.5 bytes a cycle."""
    prepared = prepare_small()
    slow = replace(find_device("ZU9EG"), bandwidth=3.5 * 200e6)
    prepared.judge.device = slow
    results = run_search(prepared, tmp_path / "search", workers=0)
    assert results.front
    for design in results.front:
        assert design.memory["bytes_per_cycle"] == 3
        assert design.bandwidth <= slow.bandwidth
        assert "predicted with 3 bytes a cycle" in design.notes[0]
        free = predict_rows(small_network(), prepared.judge.task(design))["rows"]
        assert prepared.judge.complete(design, free).cycles < design.cycles
    # Changes are of a free memory, so the base is too.
    assert results.sensitivity.base.memory["bytes_per_cycle"] == 0
    assert results.sensitivity.base.cycles < results.balanced.cycles


@pytest.mark.parametrize(
    ("bytes_per_cycle", "limits"), [(1.5, {}), (9, {}), (3.2, {"bandwidth": 3.05 * 200e6})]
)
def test_front_of_a_slow_memory_is_that_of_brute_force(tmp_path, bytes_per_cycle, limits):
    """Every design is predicted with the device's memory here; the search does it where it must."""
    prepared, made = prepare_small(limits=limits), []
    prepared.judge.device = replace(find_device("ZU9EG"), bandwidth=bytes_per_cycle * 200e6)
    for point in prepared.space.points():
        with contextlib.suppress(ValueError):
            candidate = prepared.judge.candidate(point)
            narrow = int(bytes_per_cycle) if candidate.config.data_bytes > bytes_per_cycle else 0
            rows = predict_rows(prepared.network, prepared.judge.task(candidate, narrow))["rows"]
            made.append(prepared.judge.complete(candidate, rows, narrow))
    front = find_front(made, prepared.objectives)
    results = run_search(prepared, tmp_path / "search", workers=0)
    assert [design.key for design in results.front] == [design.key for design in front]
    assert [design.cycles for design in results.front] == [design.cycles for design in front]
    # What was on the front only as long as its memory was fast has no number.
    assert all(design.number is None for design in results.designs)
    write_tables(results, tmp_path)
    with (tmp_path / "designs.csv").open() as file:
        shown = [row["name"] for row in csv.DictReader(file) if row["on_front"] == "True"]
    assert shown == [design.name for design in front]


def test_nsga_goes_where_limits_are_kept(tmp_path):
    """Told of a limit that one design in twenty keeps, it finds more of these."""
    space = "outputs=12,16,20,24,28,32,36,40,48", "pixels=1,2,3,4,5,6,7,8"
    limit, kept = 1.285e-6 / (0.2e-12 * small_network().macs), {True: 0, False: 0}
    for told in kept:
        for seed in range(1, 7):
            prepared = prepare_small(
                *space,
                designs=32,
                population=8,
                seed=seed,
                limits={"energy": limit} if told else {},
            )
            results = run_search(prepared, tmp_path / f"{told} {seed}", workers=0)
            assert results.method == "nsga-ii"
            kept[told] += sum(design.energy.total <= limit for design in results.predicted)
    assert kept[True] > 1.4 * kept[False]
