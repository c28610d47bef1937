"""Comparison of predicted with measured figures, row by row."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from mnv2.golden.network import Network
from mnv2.golden.summary import short_repr
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cycles.predict import PredictedLayer
from mnv2.sim.jobs.files import write_json
from mnv2.sim.prediction.figures import figures
from mnv2.sim.prediction.published import published_records, published_table
from mnv2.sim.report.results import LayerResult
from mnv2.sim.report.systolic_formula import estimate_layers
from mnv2.sim.report.wide_table import new_table

__all__ = [
    "LayerComparison",
    "compare_layers",
    "comparison_records",
    "cycle_pairs",
    "difference_texts",
    "equality_text",
    "formula_terms",
    "render_layers",
    "write_layers",
    "write_csv",
]


@dataclass(frozen=True)
class LayerComparison:
    """A prediction and a run of the same network on the same accelerator.

    Attributes
    ----------
    predicted : tuple of PredictedLayer
    measured : tuple of LayerResult
        The same rows.
    scale_sim : tuple of int
        Cycles that SCALE-Sim's formula gives each row.
    array : tuple of int
        Rows and columns of its array.
    abreast : int
        Frames that are computed together, which the formula's array takes one after another.
    """

    __repr__ = short_repr

    predicted: tuple[PredictedLayer, ...]
    measured: tuple[LayerResult, ...]
    scale_sim: tuple[int, ...]
    array: tuple[int, int]
    abreast: int = 1

    @property
    def equal(self) -> bool:
        """Whether every figure of every row is equal."""
        return not self.differences()

    def differences(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Find the rows that are not equal.

        Returns
        -------
        dict of str to dict of str to (int, int)
            By the name of the row and of the figure: predicted and measured.
        """
        unequal = {}
        for one, other in zip(self.predicted, self.measured, strict=True):
            pairs = zip(figures(one).items(), figures(other).values(), strict=True)
            found = {
                name: (value, measured) for (name, value), measured in pairs if value != measured
            }
            if found:
                unequal[one.name] = found
        return unequal


def compare_layers(
    network: Network,
    config: AcceleratorConfig,
    predicted: Sequence[PredictedLayer],
    measured: Sequence[LayerResult],
) -> LayerComparison:
    """Compare a network's prediction with its run.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    predicted : sequence of PredictedLayer
    measured : sequence of LayerResult

    Returns
    -------
    LayerComparison
        SCALE-Sim's array makes as many products a cycle: input lanes, pixels and frames abreast
        are its rows.

    Raises
    ------
    ValueError
        If the rows are not the same.
    """
    names = [row.name for row in predicted]
    if names != [row.name for row in measured]:
        raise ValueError(f"The measured rows must be {', '.join(names)}")
    computed = estimate_layers(network.rows, config)
    return LayerComparison(
        tuple(predicted),
        tuple(measured),
        tuple(computed.cycles[name] for name in names),
        computed.array,
        config.frames,
    )


def formula_terms(comparison: LayerComparison) -> str:
    """Write SCALE-Sim's formula with the sizes of its array."""
    height, width = comparison.array
    frames = "" if comparison.abreast == 1 else f" and each of {comparison.abreast} frames"
    return (
        f"ceil(C*R*S / {height}) * ceil(K / {width}) * (pixels + {2 * height} + {width} - 2) - 1 "
        f"for each layer{frames}"
    )


def _share(difference, of):
    return f"{difference / of:+.2%}" if difference else "0"


def render_layers(
    comparison: LayerComparison, *, title: str = "The model against the RTL"
) -> Group:
    """Render predicted, measured and difference of each row, and the published errors of others.

    Parameters
    ----------
    comparison : LayerComparison
    title : str

    Returns
    -------
    rich.console.Group
    """
    unequal = comparison.differences()
    height, width = comparison.array
    table = new_table(
        title,
        "layer",
        "predicted\ncycles",
        "measured\ncycles",
        "diffe-\nrence",
        "",
        "predicted\nDRAM bytes",
        "measured\nDRAM bytes",
        "diffe-\nrence",
        "figures\nnot equal",
        "SCALE-Sim\ncycles*",
        "",
    )
    rows = list(zip(comparison.predicted, comparison.measured, comparison.scale_sim, strict=True))
    sums = [
        sum(column)
        for column in zip(
            *(
                (one.cycles, other.cycles, one.dram_bytes, other.dram_bytes, formula)
                for one, other, formula in rows
            ),
            strict=True,
        )
    ]
    lines = [
        (
            one.name,
            one.cycles,
            other.cycles,
            one.dram_bytes,
            other.dram_bytes,
            formula,
            len(unequal.get(one.name, ())),
        )
        for one, other, formula in rows
    ]
    lines.append(("total", *sums, sum(map(len, unequal.values()))))
    for name, cycles, measured, moved, moved_measured, formula, count in lines:
        if name == "total":
            table.add_section()
        table.add_row(
            name,
            f"{cycles:,}",
            f"{measured:,}",
            f"{cycles - measured:+,}" if cycles != measured else "0",
            _share(cycles - measured, measured),
            f"{moved:,}",
            f"{moved_measured:,}",
            f"{moved - moved_measured:+,}" if moved != moved_measured else "0",
            Text(str(count), style="red" if count else "green"),
            f"{formula:,}",
            _share(formula - measured, measured),
            style="bold" if name == "total" else None,
        )
    table.caption = (
        f"* computed: {height} x {width}, weight-stationary, no waits: {formula_terms(comparison)}"
    )
    return Group(
        table,
        "",
        published_table(cycle_pairs([comparison])),
        "",
        *difference_texts(comparison),
        equality_text([comparison]),
    )


def cycle_pairs(comparisons: Iterable[LayerComparison]) -> list[tuple[int, int]]:
    """List the cycles predicted and measured of every row of all."""
    return [
        (one.cycles, other.cycles)
        for comparison in comparisons
        for one, other in zip(comparison.predicted, comparison.measured, strict=True)
    ]


def equality_text(comparisons: Sequence[LayerComparison]) -> Text:
    """Count the figures that are not equal, in one line, green or red."""
    wrong = sum(len(found) for one in comparisons for found in one.differences().values())
    compared = sum(len(figures(row)) for one in comparisons for row in one.measured)
    if wrong:
        return Text(f"{wrong:,} of {compared:,} figures are not equal.", style="bold red")
    return Text(
        f"All {compared:,} figures are equal: cycles, work and waits by cause, bytes by kind.",
        style="bold green",
    )


def difference_texts(comparison: LayerComparison, where: str = "") -> list[Text]:
    """Make a line for each row that is not equal, which begins with ``where``."""
    return [
        Text(
            f"{where}{name}: "
            + "; ".join(
                f"{figure} {value:,} predicted, {measured:,} measured"
                for figure, (value, measured) in found.items()
            )
        )
        for name, found in comparison.differences().items()
    ]


def comparison_records(comparison: LayerComparison) -> Iterator[dict[str, Any]]:
    """Make plain rows: each figure predicted, measured and their difference."""
    for one, other, formula in zip(
        comparison.predicted, comparison.measured, comparison.scale_sim, strict=True
    ):
        row: dict[str, Any] = {"name": one.name}
        for name, value in figures(one).items():
            key, measured = name.replace(" ", "_"), figures(other)[name]
            row |= {
                f"predicted.{key}": value,
                f"measured.{key}": measured,
                f"difference.{key}": value - measured,
            }
        yield {**row, "computed_scale_sim_cycles": formula}


def write_layers(comparison: LayerComparison, folder: Path, **made_with: Any) -> None:
    """Write ``report.json``, ``report.csv`` and ``validate.png``.

    Parameters
    ----------
    comparison : LayerComparison
    folder : Path
    made_with
        Further keys of the JSON.
    """
    from mnv2.sim.prediction.comparison_plots import draw_comparison

    rows = list(comparison_records(comparison))
    write_json(
        folder / "report.json",
        {
            "mode": "validate",
            **made_with,
            "computed_scale_sim_array": list(comparison.array),
            "equal": not comparison.differences(),
            "published": published_records(),
            "layers": rows,
        },
    )
    write_csv(rows, folder)
    draw_comparison(comparison).savefig(folder / "validate.png", dpi=120)


def write_csv(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write ``report.csv``, whose columns are the keys of the first row."""
    with (folder / "report.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
