"""Several reports side by side: which options differ, and every figure layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mnv2.golden.summary import short_repr
from mnv2.sim.comparison.subject import Subject
from mnv2.sim.cost.devices import Device, Use, device_use
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.record import Resources
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.errors import UserError
from mnv2.sim.report.names import words

__all__ = ["DEFAULT_FAMILY", "ReportComparison", "relative", "worst_wait_of"]

#: Family whose resources are counted where no device is named: AMD UltraScale+.
DEFAULT_FAMILY = "xcup"


def relative(value: float | None, reference: float | None) -> float | None:
    """Change from a reference, as a share of it; None where there is none."""
    return None if value is None or not reference else value / reference - 1


def worst_wait_of(row: Mapping[str, Any]) -> tuple[str, float]:
    """Cause of most waiting of a row of a report, and its share of the cycles."""
    cause, cycles = max(row["stalls"].items(), key=lambda item: item[1], default=("", 0))
    return (cause, cycles / row["cycles"]) if cycles else ("", 0.0)


@dataclass(frozen=True)
class ReportComparison:
    """Reports that are compared; the first is the reference.

    Attributes
    ----------
    subjects : tuple of mnv2.sim.comparison.subject.Subject
        Two or more, of names that differ.
    device : mnv2.sim.cost.devices.Device or None
        Whose resources are counted; without, those of `DEFAULT_FAMILY`.

    Raises
    ------
    UserError
        If they are fewer, or share no layer.
    """

    __repr__ = short_repr

    subjects: tuple[Subject, ...]
    device: Device | None = None

    def __post_init__(self) -> None:
        if len(self.subjects) < 2:
            raise UserError("A comparison needs two reports or more")
        for other in self.others:
            if not set(self.reference.rows) & set(other.rows) - {"total"}:
                raise UserError(f"{self.reference.name} and {other.name} have no layer in common")

    @property
    def reference(self) -> Subject:
        """The report that the others are compared with."""
        return self.subjects[0]

    @property
    def others(self) -> tuple[Subject, ...]:
        """All but the reference."""
        return self.subjects[1:]

    @property
    def family(self) -> str:
        """Family whose resources are counted."""
        return DEFAULT_FAMILY if self.device is None else self.device.family

    @property
    def family_title(self) -> str:
        """The device, or the family, in words."""
        return FAMILIES[self.family].title if self.device is None else self.device.title

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """Names of the layers of any of them, in order, without the total."""
        names: dict[str, None] = {}
        for subject in self.subjects:
            names.update(dict.fromkeys(row["name"] for row in subject.layers))
        return tuple(names)

    @cached_property
    def resources(self) -> tuple[Resources, ...]:
        """Resources of each accelerator, estimated."""
        return tuple(estimate_resources(one.config, self.family) for one in self.subjects)

    @cached_property
    def uses(self) -> tuple[tuple[Use, ...], ...]:
        """Shares of the device's resources of each; empty without a device."""
        if self.device is None:
            return tuple(() for _ in self.subjects)
        return tuple(device_use(one, self.device) for one in self.resources)

    @property
    def has_energy(self) -> bool:
        """Whether every report has the energy of a frame."""
        return all(one.energy for one in self.subjects)

    @cached_property
    def settings(self) -> dict[str, tuple[str, ...]]:
        """Options that the reports were made with and differ in: by name, a text for each."""
        found: dict[str, tuple[str, ...]] = {}
        for key in ("model", "image", "clock_hz"):
            _add(found, key, [one.content.get(key) for one in self.subjects])
        for part, prefix in (("configuration", ""), ("memory", "memory: ")):
            values = [one.content[part] for one in self.subjects]
            for key in dict.fromkeys(key for one in values for key in one):
                _add(
                    found, f"{prefix}{words(key) if prefix else key}", [v.get(key) for v in values]
                )
        return found

    def cells(self, row: str, key: str) -> list[Any]:
        """A figure of a layer of each report; None where a report has no such layer."""
        return [one.rows[row][key] if row in one.rows else None for one in self.subjects]

    def largest_change(self, other: Subject) -> tuple[str, int] | None:
        """Layer whose cycles differ most from the reference's, and by how many; None if none."""
        changes = [
            (other.rows[name]["cycles"] - self.reference.rows[name]["cycles"], name)
            for name in self.rows
            if name in other.rows and name in self.reference.rows
        ]
        change, name = max(changes, key=lambda one: abs(one[0]))
        return (name, change) if change else None


def _add(found: dict[str, tuple[str, ...]], name: str, values: Sequence[Any]) -> None:
    """Note a setting if its values differ."""
    texts = tuple(_text(value) for value in values)
    if len(set(texts)) > 1:
        found[name] = texts


def _text(value: Any) -> str:
    """A setting as a person reads it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.10g}" if isinstance(value, (int, float)) else str(value)
