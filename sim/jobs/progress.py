"""Interfaces through which long work tells how far it is; `mnv2.sim.commands.terminal` shows it."""

from collections.abc import Sequence
from typing import Protocol

from mnv2.golden.network import Block
from mnv2.sim.mapping.ideal import ProgramStep

__all__ = ["BlocksProgress", "BuildProgress", "CampaignProgress", "FrameProgress", "Silence"]


class BuildProgress(Protocol):
    """Told of the build of a simulation, which takes minutes unless the cache has it."""

    def building(self) -> None:
        """The simulation is not in the cache and is being built."""

    def compiled(self, done: int, total: int) -> None:
        """This many object files of it are compiled; told from a thread."""

    def built(self) -> None:
        """The simulation is there, and the run starts."""


class FrameProgress(BuildProgress, Protocol):
    """Told of runs of a whole network in RTL."""

    def name_run(self, name: str) -> None:
        """The run that follows is one of several, and this is its name."""

    def starting(self, steps: Sequence[ProgramStep]) -> None:
        """A run of these steps follows."""

    def repeating(self, cycles: int) -> None:
        """Back-to-back frames follow, which take about this many cycles together."""

    def reached(self, descriptors: int, cycles: int) -> None:
        """This number of descriptors has ended by this cycle."""


class BlocksProgress(BuildProgress, Protocol):
    """Told of bottlenecks that run in RTL one by one, several at a time.

    Attributes
    ----------
    simulation_seconds : float
        Wall time from the end of the build to the end of the last block so far.
    """

    simulation_seconds: float

    def starting(self, blocks: Sequence[Block]) -> None:
        """These blocks will be run."""

    def finished(self, block: Block, cycles: int, done: int, total: int) -> None:
        """A block has ended after this many cycles, the ``done``-th of ``total``."""


class CampaignProgress(Protocol):
    """Shows how far a sweep or a search is."""

    def count(self, what: str, done: int, total: int) -> None:
        """Show how much of the work before the results is done, such as pictures decoded."""

    def results(self, done: int, total: int, last: str = "") -> None:
        """Show how many results of at most ``total`` are kept; ``last`` names one made now."""

    def best(self, words: str) -> None:
        """Show what the best results so far are."""


class Silence:
    """Progress that is not shown."""

    def count(self, what: str, done: int, total: int) -> None:
        """Show nothing."""

    def results(self, done: int, total: int, last: str = "") -> None:
        """Show nothing."""

    def best(self, words: str) -> None:
        """Show nothing."""
