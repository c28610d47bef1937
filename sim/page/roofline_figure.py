"""The figure of the roofline: each layer's MACs a cycle over its MACs a byte."""

from math import log, log10

from mnv2.sim.page.kit.figure import axis, make_plot
from mnv2.sim.page.kit.markup import plot_text
from mnv2.sim.report.colors import INK, MUTED, POINTWISE_COLOR, STALL_COLORS
from mnv2.sim.report.label_placement import shared_labels
from mnv2.sim.report.names import short_name
from mnv2.sim.report.run_series import roofline

__all__ = ["roofline_plot"]

#: Width and height of a roofline on a wide screen, to find labels that would overlap.
ROOFLINE_PIXELS = (1050, 340)


def roofline_plot(report):
    """MACs a cycle over MACs a byte of each layer, under the roof.

    Returns
    -------
    dict
    """
    shape = roofline(report)
    styles = {
        "stem, head, classifier": ("triangle-up", STALL_COLORS["activations"]),
        "bottleneck": ("circle", STALL_COLORS["weights"]),
        "bottleneck with residual": ("square", POINTWISE_COLOR),
    }
    xs, ys = zip(*shape.roof, strict=True)
    labels = _roofline_labels(report, shape)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "roof (computed)",
            "x": xs,
            "y": ys,
            "line": {"color": INK, "width": 2},
            "hoverinfo": "skip",
        }
    ]
    for label, numbers in shape.groups.items():
        if numbers:
            symbol, color = styles[label]
            traces.append(_layer_points(report, shape, numbers, label, symbol, color, 10, labels))
    if len(report.layers) > 1:
        traces.append(
            _layer_points(
                report, shape, [len(report.layers)], "all together", "star", INK, 15, labels
            )
        )
    shared = "together" if report.shared_bytes_per_cycle else "each way"
    return make_plot(
        traces,
        height=460,
        narrow_height=400,
        hovermode="closest",
        margin={"t": 26, "r": 16, "l": 64},
        xaxis=axis(
            "MACs for each byte that crosses the memory port meanwhile",
            type="log",
            dtick="D2" if shape.limits[1] < 300 * shape.limits[0] else 1,
            tickformat=",~g",
            autorange=True,
        ),
        yaxis=axis(
            "MACs a cycle",
            type="log",
            range=[log10(height) for height in shape.heights],
            dtick="D2" if shape.heights[1] < 300 * shape.heights[0] else 1,
            tickformat=",~g",
        ),
        shapes=[
            {
                "type": "line",
                "x0": shape.ridge,
                "x1": shape.ridge,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"dash": "dot", "width": 1, "color": MUTED},
            }
        ],
        annotations=[
            {
                "text": f"{shape.peak:,} products a cycle",
                "xref": "paper",
                "x": 1,
                # Of a logarithmic axis an annotation takes the logarithm.
                "y": log10(shape.peak),
                "xanchor": "right",
                "yanchor": "bottom",
                "showarrow": False,
            },
            {
                "text": "the port binds left of the dots:"
                f"<br>{shape.bandwidth} bytes a cycle {shared}",
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "yref": "paper",
                "y": 1,
                "yanchor": "top",
                "align": "left",
                "showarrow": False,
                "font": {"color": MUTED},
            },
        ],
    )


def _roofline_labels(report, shape):
    """Labels of the points; points near each other share one."""
    width, height = ROOFLINE_PIXELS
    (left, right), (low, high) = shape.limits, shape.heights
    places = [
        (
            width * log(x / left) / log(right / left),
            height * log(max(y, low) / low) / log(high / low),
        )
        for x, y in shape.points
    ]
    names = [short_name(result) for result in report.layers]
    return [*map(plot_text, shared_labels(names, places[:-1])), ""]


def _layer_points(report, shape, numbers, label, symbol, color, size, labels):
    """Markers of some layers; the number after the last layer is all together."""
    rows = [*report.layers, report.total]
    chosen = [rows[number] for number in numbers]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": label,
        "x": [shape.points[number][0] for number in numbers],
        "y": [shape.points[number][1] for number in numbers],
        "text": [labels[number] for number in numbers],
        "textposition": "top center",
        "textfont": {"size": 10},
        "customdata": [
            [
                "all together" if row.name == "total" else plot_text(row.name),
                row.cycles,
                row.dram_bytes,
                row.mac_utilization,
            ]
            for row in chosen
        ],
        "marker": {"symbol": symbol, "color": color, "size": size},
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{x:,.1f} MACs a byte<br>%{y:,.1f} MACs a "
        "cycle, %{customdata[3]:.1%}<br>%{customdata[1]:,} cycles<br>"
        "%{customdata[2]:,} bytes<extra></extra>",
    }
