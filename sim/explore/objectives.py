"""Figures that designs are compared by, and limits that the user sets on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2.sim.errors import UserError
from mnv2.sim.report.quantities import format_quantity, parse_quantity

if TYPE_CHECKING:
    # A command's help is shown without loading it.
    from mnv2.sim.explore.design import Design

__all__ = ["DEFAULT_OBJECTIVES", "FIGURES", "Figure", "Limit", "choose_objectives", "parse_limits"]


@dataclass(frozen=True)
class Figure:
    """A figure of a design.

    Attributes
    ----------
    name : str
        As ``--objective`` calls it.
    words : str
        What it is.
    unit : str
        See `mnv2.sim.report.quantities`.
    best : str
        ``"most"`` or ``"least"``.
    of : function of Design
        Returns it, or None if it is not known.
    costs : bool
        Whether it is known without a prediction.
    """

    name: str
    words: str
    unit: str
    best: str
    of: "Callable[[Design], float | None]"
    costs: bool = False

    def text(self, design: "Design") -> str:
        """The figure of a design with its unit; ``unknown`` if it is not known."""
        value = self.of(design)
        return "unknown" if value is None else format_quantity(value, self.unit)

    @property
    def sign(self) -> int:
        """Sign that turns the figure into one to minimise."""
        return -1 if self.best == "most" else 1

    @property
    def parameter(self) -> str:
        """The parameter of `mnv2 explore` that limits it, such as ``min_fps``."""
        return f"{'min' if self.best == 'most' else 'max'}_{self.name}"

    @property
    def option(self) -> str:
        """The option that limits it, such as ``--min-fps``."""
        return f"--{self.parameter.replace('_', '-')}"


FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "fps",
            "frames a second, one after another or two abreast",
            "1/s",
            "most",
            lambda design: design.frames_per_second,
        ),
        Figure(
            "latency",
            "time from image to logits",
            "s",
            "least",
            lambda design: design.latency_seconds,
        ),
        Figure("dsp", "DSP blocks", "", "least", lambda design: design.resources.dsp, costs=True),
        Figure(
            "bram",
            "block RAM of 18 kbit",
            "",
            "least",
            lambda design: design.block_ram_18k,
            costs=True,
        ),
        Figure(
            "luts",
            "look-up tables",
            "",
            "least",
            lambda design: design.resources.all_luts,
            costs=True,
        ),
        Figure(
            "bandwidth",
            "bytes a second through the memory port, averaged over the frame",
            "B/s",
            "least",
            lambda design: design.bandwidth,
        ),
        Figure(
            "energy",
            "relative energy of a frame",
            "x",
            "least",
            lambda design: design.energy.total if design.energy else None,
        ),
        Figure(
            "accuracy",
            "pictures that get float's first class, from --accuracy",
            "%",
            "most",
            lambda design: design.accuracy,
            costs=True,
        ),
        Figure(
            "memory",
            "bytes of on-chip buffers",
            "B",
            "least",
            lambda design: design.config.on_chip_bytes,
            costs=True,
        ),
        Figure(
            "share",
            "largest share of a resource of the device",
            "%",
            "least",
            lambda design: design.binding_use.share if design.binding_use else None,
            costs=True,
        ),
    )
}


DEFAULT_OBJECTIVES = ("fps", "dsp", "bram")


@dataclass(frozen=True)
class Limit:
    """A bound on a figure of a design.

    Attributes
    ----------
    name : str
        Of `FIGURES`.
    bound : float
        In the figure's unit.
    """

    name: str
    bound: float

    @property
    def figure(self) -> Figure:
        """The figure that it limits."""
        return FIGURES[self.name]

    @property
    def words(self) -> str:
        """``fps >= 100 /s``."""
        sign = ">=" if self.figure.best == "most" else "<="
        return f"{self.name} {sign} {format_quantity(self.bound, self.figure.unit)}"

    def violation(self, value: float) -> float:
        """By how much a value misses the bound, as a share of it; 0 if it does not."""
        return max(0.0, self.figure.sign * (value - self.bound) / self.bound)


def choose_objectives(names: Sequence[str], frames: Sequence[int] = (1,)) -> tuple[Figure, ...]:
    """Figures of these names.

    Parameters
    ----------
    names : sequence of str
    frames : sequence of int
        Numbers of frames abreast that designs have.

    Raises
    ------
    UserError
        If one is unknown, comes twice, or says the same as another.
    """
    for name in names:
        if name not in FIGURES:
            raise UserError(f"An objective must be one of {', '.join(FIGURES)}, not {name!r}")
        if list(names).count(name) > 1:
            raise UserError(f"The objective {name} is given twice")
    if {"fps", "latency"} <= set(names) and len(frames) == 1:
        raise UserError(
            "The objectives fps and latency are one where all designs have as many frames abreast: "
            "a frame begins when the one before has ended; leave out one of them"
        )
    return tuple(FIGURES[name] for name in names)


def parse_limits(texts: Mapping[str, str | None]) -> tuple[Limit, ...]:
    """The limits that the user wrote.

    Parameters
    ----------
    texts : dict of str to (str or None)
        By name of the figure; None for no limit.

    Returns
    -------
    tuple of Limit

    Raises
    ------
    UserError
    """
    return tuple(
        Limit(name, parse_quantity(text, FIGURES[name].unit, FIGURES[name].option))
        for name, text in texts.items()
        if text is not None
    )
