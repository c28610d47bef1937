"""A sweep of the small network as a program of its own, to be killed: FOLDER WORKERS [--resume]."""

import sys
from pathlib import Path

from sim.explore.sweep import run_sweep
from tests.sim.explore.small import prepare_small

if __name__ == "__main__":
    sets, workers = Path(sys.argv[1]), int(sys.argv[2])
    run_sweep(prepare_small(sets), sets / "killed", workers=workers,
              resume="--resume" in sys.argv)
