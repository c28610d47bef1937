"""An accuracy of the small network as a program of its own, to be killed: FOLDER WORKERS."""

import sys
import time
from pathlib import Path

from mnv2.sim.accuracy.judge import run_accuracy
from mnv2.sim.jobs.progress import Silence
from tests.sim.accuracy.small import prepare_small


class Slow(Silence):
    """Progress that holds the work up, so that whoever kills it finds it under way."""

    def results(self, done, total, last=""):
        """Wait after each chunk."""
        time.sleep(1.0)


if __name__ == "__main__":
    sets, workers = Path(sys.argv[1]), int(sys.argv[2])
    run_accuracy(prepare_small(sets), sets / "killed", workers=workers, progress=Slow())
