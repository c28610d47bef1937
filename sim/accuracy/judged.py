"""A network that is judged, in each form that it has, and its answers on some pictures.

Functions take and give plain data, so that they run in this process or on any machine with the
same result.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mnv2.golden.float_model import InputNormalization
from mnv2.golden.graph.graph import Graph
from mnv2.golden.summary import short_repr
from mnv2.sim.networks.graph_inputs import graph_value
from mnv2.sim.networks.inputs import pixels_input
from mnv2.sim.networks.open import RunnableModel
from mnv2.sim.pictures.decode import NO_LABEL
from mnv2.sim.sweep.evaluate import places, sqnr_db_by_picture

__all__ = ["FORMS", "TOP", "Judged", "judge_pictures"]

#: Forms that a network may have, in the order of reports.
FORMS = ("float", "integer")
#: Ranks that count as found in the top-5 measures, and classes that are kept of each answer.
TOP = 5


@dataclass(frozen=True, eq=False)
class Judged:
    """A network, or a graph of operators that is none of the family.

    Attributes
    ----------
    model : mnv2.sim.networks.open.RunnableModel or None
    graph : mnv2.golden.graph.graph.Graph or None
        In its place, with one picture as its input and a number for each class as its output.
    normalization : mnv2.golden.float_model.InputNormalization
        Of pixels.
    """

    __repr__ = short_repr

    model: RunnableModel | None
    graph: Graph | None
    normalization: InputNormalization

    @property
    def forms(self) -> tuple[str, ...]:
        """Those of `FORMS` that there are."""
        has_float = self.model is not None and self.model.float_model is not None
        return FORMS if has_float else FORMS[1:]


def _logits(judged: Judged, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Logits of each form, [N, classes]."""
    if judged.graph is not None:
        graph = judged.graph
        tensor, output = graph.tensors[graph.inputs[0]], graph.outputs[0]
        made = []
        for picture in pixels:
            value = graph_value(tensor, picture, judged.normalization)
            made.append(graph.run([value])[output].reshape(-1))
        return {"integer": np.stack(made)}
    model = judged.model
    assert model is not None
    found = {}
    given = [pixels_input(model, picture, judged.normalization) for picture in pixels]
    if model.float_model is not None:
        folded = model.float_model.folded()
        found["float"] = np.stack([folded.run(one.real)["classifier"].reshape(-1) for one in given])
    integers = np.stack([one.integer for one in given])
    tensors = model.integer.run_batch(integers, ["classifier", "logits_accumulator"])
    logits = [
        model.logits({name: values[index] for name, values in tensors.items()})
        for index in range(len(pixels))
    ]
    return found | {"integer": np.stack(logits)}


def judge_pictures(
    judged: Judged, pixels: np.ndarray, labels: np.ndarray | None
) -> list[dict[str, Any]] | str:
    """Answers of a network on some pictures.

    Parameters
    ----------
    judged : Judged
    pixels : uint8 [N, H, W, 3]
    labels : int64 [N] or None
        `mnv2.sim.pictures.decode.NO_LABEL` for pictures without.

    Returns
    -------
    list of dict, or str
        For each picture: ``float`` and ``integer``, where there are such forms, the classes of the
        greatest logits, at most five, greatest first; ``float_place``, ``integer_place``, the place
        of the label, from 0, where there is one; ``sqnr_db``, of the integer form's logits compared
        with float, where both are. Equal logits are in the order of classes. Or the reason why the
        network cannot be run.
    """
    try:
        logits = _logits(judged, pixels)
    except ValueError as error:
        return " ".join(str(error).split())
    rows: list[dict[str, Any]] = [{} for _ in pixels]
    for form, values in logits.items():
        values = values.astype(np.float64)
        order = np.argsort(-values, axis=1, kind="stable")[:, :TOP]
        for row, classes in zip(rows, order, strict=True):
            row[form] = classes.tolist()
        if labels is not None:
            known = np.flatnonzero(labels != NO_LABEL)
            for number, place in zip(known, places(values[known], labels[known]), strict=True):
                rows[number][f"{form}_place"] = int(place)
    if "float" in logits:
        decibels = sqnr_db_by_picture(logits["float"], logits["integer"])
        for row, value in zip(rows, decibels, strict=True):
            row["sqnr_db"] = round(float(value), 4)
    return rows
