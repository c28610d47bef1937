"""Points worked off in this process, or on a Dask cluster of this machine or of many.

The work of a point is cut the same way everywhere: a model, its figures on each chunk of pictures,
their summary. Everything that a worker needs reaches it as data. What a lost worker held is made
again by Dask from what led to it.
"""

import collections
import uuid

from mnv2.sim.jobs.cluster import cluster_losses
from mnv2.sim.sweep.evaluate import Failure, evaluate_chunk, make_chunk, make_model, summarize

__all__ = ["work_here", "work_on_cluster"]

#: Tasks under way for each thread of the cluster, so that none waits for the next.
TASKS_AHEAD = 3


def work_here(points, workload, chunks, networks, *, finished, prepared=None):
    """Work points off one after another in this process.

    Parameters
    ----------
    points : sequence of mnv2.sim.sweep.grid.Point
    workload : mnv2.sim.sweep.evaluate.Workload
    chunks : sequence of (pixels, labels or None)
        As `mnv2.sim.pictures.decode.Pictures.chunks` gives them.
    networks : sequence of bool
        See `mnv2.sim.sweep.evaluate.make_chunk`; the first chunk alone keeps tensors.
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
    from distributed import as_completed

    with cluster_losses():
        # Another sweep on the same cluster must not be taken for this one.
        run = uuid.uuid4().hex
        shared = client.submit(_same, workload, key=f"workload-{run}")
        made = [
            client.submit(
                make_chunk,
                shared,
                pixels,
                labels,
                () if number else networks,
                key=f"chunk-{run}-{number}",
                priority=1,
            )
            for number, (pixels, labels) in enumerate(chunks)
        ]
        if prepared:
            logits = [
                client.submit(_logits_of, chunk, key=f"logits-{chunk.key}", priority=1)
                for chunk in made
            ]
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


def _submit_point(client, run, point, shared, made):
    """Future of the figures of a point."""
    name = f"{run}-{point.key}"
    model = client.submit(make_model, shared, point, key=f"model-{name}")
    parts = [
        client.submit(evaluate_chunk, point, model, chunk, key=f"part-{name}-{number}")
        for number, chunk in enumerate(made)
    ]
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
