"""Reports side by side as a picture: cycles and bytes of each layer, and what each waits for."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mnv2.sim.comparison.comparison import ReportComparison
from mnv2.sim.report.colors import INK, STYLE

__all__ = ["SUBJECT_COLORS", "draw_comparison", "short_row"]

#: Colours of the reports, in order; colour-blind safe (Okabe and Ito, 2008).
SUBJECT_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#6FC1EE", "#882255")


def short_row(name: str) -> str:
    """``B3`` for ``block3``, as in other figures."""
    return {"classifier": "class."}.get(name, name.replace("block", "B"))


@matplotlib.rc_context(STYLE)
def draw_comparison(comparison: ReportComparison) -> Figure:
    """Bars of each layer's cycles and bytes, a colour for each report; hatched: it waits.

    Parameters
    ----------
    comparison : mnv2.sim.comparison.comparison.ReportComparison

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(13, 8), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    count = len(comparison.subjects)
    width = 0.8 / count
    for number, subject in enumerate(comparison.subjects):
        color = SUBJECT_COLORS[number % len(SUBJECT_COLORS)]
        shown = [
            (place + (number - (count - 1) / 2) * width, subject.rows[name])
            for place, name in enumerate(comparison.rows)
            if name in subject.rows
        ]
        places = [place for place, _ in shown]
        busy = [row["busy_cycles"] for _, row in shown]
        waits = [row["cycles"] - row["busy_cycles"] for _, row in shown]
        total = subject.total
        label = f"{subject.name}: {total['cycles']:,} cycles, {subject.source}"
        upper.bar(places, busy, width=0.92 * width, color=color, label=label)
        upper.bar(
            places,
            waits,
            bottom=busy,
            width=0.92 * width,
            facecolor="white",
            edgecolor=color,
            linewidth=1,
        )
        lower.bar(
            places,
            [row["dram_bytes"] for _, row in shown],
            width=0.92 * width,
            color=color,
            label=f"{subject.name}: {total['dram_bytes']:,} bytes",
        )
    upper.set_ylabel("clock cycles; white: the array waits")
    lower.set_ylabel("bytes of external memory")
    lower.set_xticks(range(len(comparison.rows)), [short_row(name) for name in comparison.rows])
    lower.set_xlabel("layer; B: bottleneck", color=INK)
    for axes, title in ((upper, "Cycles by layer"), (lower, "External memory by layer")):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(True, axis="y")
        axes.set_xlim(-0.7, len(comparison.rows) - 0.3)
        columns = 2 if count > 1 else 1
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
        axes.set_title(title, pad=10 + 17 * -(-count // columns))
    return figure
