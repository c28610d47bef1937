"""Sections of a validation of several frames, or of several seeds of pauses."""

from mnv2.sim.page.kit.figure import add_figure, axis, make_plot
from mnv2.sim.page.kit.markup import plot_text
from mnv2.sim.page.kit.table import Column, Note, count, decimal, difference, signed, table
from mnv2.sim.report.colors import DEPTHWISE_COLOR, POINTWISE_COLOR
from mnv2.sim.report.names import short_name

__all__ = ["add_frames", "add_seeds"]


def add_frames(page, comparison):
    """Add a section on back-to-back frames.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    comparison : mnv2.sim.prediction.frames.FrameComparison
    """
    rows, before = [], (0, 0)
    for name, predicted, measured, one in zip(
        comparison.names,
        comparison.predicted_ends,
        comparison.measured_ends,
        comparison.comparisons,
        strict=True,
    ):
        rows.append(
            {
                "frame": name.partition(" ")[2],
                "predicted_end": predicted,
                "measured_end": measured,
                "predicted": predicted - before[0],
                "measured": measured - before[1],
                "unequal": sum(map(len, one.differences().values())),
            }
        )
        before = predicted, measured
    columns = [
        Column("frame", lambda row: row["frame"]),
        Column("end of the frame, predicted cycle", lambda row: row["predicted_end"], count),
        Column("end of the frame, measured cycle", lambda row: row["measured_end"], count),
        Column("predicted interval, cycles", lambda row: row["predicted"], count),
        Column("measured interval, cycles", lambda row: row["measured"], count),
        Column("difference, cycles", difference("predicted", "measured"), signed),
        Column(
            "figures that differ",
            lambda row: Note(
                row["unequal"], count(row["unequal"]), "bad" if row["unequal"] else "good"
            ),
            count,
        ),
    ]
    page.add(
        "frames",
        "Back-to-back frames",
        table("frames-table", "Frame by frame", columns, rows),
    )


def add_seeds(page, comparison):
    """Add a section on the distributions of the cycles of each layer under random pauses.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    comparison : mnv2.sim.prediction.seeds.SeedComparison
    """
    predicted, measured = comparison.predicted, comparison.measured
    rows = [
        {"name": name, "one": spreads["cycles"], "other": measured[name]["cycles"]}
        for name, spreads in predicted.items()
    ]
    columns = [
        Column("layer", lambda row: row["name"]),
        Column("predicted cycles, mean", lambda row: row["one"].mean, count),
        Column("predicted, deviation", lambda row: row["one"].deviation, decimal(1)),
        Column("predicted, 5 %", lambda row: row["one"].low, count),
        Column("predicted, 95 %", lambda row: row["one"].high, count),
        Column("measured cycles, mean", lambda row: row["other"].mean, count),
        Column("measured, deviation", lambda row: row["other"].deviation, decimal(1)),
    ]
    seeds, draws = len(comparison.seeds), len(comparison.draws)
    same = sum(not one.differences() for one in comparison.comparisons)
    page.add(
        "seeds",
        "Memory with random pauses",
        add_figure(
            page,
            "seeds",
            "Cycles of each layer minus the predicted mean",
            f"The bars hold 90 % of {draws} predictions with other seeds; each mark is one "
            f"of {seeds} runs in RTL, of which {same} equal the prediction with their own "
            "seed.",
            _seeds_plot(comparison, predicted),
        ),
        table(
            "seeds-table",
            f"{draws} predictions and {seeds} runs",
            columns,
            rows[:-1],
            total=rows[-1],
        ),
    )


def _seeds_plot(comparison, predicted):
    layers = comparison.comparisons[0].measured
    names = [plot_text(short_name(row)) for row in layers]
    spreads = [predicted[row.name]["cycles"] for row in layers]
    bars = {
        "type": "bar",
        "name": "predicted, 5 to 95 %",
        "x": names,
        "base": [spread.low - spread.mean for spread in spreads],
        "y": [spread.high - spread.low for spread in spreads],
        "customdata": [[spread.low, spread.high, spread.mean] for spread in spreads],
        "marker": {"color": DEPTHWISE_COLOR, "line": {"width": 0}},
        "hovertemplate": "predicted: %{customdata[0]:,.0f} to %{customdata[1]:,.0f} cycles, mean "
        "%{customdata[2]:,.0f}<extra></extra>",
    }
    runs = [
        (name, row.cycles, row.cycles - spread.mean, seed)
        for seed, one in zip(comparison.seeds, comparison.comparisons, strict=True)
        for name, row, spread in zip(names, one.measured, spreads, strict=True)
    ]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": "measured in RTL",
        "x": [name for name, *_ in runs],
        "y": [off for _, _, off, _ in runs],
        "customdata": [[cycles, seed] for _, cycles, _, seed in runs],
        "marker": {
            "symbol": "line-ew-open",
            "size": 11,
            "color": POINTWISE_COLOR,
            "line": {"width": 2},
        },
        "hovertemplate": "measured, seed %{customdata[1]}: %{customdata[0]:,d} cycles"
        "<extra></extra>",
    }
    return make_plot(
        [bars, marks],
        height=380,
        barmode="overlay",
        margin={"l": 72},
        xaxis=axis("B: bottleneck", type="category"),
        yaxis=axis("cycles minus the predicted mean", tickformat=",d"),
    )
