"""Points worked off in this process, or on a Dask cluster of this machine or of many.

The work of a point is cut the same way everywhere: a model, its figures on each chunk of pictures,
their summary. Everything that a worker needs reaches it as data. What a lost worker held is made
again by Dask from what led to it.
"""

import collections
import contextlib
import logging
import signal
import tempfile
import uuid
from concurrent.futures import CancelledError
from multiprocessing import resource_tracker

from sim.errors import UserError
from sim.explore.evaluate import (
    Failure,
    evaluate_chunk,
    make_chunk,
    make_model,
    summarize,
)
from sim.explore.identity import code_hash

__all__ = ["connect", "work_here", "work_on_cluster"]

#: Seconds to wait for a scheduler, and for its first worker.
CONNECT_SECONDS, WORKER_SECONDS = 10, 60
#: Tasks under way for each thread of the cluster, so that none waits for the next.
TASKS_AHEAD = 3


def work_here(points, workload, chunks, networks, *, finished, prepared=None):
    """Work points off one after another in this process.

    Parameters
    ----------
    points : sequence of sim.explore.grid.Point
    workload : sim.explore.evaluate.Workload
    chunks : sequence of (pixels, labels or None)
        As `sim.explore.pictures.Pictures.chunks` gives them.
    networks : sequence of bool
        See `sim.explore.evaluate.make_chunk`; the first chunk alone keeps tensors.
    finished : function of (point, figures)
        Called after each.
    prepared : function of (done, total, logits, labels), optional
        Called when the float network has run on a chunk, in order.
    """
    made = []
    for number, (pixels, labels) in enumerate(chunks):
        made.append(make_chunk(workload, pixels, labels, () if number else networks))
        if prepared:
            prepared(len(made), len(chunks), made[-1].logits, labels)
    for point in points:
        model = make_model(workload, point)
        finished(point, summarize([evaluate_chunk(point, model, chunk) for chunk in made]))


@contextlib.contextmanager
def connect(workers, scheduler=None):
    """A Dask client, of a cluster in this machine's cores or of one that runs already.

    Parameters
    ----------
    workers : int
        Processes of the cluster here, 1 or more.
    scheduler : str, optional
        Address of another, such as ``tcp://10.0.0.1:8786``.

    Yields
    ------
    distributed.Client

    Raises
    ------
    UserError
        If Dask is not installed, nobody answers there, no worker comes, or one has other code.
    """
    distributed = _import_distributed()
    # Held outside: a worker's own files, and what it spills, go with the sweep.
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mnv2-sweep-", ignore_cleanup_errors=True))
            with _without_interrupts():
                cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
                    dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
                    local_directory=folder, silence_logs=logging.CRITICAL)
            stack.enter_context(cluster)
            client = distributed.Client(cluster)
        else:
            try:
                client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
            except (OSError, TimeoutError, ValueError) as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise UserError(f"No Dask scheduler answers at {scheduler!r}: {reason}") from None
        stack.enter_context(client)
        _check_workers(client, scheduler or "this machine")
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
        raise UserError("A sweep on several workers needs Dask: pip install 'mnv2[sweep]', or take "
                        "--workers 0") from None
    # The workload is sent once, on purpose.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "10GB"})
    import distributed

    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed


def _check_workers(client, where):
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


def work_on_cluster(client, points, workload, chunks, networks, *, finished, prepared=None):
    """Work points off on a cluster; the rest as for `work_here`, ``finished`` in any order.

    Parameters
    ----------
    client : distributed.Client

    Raises
    ------
    UserError
        If the cluster is lost. What ``finished`` was told stays true.
    """
    from distributed import KilledWorker, as_completed

    try:
        # Another sweep on the same cluster must not be taken for this one.
        run = uuid.uuid4().hex
        shared = client.submit(_same, workload, key=f"workload-{run}")
        made = [client.submit(make_chunk, shared, pixels, labels, () if number else networks,
                              key=f"chunk-{run}-{number}", priority=1)
                for number, (pixels, labels) in enumerate(chunks)]
        if prepared:
            logits = [client.submit(_logits_of, chunk, key=f"logits-{chunk.key}", priority=1)
                      for chunk in made]
            for number, (future, (_, labels)) in enumerate(zip(logits, chunks, strict=True), 1):
                prepared(number, len(chunks), future.result(), labels)
        todo, under_way = collections.deque(points), {}
        queue = as_completed()
        while todo or under_way:
            threads = max(1, sum(client.nthreads().values()))
            while todo and len(under_way) * len(made) < TASKS_AHEAD * threads:
                point = todo.popleft()
                future = _submit_point(client, run, point, shared, made)
                under_way[future] = point
                queue.add(future)
            future = next(queue)
            point = under_way.pop(future)
            finished(point, _figures(future))
    except KilledWorker as error:
        raise UserError(f"Dask's workers die, several times at {error.task!r}: they may lack memory"
                        ) from None
    except CancelledError:
        raise UserError("The Dask cluster was lost: its scheduler does not answer any more"
                        ) from None
    except (OSError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"The Dask cluster was lost: {reason}") from None


def _submit_point(client, run, point, shared, made):
    """Future of the figures of a point."""
    name = f"{run}-{point.key}"
    model = client.submit(make_model, shared, point, key=f"model-{name}")
    parts = [client.submit(evaluate_chunk, point, model, chunk, key=f"part-{name}-{number}")
             for number, chunk in enumerate(made)]
    return client.submit(summarize, parts, key=f"point-{name}")


def _figures(future):
    """Figures of a finished future; a point that kills its workers has a reason instead."""
    from distributed import KilledWorker

    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker) and not str(error.task).startswith(("chunk-", "workload-")):
        return summarize([Failure("The worker died of it, several times: it may lack memory")])
    return future.result()


def _same(value):
    return value


def _logits_of(chunk):
    return chunk.logits
