"""A memory that pauses at random: runs with several seeds and the distribution predicted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mnv2.golden.summary import short_repr
from mnv2.sim.cycles.predict import PredictedLayer
from mnv2.sim.jobs.files import write_json
from mnv2.sim.prediction.distribution import (
    CONFIDENCE,
    Spread,
    Spreads,
    column_spreads,
    holds,
)
from mnv2.sim.prediction.layers import (
    LayerComparison,
    comparison_records,
    cycle_pairs,
    difference_texts,
    equality_text,
    write_csv,
)
from mnv2.sim.prediction.published import published_records, published_table
from mnv2.sim.report.wide_table import new_table

__all__ = ["SeedComparison", "render_seeds", "render_spreads", "spread_records", "write_seeds"]


@dataclass(frozen=True)
class SeedComparison:
    """Runs and predictions of a memory that pauses.

    Attributes
    ----------
    seeds : tuple of int
        Of the runs.
    comparisons : tuple of mnv2.sim.prediction.layers.LayerComparison
        Each run and the prediction with the same seed.
    draws : tuple of tuple of mnv2.sim.cycles.predict.PredictedLayer
        Predictions with other seeds.
    steady : tuple of mnv2.sim.cycles.predict.PredictedLayer
        Prediction of a memory that never pauses.
    """

    __repr__ = short_repr

    seeds: tuple[int, ...]
    comparisons: tuple[LayerComparison, ...]
    draws: tuple[tuple[PredictedLayer, ...], ...]
    steady: tuple[PredictedLayer, ...]

    @property
    def equal(self) -> bool:
        """Whether every run equals the prediction with its seed."""
        return not any(one.differences() for one in self.comparisons)

    @property
    def predicted(self) -> Spreads:
        """Spreads of the draws, see `mnv2.sim.prediction.distribution.column_spreads`."""
        return column_spreads(self.draws)

    @property
    def measured(self) -> Spreads:
        """Spreads of the runs."""
        return column_spreads([one.measured for one in self.comparisons])


def outside(predicted: Spreads, measured: Spreads) -> list[str]:
    """List the rows whose mean of cycles measured the prediction does not cover, see `holds`."""
    return [
        name
        for name in measured
        if not holds(predicted[name]["cycles"], measured[name]["cycles"], len(measured))
    ]


def _plus_minus(spread: Spread) -> str:
    return f"{spread.mean:,.0f} ± {spread.deviation:,.1f}"


def _range(spread: Spread) -> str:
    return f"{spread.low:,.0f} to {spread.high:,.0f}"


def render_spreads(predicted: Spreads, title: str) -> Group:
    """Cycles of each row, and waits by cause of all together, predicted for many seeds.

    Parameters
    ----------
    predicted : dict of str to dict of str to mnv2.sim.prediction.distribution.Spread
        See `mnv2.sim.prediction.distribution.column_spreads`.
    title : str

    Returns
    -------
    rich.console.Group
    """
    rows = new_table(
        title, "layer", "predicted cycles,\nmean ± deviation", "5 to 95 %", "deviation/\nmean"
    )
    for name, spreads in predicted.items():
        if name == "total":
            rows.add_section()
        cycles = spreads["cycles"]
        rows.add_row(
            name,
            _plus_minus(cycles),
            _range(cycles),
            f"{cycles.deviation / cycles.mean:.2%}",
            style="bold" if name == "total" else None,
        )
    causes = new_table(
        "Cycles of the frame by cause, predicted",
        "cause",
        "cycles,\nmean ± deviation",
        "5 to 95 %",
    )
    for name, spread in predicted["total"].items():
        if name.startswith("wait") and spread.mean:
            causes.add_row(name, _plus_minus(spread), _range(spread))
    return Group(rows, "", causes)


def render_seeds(comparison: SeedComparison) -> Group:
    """Predicted and measured distributions of each row's cycles, and of the frame's waits.

    Parameters
    ----------
    comparison : SeedComparison

    Returns
    -------
    rich.console.Group
    """
    predicted, measured = comparison.predicted, comparison.measured
    count, draws = len(comparison.seeds), len(comparison.draws)
    missed = outside(predicted, measured)
    unequal = [run.differences() for run in comparison.comparisons]
    table = new_table(
        f"The model against the RTL, {count} seeds measured and {draws} others predicted",
        "layer",
        "predicted cycles,\nmean ± deviation",
        "predicted,\n5 to 95 %",
        "measured cycles,\nmean ± deviation",
        "measured,\nleast to most",
        "means\ndiffer",
        "covered",
        "seeds\nequal",
    )
    rows = [[row.cycles for row in one.measured] for one in comparison.comparisons]
    extremes = [
        *zip(map(min, zip(*rows, strict=True)), map(max, zip(*rows, strict=True)), strict=True),
        (min(map(sum, rows)), max(map(sum, rows))),
    ]
    for (name, spreads), (least, most) in zip(predicted.items(), extremes, strict=True):
        total = name == "total"
        if total:
            table.add_section()
        one, other = spreads["cycles"], measured[name]["cycles"]
        same = sum(not found if total else name not in found for found in unequal)
        table.add_row(
            name,
            _plus_minus(one),
            _range(one),
            _plus_minus(other),
            f"{least:,} to {most:,}",
            f"{one.mean / other.mean - 1:+.3%}" if one.mean != other.mean else "0",
            Text("no", style="red") if name in missed else Text("yes", style="green"),
            Text(f"{same} of {count}", style="green" if same == count else "red"),
            style="bold" if total else None,
        )
    causes = new_table(
        "Why the array waits, whole frame",
        "cause",
        "predicted cycles,\nmean ± deviation",
        "predicted,\n5 to 95 %",
        "measured cycles,\nmean ± deviation",
    )
    for name, spread in predicted["total"].items():
        other = measured["total"][name]
        if name.startswith("wait") and (spread.mean or other.mean):
            causes.add_row(name, _plus_minus(spread), _range(spread), _plus_minus(other))
    notes = [equality_text(comparison.comparisons)]
    for seed, run in zip(comparison.seeds, comparison.comparisons, strict=True):
        notes += difference_texts(run, f"seed {seed}, ")
    if missed:
        notes.append(
            Text(
                f"Outside the predicted interval of the mean: {', '.join(missed)}.",
                style="bold red",
            )
        )
    else:
        notes.append(
            Text(
                f"Every mean measured lies in the predicted interval ({CONFIDENCE:.0%} for all "
                f"{len(measured)} together, Student's, from {draws} draws with other seeds).",
                style="bold green",
            )
        )
    return Group(
        table, "", causes, "", *notes, "", published_table(cycle_pairs(comparison.comparisons))
    )


def spread_records(predicted: Spreads, measured: Spreads | None = None) -> list[dict[str, Any]]:
    """Make a plain row for each figure of each row: predicted and, if there is one, measured."""
    records = []
    for name, spreads in predicted.items():
        for figure, spread in spreads.items():
            record = {
                "name": name,
                "figure": figure.replace(" ", "_"),
                **{f"predicted.{key}": value for key, value in vars(spread).items()},
            }
            if measured:
                other = measured[name][figure]
                record |= {f"measured.{key}": value for key, value in vars(other).items()}
                record["difference.mean"] = spread.mean - other.mean
                record["covered"] = holds(spread, other, len(measured))
            records.append(record)
    return records


def write_seeds(comparison: SeedComparison, folder: Path, **made_with: Any) -> None:
    """Write ``report.json``, ``report.csv`` and ``validate.png``.

    Parameters
    ----------
    comparison : SeedComparison
    folder : Path
    made_with
        Further keys of the JSON.
    """
    from mnv2.sim.prediction.distribution_plots import draw_seeds

    predicted, measured = comparison.predicted, comparison.measured
    records = spread_records(predicted, measured)
    write_json(
        folder / "report.json",
        {
            "mode": "validate",
            **made_with,
            "equal": comparison.equal,
            "covered": not outside(predicted, measured),
            "confidence": CONFIDENCE,
            "draws": len(comparison.draws),
            "published": published_records(),
            "spreads": records,
            "runs": [
                {
                    "seed": seed,
                    "equal": not one.differences(),
                    "layers": list(comparison_records(one)),
                }
                for seed, one in zip(comparison.seeds, comparison.comparisons, strict=True)
            ],
        },
    )
    write_csv(records, folder)
    draw_seeds(comparison).savefig(folder / "validate.png", dpi=120)
