"""One BLAS thread in processes of the command line; a library that is imported changes nothing."""

import os
import subprocess
import sys

from mnv2.sim.jobs.threads import limit_blas_threads


def run_python(code):
    """Words that a fresh process prints, without the setting of these tests."""
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


def test_the_environment_has_the_last_word(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    limit_blas_threads()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    limit_blas_threads()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_imports_change_no_environment():
    code = "import mnv2.sim.run, os; print('OPENBLAS_NUM_THREADS' in os.environ)"
    assert run_python(code) == ["False"]


def test_the_command_line_sets_it_before_numpy():
    code = (
        "import sys, os, mnv2.sim.cli as cli; print('numpy' in sys.modules);"
        "cli.app = lambda: print(os.environ['OPENBLAS_NUM_THREADS']); cli.main()"
    )
    assert run_python(code) == ["False", "1"]
