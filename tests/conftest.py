"""Settings that must be made before numpy is loaded."""

import os

# BLAS threads that wait for a busy core slow small products ten times and more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
