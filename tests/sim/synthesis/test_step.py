"""A step is done once: a second process waits, and what a killed one left is removed."""

import subprocess
import sys
import time

import pytest

from mnv2.sim.synthesis.step import missing_step

#: Takes a second for its step, and says whether it did it.
WORK = """
import sys, time
from pathlib import Path
from mnv2.sim.synthesis.step import missing_step
result = Path(sys.argv[1])
with missing_step(result) as work:
    if work is not None:
        (work / "part").touch()
        time.sleep(1)
        result.write_text("done")
print("made" if work is not None else "found")
"""


def start(result):
    return subprocess.Popen([sys.executable, "-c", WORK, result], stdout=subprocess.PIPE, text=True)


def test_second_process_waits(tmp_path):
    result = tmp_path / "step" / "result"
    both = [start(result), start(result)]
    assert sorted(one.communicate()[0].strip() for one in both) == ["found", "made"]
    assert sorted(path.name for path in result.parent.iterdir()) == ["lock", "result"]


def test_what_a_killed_one_left_is_removed(tmp_path):
    result = tmp_path / "step" / "result"
    with start(result) as killed:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("step/*/part")) and time.monotonic() < deadline:
            time.sleep(0.02)
        killed.kill()
    assert len(list(tmp_path.glob("step/*/part"))) == 1
    with missing_step(result) as work:
        assert list(tmp_path.glob("step/*/part")) == []
        assert list(work.iterdir()) == []


def test_failed_step_is_missing(tmp_path):
    with pytest.raises(ZeroDivisionError), missing_step(tmp_path / "result"):
        raise ZeroDivisionError
    with missing_step(tmp_path / "result") as work:
        assert work is not None
