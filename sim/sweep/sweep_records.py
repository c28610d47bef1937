"""Records of a sweep: what its points share, and the figures of each; the best points."""

from dataclasses import dataclass
from typing import Any

from mnv2.golden.summary import short_repr
from mnv2.sim.pictures.class_names import ClassNames, known_class_names
from mnv2.sim.pictures.decode import Pictures
from mnv2.sim.pictures.image_sets import ImageSet
from mnv2.sim.pictures.resizing import parse_resizing
from mnv2.sim.pictures.set_words import label_warnings, preparation_line
from mnv2.sim.sweep.evaluate import Workload
from mnv2.sim.sweep.grid import Point, position
from mnv2.sim.sweep.request import SweepRequest

__all__ = ["PreparedSweep", "SweepResults", "best_points"]

#: Photographs from which ranges by entropy are worth trying.
ENTROPY_PHOTOGRAPHS = 32


@dataclass(frozen=True, eq=False)
class PreparedSweep:
    """A request, with all that its points share.

    Attributes
    ----------
    request : SweepRequest
    points : list of Point
    image_set : mnv2.sim.pictures.image_sets.ImageSet
    pictures : mnv2.sim.pictures.decode.Pictures
    calibration_words : str
        What was calibrated on.
    photographs : int
        Files that it was cut from.
    workload : mnv2.sim.sweep.evaluate.Workload
    configuration : dict
        Content that every figure depends on, and the request: of the journal.
    device : str
        ``"cpu"``, or the GPU that the networks run on.
    class_names : mnv2.sim.pictures.class_names.ClassNames or None
        None for those that the number of classes implies.
    """

    __repr__ = short_repr

    request: SweepRequest
    points: list[Point]
    image_set: ImageSet
    pictures: Pictures
    calibration_words: str
    photographs: int
    workload: Workload
    configuration: dict[str, Any]
    device: str = "cpu"
    class_names: ClassNames | None = None

    @property
    def names(self) -> ClassNames:
        """Names of the network's classes."""
        return self.class_names or known_class_names(self.workload.model.network.classes)

    @property
    def preparation(self) -> str:
        """The treatment of pixels, the classes of folders and the calibration, in one line."""
        model = self.workload.model
        rows, columns, _ = model.network.input_shape
        return preparation_line(
            self.image_set,
            parse_resizing(self.request.resize),
            (rows, columns),
            model.input_normalization,
            self.calibration_words,
        )


@dataclass(frozen=True, eq=False)
class SweepResults:
    """Figures of every point.

    Attributes
    ----------
    prepared : PreparedSweep
    figures : dict of Point to dict
        See `mnv2.sim.sweep.evaluate.summarize`.
    reference : dict
        Accuracy of the float network; see `mnv2.sim.sweep.evaluate.reference_accuracy`.
    """

    __repr__ = short_repr

    prepared: PreparedSweep
    figures: dict[Point, dict[str, Any]]
    reference: dict[str, float | None]

    @property
    def warnings(self) -> list[str]:
        """Sentences that say why figures may mean nothing, or formats do worse than they can."""
        labels, right = self.prepared.pictures.labels, self.reference.get("label_top1")
        sentences = label_warnings(labels, self.prepared.names, right or 0.0)
        few = self.prepared.photographs
        if few < ENTROPY_PHOTOGRAPHS and any(point.ranges == "entropy" for point in self.figures):
            sentences.append(
                f"Entropy ranges of {few} {'photograph' if few == 1 else 'photographs'} clip what "
                "others hold: of 7 they cost five points of a thousand labels, of 64 none; "
                f"calibrate on {ENTROPY_PHOTOGRAPHS} or more (--calibration)"
            )
        return sentences


def best_points(results: SweepResults, count: int) -> list[Point]:
    """At most ``count`` points with figures, the best first.

    By agreement with the float network's first class, then by the logits' SQNR, then the smaller
    weights, then in order.
    """
    found = [point for point, figures in results.figures.items() if "failure" not in figures]

    def rank(point: Point) -> tuple[Any, ...]:
        figures = results.figures[point]
        sqnr = figures["sqnr_db"]
        return (
            -figures["agree_top1"],
            float("inf") if sqnr is None else -sqnr,
            point.weight_bits,
            position(point),
        )

    return sorted(found, key=rank)[:count]
