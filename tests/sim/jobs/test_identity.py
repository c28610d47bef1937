"""The identity of code: every file that decides results is in it, and each byte of it counts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnv2.sim.explore.request import SearchRequest
from mnv2.sim.jobs.identity import code_hash, hash_files, part_folders, source_files
from mnv2.sim.sweep.request import SweepRequest

ROOT = Path(__file__).parents[3]
REQUESTS = {"search": SearchRequest, "sweep": SweepRequest}
#: Files that decide results, for each of them.
DECIDING = {
    "search": (
        "golden/network.py",
        "hw/config.py",
        "sim/cost/resources.py",
        *(
            path.relative_to(ROOT).as_posix()
            for path in sorted((ROOT / "sim" / "cost").rglob("*.*"))
            if path.suffix in (".json", ".toml") or path.parent.name == "units"
            if path.suffix != ".pyc"
        ),
        "sim/explore/accuracy.py",
        "sim/explore/buffers.py",
        "sim/explore/design.py",
        "sim/explore/evolution.py",
        "sim/explore/front.py",
        "sim/explore/lanes.py",
        "sim/explore/objectives.py",
        "sim/explore/space.py",
        "sim/mapping/tiling.py",
        "sim/report/results.py",
        "sim/sweep/hardware_format.py",
        *(
            path.relative_to(ROOT).as_posix()
            for path in sorted((ROOT / "sim" / "cycles").rglob("*.py"))
        ),
    ),
    "sweep": (
        "golden/fast/kernels.py",
        "golden/importers/pickle_reader.py",
        "golden/model.py",
        "golden/quantize/quantizer.py",
        "sim/networks/classify.py",
        "sim/pictures/calibration_pictures.py",
        "sim/pictures/decode.py",
        "sim/pictures/image_sets.py",
        "sim/pictures/imagenet_classes.txt",
        "sim/sweep/evaluate.py",
        "sim/sweep/grid.py",
        "sim/sweep/tasks.py",
        "sim/sweep/uncertainty.py",
    ),
}
#: Files that show results, or are of other work.
OTHERS = (
    "hw/core.py",
    "sim/cli.py",
    "sim/commands/explore.py",
    "sim/commands/sweep.py",
    "sim/explore/search_plots.py",
    "sim/page/explore_page.py",
    "sim/rtl/run_network.py",
    "sim/sweep/sweep_plots.py",
)
#: A campaign on a worker of its own; prints the modules that it and its worker have then.
PROGRAM = """
import json, sys, tempfile
from pathlib import Path
from mnv2.sim.jobs.cluster import connect

def modules(dask_worker=None):
    return sorted(name for name in sys.modules if name.startswith("mnv2."))

def run(kind, folder):
    if kind == "search":
        from mnv2.sim.explore.search import run_search as run_campaign
        from tests.sim.explore.small import prepare_small
        prepared = prepare_small("pixels=1")
    else:
        from mnv2.sim.sweep.sweep import run_sweep as run_campaign
        from tests.sim.sweep.small import prepare_small, write_sets
        write_sets(folder, 6)
        prepared = prepare_small(folder, weight_bits=(8,), bias_correction=("on",))
    with connect(1, code=prepared.request.code) as client:
        address = client.scheduler_info()["address"]
        run_campaign(prepared, folder / "work", scheduler=address)
        (worker,) = client.run(modules).values()
        return sorted({*modules(), *worker})

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(sys.argv[1], Path(folder))))
"""


def files_of(kind, folders=None):
    return source_files(*REQUESTS[kind].code, folders=folders)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Folders of a copy of the sources, by part of the package."""
    root = tmp_path_factory.mktemp("sources")
    ignored = shutil.ignore_patterns("__pycache__")
    for name, folder in part_folders().items():
        shutil.copytree(folder, root / name.rpartition(".")[2], ignore=ignored)
    return {name: root / name.rpartition(".")[2] for name in part_folders()}


@pytest.fixture(scope="module")
def found(copy):
    """Files of the copy that count, by kind of campaign."""
    return {kind: files_of(kind, copy) for kind in REQUESTS}


def changed_by_one_byte(copy, found, name):
    """Kinds of campaigns whose hash differs with one byte more at the end of a file."""
    path = copy["mnv2.sim"].parent / name
    content = path.read_bytes()
    before = {kind: hash_files(files) for kind, files in found.items()}
    path.write_bytes(content + b"\n")
    after = {kind: hash_files(files) for kind, files in found.items()}
    path.write_bytes(content)
    return {kind for kind in REQUESTS if before[kind] != after[kind]}


def test_a_copy_has_the_same_identity(found):
    for kind, request in REQUESTS.items():
        assert hash_files(found[kind]) == code_hash(*request.code)


@pytest.mark.parametrize("kind", REQUESTS)
def test_one_byte_more(kind, copy, found):
    unchanged = [
        name for name in DECIDING[kind] if kind not in changed_by_one_byte(copy, found, name)
    ]
    assert not unchanged


def test_other_files_do_not_count(copy, found):
    for name in OTHERS:
        assert changed_by_one_byte(copy, found, name) == set(), name


def test_renamed_file(copy, found):
    """A module whose importers follow its new name: nothing else changes."""
    root = copy["mnv2.sim"].parent
    before = {kind: hash_files(files) for kind, files in found.items()}
    old, new = root / "sim/explore/front.py", root / "sim/explore/pareto.py"
    content = {path: path.read_text() for path in (root / "sim").rglob("*.py")}
    old.rename(new)
    for path, text in content.items():
        if "sim.explore.front" in text:
            path.write_text(text.replace("sim.explore.front", "sim.explore.pareto"))
    files = {kind: files_of(kind, copy) for kind in REQUESTS}
    after = {kind: hash_files(files[kind]) for kind in REQUESTS}
    new.unlink()
    for path, text in content.items():
        path.write_text(text)
    assert "mnv2.sim.explore.pareto" in files["search"]
    assert after["search"] != before["search"]
    assert after["sweep"] == before["sweep"]


@pytest.mark.parametrize("module", ["mnv2.sim.explore.prove", "mnv2.sim.sweep.hardware"])
def test_runs_in_rtl_depend_on_the_hardware(module):
    """On what cocotb loads by name too."""
    names = source_files(module)
    for name in (
        "mnv2.hw.core",
        "mnv2.sim.rtl.testbench",
        "mnv2.sim.rtl/axi_memory.sv",
        "mnv2.sim.rtl/main.cpp",
    ):
        assert name in names


def test_module_that_is_not_there(copy):
    with pytest.raises(ModuleNotFoundError, match="There is no module mnv2.sim.nowhere"):
        source_files("mnv2.sim.nowhere", folders=copy)


@pytest.mark.parametrize("kind", REQUESTS)
def test_modules_of_a_running_campaign(kind, tmp_path):
    """Every module that a campaign or its worker has loaded is in its identity."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), kind]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loaded = json.loads(done.stdout)
    assert len(loaded) > 40
    assert set(loaded) - files_of(kind).keys() == set()
