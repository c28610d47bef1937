"""Where golden and hardware meet: mapping, simulation, reports and the command line."""

import os

# A second BLAS thread gains nothing on this network's small layers, and waits where cores are busy:
# a pass then takes many times as long. Set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
