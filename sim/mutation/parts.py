"""Parts of the project that faults are planted in: their files, and rules of what may be wrong."""

from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.mutation.hardware_rules import HARDWARE_RULES
from mnv2.sim.mutation.places import Rule
from mnv2.sim.mutation.rules import RULES

__all__ = ["PARTS", "Part"]


@dataclass(frozen=True)
class Part:
    """A part of the project.

    Attributes
    ----------
    name : str
    patterns : tuple of str
        Of its files, relative to the checkout.
    rules : tuple of Rule
    """

    name: str
    patterns: tuple[str, ...]
    rules: tuple[Rule, ...]

    def files(self, root: Path) -> list[str]:
        """Its files, relative to the checkout, in order."""
        return sorted(
            path.relative_to(root).as_posix()
            for pattern in self.patterns
            for path in root.glob(pattern)
        )


_HARDWARE = ("hw/*.py", "hw/standalone/*.py")
#: The faster forms of the same arithmetic, and those on a GPU, are held to these.
_GOLDEN = ("golden/*.py", "golden/graph/*.py", "golden/quantize/*.py")
_CYCLES = ("sim/cycles/*.py", "sim/cycles/array/*.py", "sim/cycles/port/*.py")

#: By name.
PARTS = {
    part.name: part
    for part in (
        Part("hw", _HARDWARE, RULES + HARDWARE_RULES),
        Part("golden", _GOLDEN, RULES),
        Part("cycles", _CYCLES, RULES),
    )
}
