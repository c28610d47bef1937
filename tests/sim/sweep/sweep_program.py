"""A sweep of the small network as a program of its own, to be killed: FOLDER WORKERS [--resume].

It takes its time over each point, so that whoever kills it finds it under way.
"""

import signal
import sys
import time
from pathlib import Path

from mnv2.sim.jobs.progress import Silence
from mnv2.sim.sweep.sweep import run_sweep
from tests.sim.sweep.small import prepare_small


class Slow(Silence):
    """Progress that holds the sweep up."""

    def results(self, done, total, last=""):
        """Wait after each point."""
        time.sleep(0.3)


if __name__ == "__main__":
    # Whoever starts the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sets, workers = Path(sys.argv[1]), int(sys.argv[2])
    run_sweep(
        prepare_small(sets),
        sets / "killed",
        workers=workers,
        resume="--resume" in sys.argv,
        progress=Slow(),
    )
