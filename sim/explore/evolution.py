"""Search of a large space by Optuna's NSGA-II, through its ask-and-tell interface, by generations.

Axes are given to it as places in their lists. A point that is no design, or is ruled out by its
costs, is told as a violation without a prediction, so that generations learn where designs are.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from mnv2.sim.errors import UserError
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.front import objective_values
from mnv2.sim.explore.objectives import Figure
from mnv2.sim.explore.request import PreparedSearch
from mnv2.sim.explore.space import Point, Space

__all__ = ["evolve", "extreme_points"]

#: Designs asked for at most, for each that may be predicted; and generations without a new one.
ASKED, STALE = 20, 10
#: Axes that make a machine small or large.
LANES = ("outputs", "inputs", "pixels", "frames", "data_bits")
#: Violation of a point that is no design: worse than any that is one.
NO_DESIGN = 1e6
#: Objective of a design that was not predicted; its violation decides before it.
UNKNOWN = 1e30


class Searcher(Protocol):
    """Makes candidates and predictions, and keeps designs: `mnv2.sim.explore.search.Search`.

    Attributes
    ----------
    designs : dict of str to Design
        Kept designs, by key.
    """

    designs: dict[str, Design]

    def candidate(self, point: Point) -> Design | None:
        """The design of a point, costed; None if the point is no design."""

    def predict(self, designs: Sequence[Design], total: int) -> Iterable[Design]:
        """Designs with their predictions."""

    def keep(self, designs: Iterable[Design]) -> None:
        """Add designs to those kept."""


def evolve(search: Searcher, prepared: PreparedSearch) -> None:
    """Search until as many designs are predicted as were asked for, or no new ones come.

    Parameters
    ----------
    search : Searcher
    prepared : mnv2.sim.explore.request.PreparedSearch

    Raises
    ------
    UserError
        If Optuna is not installed.
    """
    optuna = _import_optuna()
    request, space, objectives = prepared.request, prepared.space, prepared.objectives
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        directions=["minimize"] * len(objectives),
        sampler=optuna.samplers.NSGAIISampler(
            population_size=request.population, seed=request.seed
        ),
    )
    axes = {
        name: optuna.distributions.IntDistribution(0, len(space.values[name]) - 1)
        for name in space.varied
    }
    # The first generation has the ends of the space, which chance seldom finds.
    for point in extreme_points(space):
        study.enqueue_trial({name: space.values[name].index(point[name]) for name in axes})
    asked, stale = 0, 0
    predicted: set[str] = set()
    while len(predicted) < request.designs and asked < ASKED * request.designs and stale < STALE:
        trials = [study.ask(axes) for _ in range(request.population)]
        asked += len(trials)
        designs = [search.candidate(_point(trial, space)) for trial in trials]
        new = {
            design.key: design
            for design in designs
            if design is not None and not design.violations and design.key not in predicted
        }
        new = dict(list(new.items())[: request.designs - len(predicted)])
        predicted |= set(new)
        stale = 0 if new else stale + 1
        for design in designs:
            if design is not None:
                search.designs.setdefault(design.key, design)
        search.keep(search.predict(list(new.values()), request.designs))
        # Told in the order of the requests, not in the order of completion.
        for trial, design in zip(trials, designs, strict=True):
            made = None if design is None else search.designs[design.key]
            _tell(study, trial, made, objectives)


def extreme_points(space: Space) -> list[Point]:
    """The smallest and the largest machine of a space, for each packing.

    Buffers take the least RAM, and lanes are repaired as those of other points.

    Parameters
    ----------
    space : mnv2.sim.explore.space.Space

    Returns
    -------
    list of dict
        Each once.
    """
    points: list[Point] = []
    for packing in space.values.get("packing", (None,)):
        for end in (0, -1):
            point = {
                name: values[end] if name in LANES else values[0]
                for name, values in space.values.items()
            }
            if packing is not None:
                point["packing"] = packing
            point = space.repaired(point)
            if point not in points:
                points.append(point)
    return points


def _point(trial: Any, space: Space) -> Point:
    """The point of a trial, with lanes that fit together."""
    return space.repaired(
        {
            name: values[trial.params[name]] if name in trial.params else values[0]
            for name, values in space.values.items()
        }
    )


def _tell(study: Any, trial: Any, design: Design | None, objectives: tuple[Figure, ...]) -> None:
    """Tell the result of a trial: a design, predicted or not, or none."""
    violation = NO_DESIGN
    values = [UNKNOWN] * len(objectives)
    if design is not None and (design.layers or design.violations):
        violation = sum(design.violations.values())
    if design is not None and design.layers:
        values = objective_values([design], objectives)[0].tolist()
    trial.set_constraint("violation", violation)
    study.tell(trial, values)


def _import_optuna():
    """The library, or one sentence."""
    try:
        import optuna
    except ImportError:
        raise UserError(
            "A space that is too large for an exhaustive search needs Optuna: "
            "pip install 'mnv2[explore]', or narrow it by --vary"
        ) from None
    return optuna
