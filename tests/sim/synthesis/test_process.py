"""Programs that fail, take too long or are interrupted leave nothing running."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.synthesis.process import ToolFailure, check_disk, run_program
from tests.sim.place.small import full_disk


def run(folder, code, **options):
    lines = []
    options = {"timeout": 60, "tell": lines.append, **options}
    return run_program([sys.executable, "-c", code], folder, folder / "log", **options), lines


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_time_memory_and_lines(tmp_path):
    """In a process that had more memory itself: Linux would count that as the program's."""
    work = "x = bytes(64 << 20) * 2; print('a', flush=True); import time; time.sleep(2); print('b')"
    measure = (
        "import dataclasses, json, sys; from pathlib import Path\n"
        "from mnv2.sim.synthesis.process import run_program\n"
        "lines, own = [], bytes(bytearray(1 << 30))\n"
        f"effort = run_program([sys.executable, '-c', {work!r}], Path('.'), Path('log'), "
        "timeout=60, tell=lines.append)\n"
        "print(json.dumps([dataclasses.asdict(effort), lines]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", measure], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    effort, lines = json.loads(done.stdout)
    assert lines == ["a\n", "b\n"]
    assert (tmp_path / "log").read_text() == "a\nb\n"
    assert 0 < effort["processor_seconds"] <= 60
    assert effort["wall_seconds"] > 0
    assert 128 << 20 < effort["peak_bytes"] < 256 << 20


def test_failure_has_the_last_words(tmp_path):
    with pytest.raises(ToolFailure, match="failed: ERROR: no room for cell c$"):
        run(tmp_path, "print('Info: x'); print('ERROR: no room for cell c'); exit(1)")
    with pytest.raises(ToolFailure, match="failed: Killed by hand$"):
        run(tmp_path, "print('Killed by hand'); exit(3)")
    with pytest.raises(ToolFailure, match="failed: exit -9$"):
        run(tmp_path, "import os; os.kill(os.getpid(), 9)")


def test_what_takes_too_long_is_stopped(tmp_path):
    start = time.monotonic()
    with pytest.raises(ToolFailure, match="was not done after 1 seconds"):
        run(tmp_path, "import time; print('x', flush=True); time.sleep(60)", timeout=1)
    assert time.monotonic() - start < 30


def test_missing_program(tmp_path):
    with pytest.raises(UserError, match="nextpnr-x cannot be started: it is not there"):
        run_program([tmp_path / "nextpnr-x"], tmp_path, tmp_path / "log", timeout=1)


@pytest.fixture
def listening():
    """This process is interrupted by Ctrl-C, also where a shell started it in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_interrupt_stops_the_program(tmp_path):
    """Ctrl-C: this process is told, the program gets no signal of its own."""
    pids = []

    def tell(line):
        pids.append(int(line))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run(
            tmp_path,
            "import os, time; print(os.getpid(), flush=True); time.sleep(60)",
            tell=tell,
        )
    assert not is_running(pids[0])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process that its parent ended")
def test_kill_stops_the_program(tmp_path):
    """The process that waits gets no chance to stop what it waits for."""
    waits = (
        "import sys; from pathlib import Path; from mnv2.sim.synthesis.process import run_program\n"
        "code = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'\n"
        "tell = lambda line: print(line, end='', flush=True)\n"
        "run_program([sys.executable, '-c', code], Path('.'), Path('log'), timeout=60, tell=tell)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waits], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as waiting:
        pid = int(waiting.stdout.readline())
        assert is_running(pid)
        waiting.kill()
    deadline = time.monotonic() + 30
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def test_full_disk(tmp_path):
    """A tool that failed because the disk was full may have said something else."""
    check_disk(tmp_path)
    with full_disk(), pytest.raises(UserError, match=r"cannot be written \(File too large\): free"):
        run(tmp_path, "print('ERROR: stream'); exit(1)")
