"""The part's own model compared with LiteDRAM's RTL: cycles of every layer and of the frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mnv2.golden.summary import short_repr
from mnv2.sim.cycles.predict import PredictedLayer
from mnv2.sim.jobs.files import write_json
from mnv2.sim.prediction.layers import write_csv
from mnv2.sim.report.results import LayerResult
from mnv2.sim.report.wide_table import new_table

__all__ = ["BOUND", "Judgement", "render_judgement", "write_judgement"]

#: Share by which the cycles of a frame may differ.
BOUND = 0.005


@dataclass(frozen=True)
class Judgement:
    """A frame with a part by the project's own model, and with LiteDRAM's RTL.

    Attributes
    ----------
    part : str
    clock_hz : float
        Of LiteDRAM's controller and of the accelerator, which is one.
    predicted : tuple of PredictedLayer
        Rows by the part's own model.
    predicted_cycles : int
        Of the frame, by it.
    measured : tuple of LayerResult
        The same rows with LiteDRAM's RTL, all of whose outputs equalled golden's.
    measured_cycles : int
        Of the frame, with it.
    seconds : float
        Wall time of the simulation.
    """

    __repr__ = short_repr

    part: str
    clock_hz: float
    predicted: tuple[PredictedLayer, ...]
    predicted_cycles: int
    measured: tuple[LayerResult, ...]
    measured_cycles: int
    seconds: float

    @property
    def difference(self) -> float:
        """Share by which the model's cycles of the frame are more than LiteDRAM's."""
        return self.predicted_cycles / self.measured_cycles - 1

    @property
    def cycles_per_second(self) -> float:
        """Cycles that were simulated in a second."""
        return self.measured_cycles / self.seconds

    @property
    def other_bytes(self) -> int:
        """Bytes by which the frame's prediction is more than what was moved.

        Those of a row may differ: what is read ahead for the next row counts where it is read.
        """
        return sum(row.dram_bytes for row in self.predicted) - sum(
            row.dram_bytes for row in self.measured
        )

    @property
    def agrees(self) -> bool:
        """Whether the frame's cycles differ by `BOUND` at most, and its bytes not at all."""
        return abs(self.difference) <= BOUND and not self.other_bytes


def _rows(judgement: Judgement) -> Iterator[tuple[str, int, int, int]]:
    """Name, cycles of the model and of LiteDRAM, and bytes of each row, and of the frame."""
    for one, other in zip(judgement.predicted, judgement.measured, strict=True):
        yield one.name, one.cycles, other.cycles, other.dram_bytes
    moved = sum(row.dram_bytes for row in judgement.measured)
    yield "frame", judgement.predicted_cycles, judgement.measured_cycles, moved


def render_judgement(judgement: Judgement) -> Group:
    """Render both cycles of each row, and a verdict.

    Returns
    -------
    rich.console.Group
    """
    table = new_table(
        f"{judgement.part}: the part's own model, and LiteDRAM's RTL",
        "layer",
        "own model\ncycles",
        "LiteDRAM\ncycles",
        "diffe-\nrence",
        "",
        "DRAM\nbytes",
    )
    for name, own, other, moved in _rows(judgement):
        if name == "frame":
            table.add_section()
        table.add_row(
            name,
            f"{own:,}",
            f"{other:,}",
            f"{own - other:+,}" if own != other else "0",
            f"{own / other - 1:+.2%}",
            f"{moved:,}",
            style="bold" if name == "frame" else None,
        )
    table.caption = (
        f"LiteDRAM's clock is the accelerator's: {judgement.clock_hz / 1e6:g} MHz. "
        f"Simulated: {judgement.cycles_per_second:,.0f} cycles/s."
    )
    return Group(table, "", _verdict(judgement))


def _verdict(judgement: Judgement) -> Text:
    """One line, green or red."""
    share = f"{judgement.difference:+.2%}"
    if judgement.other_bytes:
        return Text(
            f"The bytes moved are not those predicted, by {judgement.other_bytes:+,}.",
            style="bold red",
        )
    if not judgement.agrees:
        return Text(
            f"The frame's cycles differ by {share}, more than {BOUND:.1%}; no output differs from "
            "golden, nor the bytes.",
            style="bold red",
        )
    return Text(
        f"The frame's cycles differ by {share}, within {BOUND:.1%}; 0 mismatches, equal bytes.",
        style="bold green",
    )


def write_judgement(judgement: Judgement, folder: Path, **made_with: Any) -> None:
    """Write ``report.json`` and ``report.csv``.

    Parameters
    ----------
    judgement : Judgement
    folder : Path
    made_with
        Further keys of the JSON.
    """
    rows = [
        {
            "name": name,
            "predicted.cycles": own,
            "litedram.cycles": other,
            "difference.cycles": own - other,
            "dram_bytes": moved,
        }
        for name, own, other, moved in _rows(judgement)
    ]
    write_json(
        folder / "report.json",
        {
            "mode": "validate",
            **made_with,
            "judge": "litedram",
            "clock_hz": judgement.clock_hz,
            "predicted_cycles": judgement.predicted_cycles,
            "litedram_cycles": judgement.measured_cycles,
            "difference": judgement.difference,
            "bound": BOUND,
            "agrees": judgement.agrees,
            "simulated_cycles_per_second": judgement.cycles_per_second,
            "layers": rows[:-1],
        },
    )
    write_csv(rows, folder)
