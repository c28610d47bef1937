"""A search of the small space as a program, to be killed: FOLDER WORKERS METHOD [resume].

It takes its time over each prediction, so that whoever kills it finds it under way.
"""

import signal
import sys
import time
from pathlib import Path

from mnv2.sim.explore.search import run_search
from mnv2.sim.jobs.progress import Silence
from tests.sim.explore.small import prepare_small

#: Predictions at most: more than the space has, or too few for all of it.
DESIGNS = {"whole": 800, "nsga-ii": 20}


class Slow(Silence):
    """Progress that holds the search up."""

    def results(self, done, total, last=""):
        """Wait after each prediction."""
        time.sleep(0.15)


if __name__ == "__main__":
    # Whoever starts the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder, workers, method = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    prepared = prepare_small(designs=DESIGNS[method], population=8)
    run_search(prepared, folder, workers=workers, resume="resume" in sys.argv, progress=Slow())
