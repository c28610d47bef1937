"""How many threads numpy's linear algebra may take in a process of ours."""

import os

__all__ = ["limit_blas_threads"]


def limit_blas_threads():
    """Let BLAS use one thread, unless the user's environment says how many.

    A second thread gains nothing on this network's small layers and waits where cores are busy: a
    forward pass then takes many times as long. It has an effect only before numpy is loaded, so a
    process calls it first. Child processes inherit it; Dask sets the same for its workers.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
