"""Answer of a tool about a network."""

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Answer", "LayerSaid", "ToolFailed"]


class ToolFailed(Exception):
    """A tool gave no answer: the message says why, for its row of the table."""


@dataclass(frozen=True)
class LayerSaid:
    """A tool's answer for one layer.

    Attributes
    ----------
    name : str
        Name of the `mnv2.golden.network.Layer`, or of an operation that the tool made itself.
    cycles : int
    dram_bytes : int or None
        Bytes that cross its outermost memory; None if the tool does not give them.
    """

    name: str
    cycles: int
    dram_bytes: int | None = None


@dataclass(frozen=True)
class Answer:
    """Answer of a tool, or the reason why there is none.

    Attributes
    ----------
    layers : tuple of LayerSaid
        Empty if it failed.
    seconds : float
        Wall time that the tool took, on the machine that ran it.
    version : str
        Of its package.
    failure : str
        One clause; empty if there is none.
    """

    layers: tuple[LayerSaid, ...] = ()
    seconds: float = 0.0
    version: str = ""
    failure: str = ""

    @property
    def cycles(self) -> int:
        """Cycles of all layers, one after another."""
        return sum(layer.cycles for layer in self.layers)

    @property
    def dram_bytes(self) -> int | None:
        """Bytes of all layers; None if a layer has none."""
        counts = [layer.dram_bytes for layer in self.layers if layer.dram_bytes is not None]
        return sum(counts) if len(counts) == len(self.layers) else None

    def cycles_of(self, names: Collection[str]) -> int:
        """Cycles of the layers of these names.

        Parameters
        ----------
        names : collection of str

        Returns
        -------
        int
        """
        return sum(layer.cycles for layer in self.layers if layer.name in names)
