"""A Dask cluster, of this machine or of many, whose workers run the same code as this one."""

import contextlib
import logging
import signal
import tempfile
from concurrent.futures import CancelledError
from multiprocessing import resource_tracker

from mnv2.sim.errors import UserError

__all__ = ["connect", "cluster_losses"]

#: Seconds to wait for a scheduler, and for its first worker.
CONNECT_SECONDS, WORKER_SECONDS = 10, 60


@contextlib.contextmanager
def connect(workers, scheduler=None, *, code_hash):
    """A Dask client, of a cluster in this machine's cores or of one that runs already.

    Parameters
    ----------
    workers : int
        Processes of the cluster here, 1 or more.
    scheduler : str, optional
        Address of another, such as ``tcp://10.0.0.1:8786``.
    code_hash : function
        Names the code that figures depend on; of a module that workers can import.

    Yields
    ------
    distributed.Client

    Raises
    ------
    UserError
        If Dask is not installed, nobody answers there, no worker comes, or one has other code.
    """
    distributed = _import_distributed()
    # Held outside: a worker's own files, and what it spills, go with the work.
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mnv2-", ignore_cleanup_errors=True)
            )
            with _without_interrupts():
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    local_directory=folder,
                    silence_logs=logging.CRITICAL,
                )
            stack.enter_context(cluster)
            client = distributed.Client(cluster)
        else:
            try:
                client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
            except (OSError, TimeoutError, ValueError) as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise UserError(f"No Dask scheduler answers at {scheduler!r}: {reason}") from None
        stack.enter_context(client)
        _check_workers(client, scheduler or "this machine", code_hash)
        yield client


@contextlib.contextmanager
def _without_interrupts():
    """Keep Ctrl-C from what is started meanwhile; it reaches this process behind.

    A terminal sends it to every process. Workers are ended in order, and inherit what their thread
    blocks, from Dask's thread that is started here.
    """
    # Unblocks the signal when it starts its own process, so that must be there before.
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _import_distributed():
    """The library, its own words to the terminal held back."""
    try:
        import dask
    except ImportError:
        raise UserError(
            "Work on several workers needs Dask: pip install 'mnv2[sweep]', or take --workers 0"
        ) from None
    # Shared work is sent once, on purpose.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "10GB"})
    import distributed

    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed


def _check_workers(client, where, code_hash):
    """Every worker must give the figures that this machine would."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
        found = client.run(code_hash)
    except TimeoutError:
        raise UserError(f"The Dask scheduler at {where} has no workers") from None
    except ImportError as error:
        raise UserError(f"The Dask workers at {where} need mnv2 installed: {error}") from None
    others = sorted(worker for worker, code in found.items() if code != code_hash())
    if others:
        raise UserError(f"The Dask worker {others[0]} has another mnv2 installed than this machine")


@contextlib.contextmanager
def cluster_losses():
    """Say in one sentence that the cluster was lost while it was worked on.

    Raises
    ------
    UserError
    """
    from distributed import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise UserError(
            f"Dask's workers die, several times at {error.task!r}: they may lack memory"
        ) from None
    except CancelledError:
        raise UserError(
            "The Dask cluster was lost: its scheduler does not answer any more"
        ) from None
    except (OSError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"The Dask cluster was lost: {reason}") from None
