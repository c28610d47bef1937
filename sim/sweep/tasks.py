"""The tasks of a sweep: chunks of pictures once, then a model and its figures for each point.

The work of a point is cut the same way everywhere: a model, its figures on each chunk of pictures,
their summary.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mnv2.sim.jobs.cluster import TaskLost
from mnv2.sim.jobs.spread import Pending, Place
from mnv2.sim.sweep.evaluate import (
    Chunk,
    Failure,
    Workload,
    evaluate_chunk,
    make_chunk,
    make_model,
    summarize,
)
from mnv2.sim.sweep.grid import Point

__all__ = ["evaluate_points"]

#: Tasks that all points need: without them there are no figures.
CHUNK, WORKLOAD = "chunk", "workload"


def evaluate_points(
    place: Place,
    points: Sequence[Point],
    workload: Workload,
    chunks: Sequence[tuple[np.ndarray, np.ndarray | None]],
    networks: Sequence[bool],
    *,
    device: str = "cpu",
    prepared: Callable[[int, np.ndarray], None],
) -> Iterator[tuple[Point, dict[str, Any]]]:
    """Evaluate points.

    Parameters
    ----------
    place : Place
    points : sequence of Point
    workload : Workload
    chunks : sequence of (pixels, labels or None)
        As `mnv2.sim.pictures.decode.Pictures.chunks` gives them.
    networks : sequence of bool
        See `mnv2.sim.sweep.evaluate.make_chunk`; the first chunk alone keeps tensors.
    device : str
        ``"cpu"``, or the GPU that the networks run on.
    prepared : function of (number, logits)
        Called when the float network has run on the chunk of that number, in order.

    Yields
    ------
    (Point, dict)
        Figures of each point, see `mnv2.sim.sweep.evaluate.summarize`, in any order.

    Raises
    ------
    UserError
        If the cluster is lost.
    """
    shared = place.submit(_same, workload, name=WORKLOAD)
    made = [
        place.submit(
            make_chunk,
            shared,
            pixels,
            labels,
            () if number else networks,
            device,
            name=CHUNK,
            priority=1,
        )
        for number, (pixels, labels) in enumerate(chunks)
    ]
    logits = [place.submit(_logits_of, chunk, name="logits", priority=1) for chunk in made]
    for number, pending in enumerate(logits):
        prepared(number, pending.result())

    def submit(point: Point) -> Pending:
        model = place.submit(make_model, shared, point, name="model")
        parts = [
            place.submit(evaluate_chunk, point, model, chunk, device, name="part") for chunk in made
        ]
        return place.submit(summarize, parts, name="point")

    for point, pending in place.spread(points, submit, tasks=len(made)):
        yield point, _figures(pending)


def _figures(pending: Pending) -> dict[str, Any]:
    """Figures of a point; one that its workers died of has a reason instead."""
    try:
        return pending.result()
    except TaskLost as error:
        if error.task.startswith((f"{CHUNK}-", f"{WORKLOAD}-")):
            raise
        return summarize([Failure("The worker died of it, several times: it may lack memory")])


def _same(workload: Workload) -> Workload:
    return workload


def _logits_of(chunk: Chunk) -> np.ndarray:
    return chunk.logits
