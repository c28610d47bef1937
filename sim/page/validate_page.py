"""The page of `mnv2 validate`: predicted next to measured, never in one column."""

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.page.kit.figure import add_figure, axis, make_plot, plain_hover
from mnv2.sim.page.kit.made_with import add_made_with, tiles
from mnv2.sim.page.kit.markup import element, plot_text
from mnv2.sim.page.kit.page import Page
from mnv2.sim.page.kit.table import Column, Note, count, difference, signed, table
from mnv2.sim.page.run_figures import MARK
from mnv2.sim.page.several_runs import add_frames, add_seeds
from mnv2.sim.prediction.figures import figures
from mnv2.sim.prediction.frames import FrameComparison
from mnv2.sim.prediction.layers import formula_terms
from mnv2.sim.prediction.seeds import SeedComparison
from mnv2.sim.report.colors import DEPTHWISE_COLOR, POINTWISE_COLOR, STALL_COLORS
from mnv2.sim.report.names import short_name

__all__ = ["validate_page"]


def validate_page(comparison, about, command=""):
    """Page of a comparison.

    Parameters
    ----------
    comparison : Comparison, FrameComparison or SeedComparison
        Of `mnv2.sim.prediction.layers`, `mnv2.sim.prediction.frames` and
        `mnv2.sim.prediction.seeds`. Of several frames the usual one is shown layer by layer, of
        several seeds the first.
    about : dict
        Provenance, see `mnv2.sim.prediction.measure.made_with`.
    command : str
        The command line that reproduces it.

    Returns
    -------
    Page
    """
    runs, shown, name = _runs(comparison)
    rows = _rows(shown)
    total = _total(rows)
    unequal = sum(len(found) for run in runs for found in run.differences().values())
    compared = len(runs) * len(rows) * len(figures(shown.measured[0]))
    lead = (
        f"{unequal:,} of {compared:,} figures differ."
        if unequal
        else f"All {compared:,} figures are equal: cycles, work and waits by cause, bytes by kind."
    )
    late, ends_of = 0, "frames" if shown.abreast == 1 else "pairs of frames"
    if isinstance(comparison, FrameComparison):
        late = sum(
            one != other
            for one, other in zip(comparison.predicted_ends, comparison.measured_ends, strict=True)
        )
    if late:
        lead += f" {late:,} of {len(runs):,} {ends_of} end in another cycle."
    page = Page("Cycle model compared with the RTL", lead)
    differences = total["predicted"] - total["measured"]
    ends = (
        [(f"{late:,}", f"of {len(runs):,} {ends_of} end in another cycle", "bad")] if late else []
    )
    page.sections.append(
        element(
            "section",
            tiles(
                [
                    (f"{total['predicted']:,}", f"cycles predicted{name}"),
                    (f"{total['measured']:,}", f"cycles measured in RTL{name}"),
                    (
                        signed(differences),
                        "cycles predicted minus measured",
                        "bad" if differences else "good",
                    ),
                    (
                        f"{unequal:,}",
                        f"of {compared:,} figures differ",
                        "bad" if unequal else "good",
                    ),
                    *ends,
                ]
            ),
        )
    )
    height, width = shown.array
    formula = (
        f"SCALE-Sim's formula, {height} x {width}, weight-stationary, without "
        "waits, is computed for comparison."
    )
    page.add(
        "comparison",
        f"Predicted and measured{name}",
        add_figure(
            page,
            "comparison",
            "Cycles of each layer, predicted and measured",
            formula,
            _comparison_plot(shown),
        ),
        add_figure(
            page,
            "differences",
            "Predicted minus measured, cycles and bytes of DRAM",
            "Equal figures are on the zero line.",
            _differences_plot(shown),
        ),
        table(
            "layers",
            "Layer by layer",
            _columns(),
            rows,
            total=total,
            note=f"{formula} {formula_terms(shown)}. Shares are of the measured figures.",
        ),
        element(
            "details",
            element("summary", "All figures"),
            table("figures", "Figure by figure", _figure_columns(), list(_every_figure(shown))),
        ),
    )
    if isinstance(comparison, FrameComparison):
        add_frames(page, comparison)
    elif isinstance(comparison, SeedComparison):
        add_seeds(page, comparison)
    add_made_with(
        page,
        command=command,
        items={
            "image": about["image"],
            "second image": about.get("second_image", ""),
            "model": about["model"],
            "preparation": about.get("preparation", ""),
        },
        on_chip=AcceleratorConfig(**about["configuration"]).buffer_bytes,
        configuration=about["configuration"],
        memory=about["memory"],
        versions=about["versions"],
        commit=about["commit"],
    )
    return page


def _runs(comparison):
    """All layer by layer comparisons, the one that is shown, and its name in headings."""
    if isinstance(comparison, FrameComparison):
        usual = comparison.usual
        return comparison.comparisons, comparison.comparisons[usual], f", {comparison.names[usual]}"
    if isinstance(comparison, SeedComparison):
        return comparison.comparisons, comparison.comparisons[0], f", seed {comparison.seeds[0]}"
    return (comparison,), comparison, ""


def _rows(comparison):
    unequal = comparison.differences()
    return [
        {
            "name": one.name,
            "predicted": one.cycles,
            "measured": other.cycles,
            "predicted_bytes": one.dram_bytes,
            "measured_bytes": other.dram_bytes,
            "scale_sim": formula,
            "unequal": len(unequal.get(one.name, ())),
        }
        for one, other, formula in zip(
            comparison.predicted, comparison.measured, comparison.scale_sim, strict=True
        )
    ]


def _total(rows):
    return {key: "total" if key == "name" else sum(row[key] for row in rows) for key in rows[0]}


def _share(one, other):
    """Make a function of a row: the difference as a share of the measured figure."""

    def share(row):
        return (row[one] - row[other]) / row[other] if row[other] else None

    return share


def _percent(value):
    return "" if value is None else "0" if not value else f"{value:+.2%}"


def _columns():
    def of(key):
        return lambda row: row[key]

    return [
        Column("layer", of("name")),
        Column("predicted cycles", of("predicted"), count),
        Column("measured cycles", of("measured"), count),
        Column("difference, cycles", difference("predicted", "measured"), signed),
        Column("difference, share", _share("predicted", "measured"), _percent),
        Column("predicted DRAM bytes", of("predicted_bytes"), count),
        Column("measured DRAM bytes", of("measured_bytes"), count),
        Column("difference, bytes", difference("predicted_bytes", "measured_bytes"), signed),
        Column(
            "figures that differ",
            lambda row: Note(
                row["unequal"], count(row["unequal"]), "bad" if row["unequal"] else "good"
            ),
            count,
        ),
        Column("SCALE-Sim cycles (computed)", of("scale_sim"), count),
        Column("SCALE-Sim minus measured", _share("scale_sim", "measured"), _percent),
    ]


def _every_figure(comparison):
    for one, other in zip(comparison.predicted, comparison.measured, strict=True):
        measured = figures(other)
        for name, value in figures(one).items():
            yield {"name": one.name, "figure": name, "predicted": value, "measured": measured[name]}


def _figure_columns():
    return [
        Column("layer", lambda row: row["name"]),
        Column("figure", lambda row: row["figure"]),
        Column("predicted", lambda row: row["predicted"], count),
        Column("measured", lambda row: row["measured"], count),
        Column("difference", difference("predicted", "measured"), signed),
    ]


def _comparison_plot(comparison):
    names = [plot_text(short_name(row)) for row in comparison.measured]
    traces = [
        {
            "type": "bar",
            "name": label,
            "x": names,
            "y": [row.cycles for row in rows],
            "marker": {"color": color, "line": {"width": 0}},
            "hovertemplate": plain_hover(label, unit="cycles"),
        }
        for label, rows, color in (
            ("predicted by the model", comparison.predicted, DEPTHWISE_COLOR),
            ("measured in RTL", comparison.measured, POINTWISE_COLOR),
        )
    ]
    height, width = comparison.array
    label = f"SCALE-Sim's formula, {height} x {width} (computed)"
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": label,
            "x": names,
            "y": list(comparison.scale_sim),
            "marker": MARK,
            "hovertemplate": plain_hover(label, unit="cycles"),
        }
    )
    return make_plot(
        traces,
        height=420,
        narrow_height=380,
        barmode="group",
        hovermode="x unified",
        margin={"l": 72},
        xaxis=axis("B: bottleneck", type="category"),
        yaxis=axis("clock cycles", tickformat=",d"),
    )


def _differences_plot(comparison):
    names = [plot_text(short_name(row)) for row in comparison.measured]
    pairs = list(zip(comparison.predicted, comparison.measured, strict=True))
    series = (
        (
            "cycles",
            [one.cycles - other.cycles for one, other in pairs],
            "circle",
            STALL_COLORS["weights"],
        ),
        (
            "bytes of DRAM",
            [one.dram_bytes - other.dram_bytes for one, other in pairs],
            "x",
            STALL_COLORS["activations"],
        ),
    )
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": names,
            "y": values,
            "marker": {"symbol": symbol, "color": color, "size": 9},
            "hovertemplate": f"{name}: %{{y:+,d}}<extra></extra>",
        }
        for name, values, symbol, color in series
    ]
    equal = not any(any(values) for _, values, *_ in series)
    scale = {"range": [-1, 1], "dtick": 1} if equal else {}
    return make_plot(
        traces,
        height=240,
        hovermode="x unified",
        margin={"l": 72},
        xaxis=axis("B: bottleneck", type="category"),
        yaxis=axis("predicted minus measured", tickformat=",d", **scale),
    )
