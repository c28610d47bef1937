"""Predictions made in this process, or on a Dask cluster of this machine or of many."""

import collections
import uuid

from mnv2.sim.explore.evaluate import predict_rows
from mnv2.sim.jobs.cluster import cluster_losses

__all__ = ["predict_here", "predict_on_cluster"]

#: Predictions that travel together, and such parcels under way for each thread of the cluster.
PARCEL, PARCELS_AHEAD = 4, 3


def predict_here(tasks, network, *, finished):
    """Make predictions one after another in this process.

    Parameters
    ----------
    tasks : sequence of mnv2.sim.explore.evaluate.Task
    network : mnv2.golden.network.Network
    finished : function of (task, figures)
        Called after each; see `mnv2.sim.explore.evaluate.predict_rows`.
    """
    for task in tasks:
        finished(task, predict_rows(network, task))


def predict_on_cluster(client, tasks, network, *, finished):
    """Make predictions on a cluster; the rest as for `predict_here`, ``finished`` in any order.

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
        # Another search on the same cluster must not be taken for this one.
        run = uuid.uuid4().hex
        shared = client.submit(_same, network, key=f"network-{run}")
        threads = max(1, sum(client.nthreads().values()))
        # Few predictions are spread too.
        size = max(1, min(PARCEL, len(tasks) // (2 * threads)))
        parcels = collections.deque(
            tasks[begin : begin + size] for begin in range(0, len(tasks), size)
        )
        queue, under_way = as_completed(), {}
        while parcels or under_way:
            threads = max(1, sum(client.nthreads().values()))
            while parcels and len(under_way) < PARCELS_AHEAD * threads:
                parcel = parcels.popleft()
                future = client.submit(
                    _predict_parcel, shared, parcel, key=f"parcel-{run}-{len(parcels)}"
                )
                under_way[future] = parcel
                queue.add(future)
            future = next(queue)
            for task, figures in zip(under_way.pop(future), future.result(), strict=True):
                finished(task, figures)


def _predict_parcel(network, tasks):
    return [predict_rows(network, task) for task in tasks]


def _same(value):
    return value
