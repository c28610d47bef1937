"""Result of a search: the designs found, and the front."""

from dataclasses import dataclass
from functools import cached_property

from mnv2.golden.summary import short_repr
from mnv2.sim.explore.axis_ends import AxisEnd, axis_ends
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.front import balanced
from mnv2.sim.explore.request import PreparedSearch
from mnv2.sim.explore.sensitivity import Sensitivity

__all__ = ["SearchResults"]


@dataclass(frozen=True, eq=False)
class SearchResults:
    """Designs that a search found.

    Attributes
    ----------
    prepared : mnv2.sim.explore.request.PreparedSearch
    method : str
        ``"whole"`` or ``"nsga-ii"``.
    designs : list of mnv2.sim.explore.design.Design
        All candidates, in order: predicted, or ruled out by their costs.
    front : list of mnv2.sim.explore.design.Design
        See `mnv2.sim.explore.front.find_front`.
    refused : dict of str to int
        Points that are no designs, by reason.
    failures : dict of str to str
        Designs without a prediction, by key: why.
    sensitivity : mnv2.sim.explore.sensitivity.Sensitivity or None
        Effects of single changes of the balanced design.
    """

    __repr__ = short_repr

    prepared: PreparedSearch
    method: str
    designs: list[Design]
    front: list[Design]
    refused: dict[str, int]
    failures: dict[str, str]
    sensitivity: Sensitivity | None

    @property
    def balanced(self) -> Design | None:
        """The balanced design of the front, or None without one; see `mnv2.sim.explore.front`."""
        return balanced(self.front, self.prepared.objectives) if self.front else None

    @cached_property
    def axis_ends(self) -> list[AxisEnd]:
        """Ends of axes at which the best designs lie; see `mnv2.sim.explore.axis_ends`."""
        prepared = self.prepared
        return axis_ends(self.front, prepared.space, prepared.objectives, prepared.judge)

    @property
    def predicted(self) -> list[Design]:
        """Designs that were predicted."""
        return [design for design in self.designs if design.layers]
