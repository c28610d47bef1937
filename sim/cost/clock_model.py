"""A model of the clock of a whole accelerator, fitted to those that were placed and routed.

The slowest path of a placed accelerator is logic and wires. The logic is nearly the same for all
of them; a wire that crosses the design is as long as the side of the area that it covers, which
grows with the square root of its look-up tables. So the period is a constant and a coefficient of
that root, neither of them negative.

Ref: the length of wires against the size of a design: Donath, Placement and Average Interconnection
     Lengths of Computer Logic, IEEE Transactions on Circuits and Systems 26 (1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnv2.sim.cost.least_squares import fit_non_negative
from mnv2.sim.cost.placed import PlacedDesign

__all__ = ["LEAST_PLACED", "ClockModel", "fit_clock"]

#: Placed designs below which there is no model, and those that a second coefficient takes.
LEAST_PLACED, _LEAST_FOR_ROOT = 2, 3


@dataclass(frozen=True)
class ClockModel:
    """Period of an accelerator by its look-up tables.

    Attributes
    ----------
    speed : int
        Speed grade.
    constant, by_root : float
        Nanoseconds, and nanoseconds for each root of a look-up table.
    designs : int
        Number of placed designs that it is fitted to.
    error : float
        Largest error of a clock that it gives, as a share of the placed one: of three designs and
        more, of each by the model of the others; of two, of the model itself.
    """

    speed: int
    constant: float
    by_root: float
    designs: int
    error: float

    def clock_hz(self, luts: int) -> float:
        """Clock by the number of look-up tables, memories in them included; to 0.1 MHz."""
        return round(1e4 / (self.constant + self.by_root * luts**0.5)) * 1e5

    @property
    def words(self) -> str:
        """The model and its error, for reports."""
        how = "of each by those of the others" if self.designs > 2 else "of their spread"
        return (
            f"a model of {self.designs} accelerators placed and routed at speed {self.speed}, with "
            f"an error {how} of {self.error:.1%} at most"
        )


def fit_clock(designs: Sequence[PlacedDesign], speed: int) -> ClockModel | None:
    """Fit the model.

    Parameters
    ----------
    designs : sequence of PlacedDesign
        Of one family.
    speed : int
        Speed grade. Of several results of one configuration on a device the fastest counts.

    Returns
    -------
    ClockModel, or None
        None where fewer than two were placed.
    """
    best: dict[tuple[object, str], tuple[int, float]] = {}
    for design in designs:
        clock = design.megahertz_by_speed.get(speed)
        if clock is not None:
            key = design.config, design.device
            best[key] = max(
                best.get(key, (0, 0.0)), (design.resources["LUTs"], clock), key=lambda one: one[1]
            )
    points = list(best.values())
    if len(points) < LEAST_PLACED:
        return None
    model = _fit(points, speed)
    if len(points) == LEAST_PLACED:
        errors = [_error(model, point) for point in points]
    else:
        errors = [
            _error(_fit([*points[:place], *points[place + 1 :]], speed), point)
            for place, point in enumerate(points)
        ]
    return ClockModel(speed, model.constant, model.by_root, len(points), max(errors))


def _fit(points: Sequence[tuple[int, float]], speed: int) -> ClockModel:
    """Least squares of the relative errors of periods."""
    luts, clocks = np.array(points, dtype=float).T
    features = np.stack([np.ones(len(points)), luts**0.5], axis=1)
    columns = 2 if len(points) >= _LEAST_FOR_ROOT else 1
    solution = fit_non_negative(features[:, :columns] * clocks[:, None] / 1e3, np.ones(len(points)))
    constant, by_root = (*solution.tolist(), 0.0)[:2]
    return ClockModel(speed, constant, by_root, len(points), 0.0)


def _error(model: ClockModel, point: tuple[int, float]) -> float:
    luts, clock = point
    return abs(model.clock_hz(luts) / (1e6 * clock) - 1)
