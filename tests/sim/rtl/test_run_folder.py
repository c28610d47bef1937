"""The temporary folder after a run: empty, or with the log of one that failed."""

import tempfile

import pytest

from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.simulate import _run_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The temporary folder of these tests."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail(error=None):
    """A run that writes and may fail."""
    with _run_folder() as folder:
        (folder / "memory.bin").write_bytes(bytes(1000))
        (folder / "run.json").write_text("{}")
        (folder / "cocotb").mkdir()
        (folder / "cocotb" / "simulation.log").write_text("It failed")
        if error:
            raise error


def test_nothing_is_left(temporary):
    fail()
    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt())
    assert list(temporary.iterdir()) == []


def test_log_of_a_failed_run_stays(temporary):
    with pytest.raises(SimulationError, match="gave up"):
        fail(SimulationError("gave up"))
    (folder,) = temporary.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["cocotb", "run.json"]
    assert (folder / "cocotb" / "simulation.log").read_text() == "It failed"
