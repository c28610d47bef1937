"""Figures of a sweep: accuracy over bits in panels, noise by layer."""

from types import SimpleNamespace

from mnv2.sim.page.kit.figure import add_figure, axis, make_plot
from mnv2.sim.page.kit.markup import Markup, element, join, plot_text
from mnv2.sim.report.colors import MUTED
from mnv2.sim.report.names import short_name
from mnv2.sim.sweep.grid import varied_axes, way_words
from mnv2.sim.sweep.sweep_series import HEAT_DB, WIDTH_COLORS, heat_points, intervals, panels

__all__ = ["add_heat", "add_panels", "layers_plot"]

SCRIPT = "choice.js"


def add_panels(page, results, points, measures):
    """Panels of accuracy over weight bits, one for each method of quantisation.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    results : mnv2.sim.sweep.sweep_records.SweepResults
    points : list of Point
        Those with figures.
    measures : list of (str, str, bool)
        Name, words, whether it is a share; the reader chooses one.

    Returns
    -------
    Markup
    """
    shown = panels(points)
    varied = varied_axes([group[0] for group in shown.values()])
    choices: list[Markup] = []
    parts: list[Markup] = []
    for name, words, share in measures:
        ends = _ends(results, shown, name, share)
        figures = []
        for number, group in enumerate(shown.values()):
            title = ", ".join(way_words(group[0], varied)) or "all formats"
            plot = _panel(results, group, name, words, share, ends)
            figures.append(_panel_frame(page, f"{name}-{number}", title, plot))
        choices.append(element("option", words, value=name))
        parts.append(
            element(
                "div",
                *figures,
                class_="panels",
                data_part="accuracy",
                data_choice=name,
                hidden=bool(parts),
            )
        )
    page.scripts = (*page.scripts, SCRIPT)
    widths = sorted({point.activation_bits for group in shown.values() for point in group})
    colors = [
        element(
            "li",
            element("i", style=f"background:{WIDTH_COLORS.get(width, MUTED)}"),
            f"{width}-bit activations",
        )
        for width in widths
    ]
    return join(
        [
            element(
                "p",
                f"{len(results.prepared.pictures):,} pictures, measured. Error bars are Wilson "
                "intervals of one standard error; for decibels and cosines, one standard error. "
                "The dashed line is the float network.",
                class_="explain",
            ),
            element(
                "div",
                element("label", "measure ", element("select", *choices, data_shows="accuracy")),
                class_="controls",
            ),
            element("ul", *colors, class_="legend key", aria_label="Series"),
            *parts,
        ]
    )


def _panel_frame(page, name, title, plot):
    page.figures[name] = plot
    label = f"figure-{name}"
    return element(
        "figure",
        element("h3", title, id=label),
        element("div", class_="plot", data_figure=name, role="img", aria_labelledby=label),
    )


def _ends(results, shown, name, share):
    """Range that all panels of a measure share."""
    if share:
        return 0, 1.04
    values = [
        results.figures[point][name]
        for group in shown.values()
        for point in group
        if results.figures[point].get(name) is not None
    ]
    room = 0.05 * (max(values) - min(values)) or 0.05
    return min(values) - room, max(values) + room


def _panel(results, group, name, words, share, ends):
    """Lines of one method of quantisation, one for each activation width."""
    widths = sorted({point.activation_bits for point in group})
    traces = []
    for place, width in enumerate(widths):
        line = [
            point
            for point in group
            if point.activation_bits == width and results.figures[point].get(name) is not None
        ]
        if not line:
            continue
        values = [results.figures[point][name] for point in line]
        if share:
            below, above = map(list, zip(*intervals(results, line, name), strict=True))
        else:
            below = above = [
                results.figures[point][f"{name}_standard_error"] or 0 for point in line
            ]
        # Shifted a little, so that error bars do not hide each other.
        offset = 0.05 * (place - (len(widths) - 1) / 2)
        color = WIDTH_COLORS.get(width, MUTED)
        number = "%{y:.1%}" if share else "%{y:.3f}" if name == "cosine" else "%{y:.1f}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{width}-bit activations",
                "x": [point.weight_bits + offset for point in line],
                "y": values,
                "text": [plot_text(point.name) for point in line],
                "line": {"color": color, "width": 1.8},
                "marker": {"color": color, "size": 6},
                "error_y": {
                    "type": "data",
                    "array": above,
                    "arrayminus": below,
                    "symmetric": False,
                    "thickness": 1,
                    "width": 2,
                    "color": color,
                },
                "hovertemplate": f"%{{text}}<br>{words}: {number}, "
                "−%{error_y.arrayminus:.3f} +%{error_y.array:.3f}<extra></extra>",
            }
        )
    shapes = []
    if name in results.reference:
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": results.reference[name],
                "y1": results.reference[name],
                "line": {"dash": "dash", "width": 1, "color": MUTED},
            }
        )
    return make_plot(
        traces,
        height=270,
        hovermode="closest",
        shapes=shapes,
        margin={"t": 10, "l": 44, "r": 10},
        xaxis=axis("bits of a weight", dtick=1),
        yaxis=axis(words if not share else "", range=list(ends), tickformat=".0%" if share else ""),
    )


def layers_plot(layers, color):
    """Bars of the signal to quantisation noise ratio after each block of one format.

    Parameters
    ----------
    layers : dict of str to dict
        ``sqnr_db`` and ``sqnr_db_standard_error`` by tensor.
    color : str
    """
    trace = {
        "type": "bar",
        "x": _layer_names(layers),
        "y": [figures["sqnr_db"] for figures in layers.values()],
        "marker": {"color": color, "line": {"width": 0}},
        "error_y": {
            "type": "data",
            "thickness": 1,
            "width": 2,
            "color": MUTED,
            "array": [figures["sqnr_db_standard_error"] for figures in layers.values()],
        },
        "hovertemplate": "%{x}: %{y:.1f} dB ± %{error_y.array:.1f}<extra></extra>",
    }
    return make_plot(
        [trace],
        height=260,
        xaxis=axis("B: output of a bottleneck", type="category"),
        yaxis=axis("SQNR, dB (measured)"),
    )


def _layer_names(layers):
    return [plot_text(short_name(SimpleNamespace(name=layer.split(".")[0]))) for layer in layers]


def add_heat(page, results, points):
    """Noise of every layer of many formats, as colours; hover to read the numbers."""
    chosen = heat_points(points)
    chosen = [point for point in chosen if results.figures[point].get("layers")]
    if not chosen:
        return element("p", "No layers were compared.", class_="note")
    layers = list(results.figures[chosen[0]]["layers"])
    values = [
        [results.figures[point]["layers"][layer]["sqnr_db"] for layer in layers] for point in chosen
    ]
    names = [plot_text(point.name) for point in chosen]
    # One row for each format, even if two have the same name.
    trace = {
        "type": "heatmap",
        "x": _layer_names(layers),
        "y": list(range(len(chosen))),
        "z": values,
        "customdata": [[name] * len(layers) for name in names],
        "colorscale": "Viridis",
        "zmin": HEAT_DB[0],
        "zmax": HEAT_DB[1],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": "dB"}, "thickness": 12, "len": 0.6},
        "hovertemplate": "%{customdata}<br>%{x}: %{z:.1f} dB<extra></extra>",
    }
    plot = make_plot(
        [trace],
        height=110 + 20 * len(chosen),
        narrow_height=110 + 9 * len(chosen),
        # There is no room for names; hover shows them.
        narrow={"yaxis": {"showticklabels": False}},
        margin={"l": 10},
        xaxis=axis("B: output of a bottleneck", type="category"),
        yaxis={
            "autorange": "reversed",
            "tickvals": list(range(len(chosen))),
            "ticktext": names,
            "tickfont": {"size": 10},
            "showgrid": False,
        },
    )
    return add_figure(
        page,
        "heat",
        "Signal to quantisation noise after each block, dB",
        "Compared with the float network, mean over the pictures, measured. Formats with the "
        "widest activations and the widest weights of each method of quantisation.",
        plot,
        legend=False,
    )
