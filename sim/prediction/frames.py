"""Back-to-back frames, predicted and measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mnv2.golden.summary import short_repr
from mnv2.sim.cycles.predict import PredictedFrames
from mnv2.sim.jobs.files import write_json
from mnv2.sim.prediction.layers import (
    LayerComparison,
    comparison_records,
    difference_texts,
    equality_text,
    render_layers,
    write_csv,
)
from mnv2.sim.prediction.published import published_records
from mnv2.sim.report.names import name_frames, turn_name
from mnv2.sim.report.wide_table import WideTable, new_table

__all__ = ["FrameComparison", "render_frame_rows", "render_frames", "write_frames"]


@dataclass(frozen=True)
class FrameComparison:
    """Frames of a run and those predicted.

    Attributes
    ----------
    comparisons : tuple of LayerComparison
        One for each frame, or for each pair abreast.
    predicted_ends, measured_ends : tuple of int
        Cycle in which the logits of each were in memory.
    """

    __repr__ = short_repr

    comparisons: tuple[LayerComparison, ...]
    predicted_ends: tuple[int, ...]
    measured_ends: tuple[int, ...]

    @property
    def equal(self) -> bool:
        """Whether every figure of every frame, and every end, is equal."""
        return self.predicted_ends == self.measured_ends and not any(
            one.differences() for one in self.comparisons
        )

    @property
    def abreast(self) -> int:
        """Frames that are computed together."""
        return self.comparisons[0].abreast

    @property
    def usual(self) -> int:
        """Number of the comparison that stands for all, from 0: frames precede and follow it."""
        return min(1, len(self.comparisons) - 1)

    @property
    def names(self) -> list[str]:
        """Name of each comparison, such as ``frame 2``, or ``frames 3 and 4``."""
        return [turn_name(number + 1, self.abreast) for number in range(len(self.comparisons))]


def render_frames(comparison: FrameComparison) -> Group:
    """Render ends and intervals of the frames, every row of one of them, and the differences.

    Parameters
    ----------
    comparison : FrameComparison

    Returns
    -------
    rich.console.Group
    """
    table = new_table(
        "Back-to-back frames",
        "frame",
        "predicted\nend",
        "measured\nend",
        "predicted\ninterval",
        "measured\ninterval",
        "diffe-\nrence",
        "figures\nnot equal",
    )
    before = (0, 0)
    for name, ends, one in zip(
        comparison.names,
        zip(comparison.predicted_ends, comparison.measured_ends, strict=True),
        comparison.comparisons,
        strict=True,
    ):
        intervals = [end - earlier for end, earlier in zip(ends, before, strict=True)]
        wrong = sum(map(len, one.differences().values()))
        table.add_row(
            name.partition(" ")[2],
            *(f"{end:,}" for end in ends),
            *(f"{cycles:,}" for cycles in intervals),
            f"{intervals[0] - intervals[1]:+,}" if intervals[0] != intervals[1] else "0",
            Text(str(wrong), style="red" if wrong else "green"),
        )
        before = ends
    notes = []
    for name, one in zip(comparison.names, comparison.comparisons, strict=True):
        notes += difference_texts(one, f"{name}, ")
    verdict = ("The cycles in which the logits are in memory are equal.", "bold green")
    if comparison.predicted_ends != comparison.measured_ends:
        verdict = ("The cycles in which the logits are in memory are not equal.", "bold red")
    return Group(
        render_layers(
            comparison.comparisons[comparison.usual],
            title=f"The model against the RTL, {comparison.names[comparison.usual]} of "
            f"{comparison.abreast * len(comparison.comparisons)}",
        ),
        "",
        table,
        "",
        Text("Of all frames: ").append_text(equality_text(comparison.comparisons)),
        Text(*verdict),
        *notes,
    )


def render_frame_rows(frames: PredictedFrames, abreast: int = 1) -> WideTable:
    """Render the cycles of every row of predicted frames.

    Parameters
    ----------
    frames : mnv2.sim.cycles.predict.PredictedFrames
    abreast : int
        Frames that are computed together.

    Returns
    -------
    mnv2.sim.report.wide_table.WideTable
    """
    count = len(frames.ends)
    table = new_table(
        "Predicted cycles of each of the back-to-back frames"
        if abreast == 1
        else f"Predicted cycles of the back-to-back frames, {name_frames(abreast)}",
        "layer",
        *(turn_name(number + 1, abreast).replace(" and", "\nand") for number in range(count)),
    )
    for rows in zip(*frames.layers, strict=True):
        table.add_row(rows[0].name, *(f"{row.cycles:,}" for row in rows))
    table.add_section()
    table.add_row(
        "total", *(f"{sum(row.cycles for row in rows):,}" for rows in frames.layers), style="bold"
    )
    table.add_row("logits there", *(f"{end:,}" for end in frames.ends))
    return table


def write_frames(comparison: FrameComparison, folder: Path, **made_with: Any) -> None:
    """Write ``report.json``, ``report.csv`` and ``validate.png``.

    Parameters
    ----------
    comparison : FrameComparison
    folder : Path
    made_with
        Further keys of the JSON.
    """
    from mnv2.sim.prediction.comparison_plots import draw_comparison

    # By the number of the first frame of those abreast.
    frames = [
        (comparison.abreast * place + 1, list(comparison_records(one)))
        for place, one in enumerate(comparison.comparisons)
    ]
    write_json(
        folder / "report.json",
        {
            "mode": "validate",
            **made_with,
            "computed_scale_sim_array": list(comparison.comparisons[0].array),
            "equal": comparison.equal,
            "frames_abreast": comparison.abreast,
            "published": published_records(),
            "predicted_end_cycles": list(comparison.predicted_ends),
            "measured_end_cycles": list(comparison.measured_ends),
            "frames": [{"frame": number, "layers": rows} for number, rows in frames],
        },
    )
    write_csv([{"frame": number, **row} for number, rows in frames for row in rows], folder)
    picture = draw_comparison(
        comparison.comparisons[comparison.usual],
        f"{comparison.names[comparison.usual].capitalize()} of {comparison.abreast * len(frames)}, "
        "back-to-back",
    )
    picture.savefig(folder / "validate.png", dpi=120)
