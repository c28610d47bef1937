"""A Dask cluster, of this machine or of many, whose workers run the same code as this one."""

import contextlib
import logging
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from multiprocessing import resource_tracker
from typing import Any

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.identity import code_hash

__all__ = ["TaskLost", "cluster_losses", "connect"]

#: Seconds to wait for a scheduler, and for its first worker.
CONNECT_SECONDS, WORKER_SECONDS = 10, 60


class TaskLost(UserError):
    """A task whose workers died, each time that it was tried.

    Attributes
    ----------
    task : str
        Its key.
    """

    def __init__(self, task: str):
        super().__init__(f"Dask workers repeatedly died on {task!r}; they may be out of memory")
        self.task = task


@contextlib.contextmanager
def connect(workers: int, scheduler: str | None = None, *, code: tuple[str, ...]) -> Iterator[Any]:
    """A Dask client, of a cluster in this machine's cores or of one that runs already.

    Parameters
    ----------
    workers : int
        Processes of the cluster here, 1 or more.
    scheduler : str, optional
        Address of another, such as ``tcp://10.0.0.1:8786``.
    code : tuple of str
        Modules that results depend on: every worker must have the same code of them, see
        `mnv2.sim.jobs.identity.code_hash`.

    Yields
    ------
    distributed.Client

    Raises
    ------
    UserError
        If Dask is missing, no scheduler answers, no worker joins, or one has different code.
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
        _check_workers(client, scheduler or "this machine", code)
        yield client


@contextlib.contextmanager
def _without_interrupts():
    """Keep Ctrl-C from what is started meanwhile; it reaches this process afterwards.

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
    """The library, with its own messages to the terminal switched off."""
    try:
        import dask
    except ImportError:
        raise UserError(
            "Work on several workers needs Dask: pip install 'mnv2[sweep]', or use --workers 0"
        ) from None
    # Shared work is sent once, on purpose.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "10GB"})
    import distributed

    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed


def _check_workers(client: Any, where: str, code: tuple[str, ...]) -> None:
    """Refuse workers that would not give the figures that this machine would."""
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
        found = client.run(code_hash, *code)
    except TimeoutError:
        raise UserError(f"The Dask scheduler at {where} has no workers") from None
    except ImportError as error:
        raise UserError(f"The Dask workers at {where} need mnv2 installed: {error}") from None
    here = code_hash(*code)
    others = sorted(worker for worker, there in found.items() if there != here)
    if others:
        raise UserError(f"The Dask worker {others[0]} has another mnv2 installed than this machine")


@contextlib.contextmanager
def cluster_losses() -> Iterator[None]:
    """Say in one sentence that the cluster was lost while it was used.

    Raises
    ------
    TaskLost
        If workers died of a task.
    UserError
        If the cluster is lost.
    """
    from distributed import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise TaskLost(str(error.task)) from None
    except CancelledError:
        raise UserError("The Dask cluster was lost: its scheduler no longer answers") from None
    except (OSError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"The Dask cluster was lost: {reason}") from None
