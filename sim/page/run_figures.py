"""Figures of a run or of a prediction: the frame in time, cycles, bytes, roofline."""

from math import log, log10

from mnv2.sim.page.kit.figure import axis, make_plot, plain_hover
from mnv2.sim.page.kit.markup import plot_text
from mnv2.sim.report.colors import (
    DEPTHWISE_COLOR,
    INK,
    MUTED,
    POINTWISE_COLOR,
    READ_COLOR,
    STALL_COLORS,
    WRITTEN_COLOR,
)
from mnv2.sim.report.label_placement import shared_labels
from mnv2.sim.report.names import name_frames, short_name
from mnv2.sim.report.run_series import (
    byte_series,
    cycle_series,
    frame_parts,
    limit_bars,
    roofline,
    tick_names,
    timeline_shares,
    wait_series,
)

__all__ = [
    "block_limits_plot",
    "bytes_plot",
    "cycles_plot",
    "frame_plot",
    "limits_plot",
    "roofline_plot",
    "source_words",
]

SHARE = {"tickformat": ".0%", "range": [0, 1]}
#: Width and height of a roofline on a wide screen, to find labels that would overlap.
ROOFLINE_PIXELS = (1050, 340)
#: Marker of computed figures, next to those of the hardware.
MARK = {"symbol": "line-ew", "size": 16, "color": INK, "line": {"width": 2, "color": INK}}


def source_words(report):
    """Source of the figures of a report, in words."""
    return "predicted" if report.predicted else "measured in RTL"


def frame_plot(report):
    """The array's work, its causes of waiting and the memory port, over the cycles of a frame.

    Parameters
    ----------
    report : mnv2.sim.report.run_report.RunReport
        With a timeline.

    Returns
    -------
    dict
    """
    edges, (pointwise, depthwise, read, written) = timeline_shares(report)
    middles = [(begin + end) / 2 for begin, end in zip(edges, edges[1:], strict=False)]
    parts = frame_parts(report)
    scale = report.clock_hz / 1e6
    times = [middle / scale for middle in middles]

    def area(label, values, color, panel, **others):
        return {
            "type": "scatter",
            "mode": "lines",
            "name": label,
            "x": middles,
            "y": values,
            "line": {"shape": "hvh", "width": 0, "color": color},
            "fillcolor": color,
            "yaxis": panel,
            "hovertemplate": plain_hover(label, "%{y:.1%}"),
            **others,
        }

    traces = [
        area(
            "works: pointwise",
            pointwise,
            POINTWISE_COLOR,
            "y",
            stackgroup="array",
            customdata=times,
            hovertemplate="at %{customdata:,.1f} µs<br>works: pointwise: %{y:.1%}<extra></extra>",
        ),
        area("works: depthwise", depthwise, DEPTHWISE_COLOR, "y", stackgroup="array"),
    ]
    for series in wait_series(report, parts):
        traces.append(
            {
                "type": "bar",
                "name": f"waits: {series.label}",
                "marker": {"color": series.color, "line": {"width": 0}},
                "x": [(part.begin + part.end) / 2 for part in parts],
                "y": series.values,
                "width": [part.cycles for part in parts],
                "yaxis": "y2",
                "customdata": [
                    [part.name, round(value * part.cycles)]
                    for part, value in zip(parts, series.values, strict=True)
                ],
                "hovertemplate": f"%{{customdata[0]}} waits for {series.label}: %{{y:.1%}}, "
                "%{customdata[1]:,} cycles<extra></extra>",
            }
        )
    traces.append(area("beats read", read, READ_COLOR, "y3", fill="tozeroy"))
    if any(written):
        traces.append(area("beats written", written, WRITTEN_COLOR, "y3", fill="tozeroy"))
    highest = max(
        (
            sum(column)
            for column in zip(
                *(trace["y"] for trace in traces if trace["yaxis"] == "y2"), strict=True
            )
        ),
        default=0,
    )
    return make_plot(
        traces,
        height=640,
        narrow_height=600,
        barmode="stack",
        hovermode="x unified",
        hoversubplots="axis",
        margin={"t": 44, "r": 16, "l": 64},
        labels=[
            {
                "text": f"{part.name}<br>{part.mac_utilization:.0%}",
                "begin": part.begin,
                "end": part.end,
            }
            for part in parts
        ],
        shapes=[
            {
                "type": "line",
                "x0": part.begin,
                "x1": part.begin,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "layer": "above",
                "line": {"width": 0.6, "color": MUTED},
            }
            for part in parts[1:]
        ],
        xaxis=axis(
            f"clock cycles, {source_words(report)} in steps of {report.timeline.step_cycles:,}",
            tickformat=",d",
            anchor="y3",
            range=[0, parts[-1].end],
            unifiedhovertitle={"text": "cycle %{x:,.0f}"},
        ),
        yaxis=axis("array busy", domain=[0.56, 1], **SHARE),
        yaxis2=axis(
            "waits for …",
            domain=[0.31, 0.5],
            tickformat=".0%",
            range=[0, min(1, max(0.1, highest) * 1.12)],
        ),
        yaxis3=axis("memory port busy", domain=[0, 0.25], **SHARE),
    )


def cycles_plot(report):
    """Cycles of each layer: work and each cause of waiting, against the ideal.

    Returns
    -------
    dict
    """
    layers, names = report.layers, _ticks(report)
    traces = _stack(names, cycle_series(report), "cycles")
    ideal = [result.ideal_cycles for result in layers]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "ideal (computed)",
            "x": names,
            "y": ideal,
            "marker": MARK,
            "hovertemplate": plain_hover("ideal (computed)", unit="cycles"),
        }
    )
    traces.append(
        {
            "type": "scatter",
            "mode": "text",
            "name": "MAC utilisation, above a bar",
            "x": names,
            "y": [max(result.cycles, ideal[place]) for place, result in enumerate(layers)],
            "text": [f"{result.mac_utilization:.0%}" for result in layers],
            "customdata": [
                [result.mac_utilization, result.cycles, result.microseconds(report.clock_hz)]
                for result in layers
            ],
            "textposition": "top center",
            "textfont": {"size": 11},
            "marker": {"color": MUTED},
            "hovertemplate": "together: %{customdata[1]:,} cycles, %{customdata[2]:,.1f} µs, MAC "
            "utilisation %{customdata[0]:.1%}<extra></extra>",
        }
    )
    return make_plot(
        traces,
        height=440,
        narrow_height=400,
        barmode="stack",
        hovermode="x unified",
        margin={"t": 30, "r": 16, "l": 72},
        bargap=0.2,
        xaxis=_layer_axis(),
        yaxis=axis(f"clock cycles, {source_words(report)}", tickformat=",d"),
    )


def bytes_plot(report):
    """Bytes of external memory of each layer, by kind.

    Returns
    -------
    dict
    """
    names = _ticks(report)
    traces = _stack(names, byte_series(report), "bytes")
    if report.mode == "blocks":
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "block fused (computed)",
                "x": names,
                "y": [limit.fused_bytes for limit in report.block_limits],
                "marker": MARK,
                "hovertemplate": plain_hover("block fused (computed)", unit="bytes"),
            }
        )
    return make_plot(
        traces,
        height=420,
        narrow_height=380,
        barmode="stack",
        hovermode="x unified",
        margin={"t": 20, "r": 16, "l": 80},
        bargap=0.2,
        xaxis=_layer_axis(),
        yaxis=axis(f"bytes, {source_words(report)}", tickformat=",d"),
    )


def limits_plot(report):
    """Bytes of the whole frame, or of frames abreast, next to computed ones.

    Returns
    -------
    dict
    """
    bars = tuple(reversed(limit_bars(report)))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [label for label, _, _ in bars],
            "x": [value for _, value, _ in bars],
            "marker": {"color": [color for *_, color in bars]},
            "text": [f"{value:,}" for _, value, _ in bars],
            "textposition": "auto",
            "hovertemplate": "%{y}: %{x:,} bytes<extra></extra>",
        }
    ]
    return make_plot(
        traces,
        height=230,
        margin={"t": 10, "r": 30},
        bargap=0.3,
        xaxis=axis(
            f"bytes of {name_frames(report.abreast, 'the whole frame')}",
            tickformat=",d",
            nticks=5,
        ),
        yaxis={"title": {"text": ""}},
    )


def block_limits_plot(report):
    """Bytes of each bottleneck that ran alone, next to computed ones.

    Returns
    -------
    dict
    """
    names = _ticks(report)
    series = (
        (
            "layer by layer (computed)",
            [one.layer_by_layer_bytes for one in report.block_limits],
            {"symbol": "triangle-up", "size": 10, "color": STALL_COLORS["weights"]},
        ),
        (
            source_words(report),
            [result.dram_bytes for result in report.layers],
            {"symbol": "circle", "size": 9, "color": POINTWISE_COLOR},
        ),
        ("block fused (computed)", [one.fused_bytes for one in report.block_limits], MARK),
    )
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": names,
            "y": values,
            "marker": marker,
            "hovertemplate": plain_hover(name, unit="bytes"),
        }
        for name, values, marker in series
    ]
    return make_plot(
        traces,
        height=300,
        hovermode="x unified",
        margin={"l": 80},
        xaxis=_layer_axis(),
        yaxis=axis("bytes, logarithmic", type="log", dtick=1, tickformat=",d"),
    )


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


def _stack(names, series, unit):
    """Stacked bars."""
    return [
        {
            "type": "bar",
            "name": one.label,
            "x": names,
            "y": one.values,
            "marker": {"color": one.color, "line": {"width": 0}},
            "hovertemplate": plain_hover(one.label, unit=unit),
        }
        for one in series
        if any(one.values)
    ]


def _ticks(report):
    return [plot_text(name).replace("\n", "<br>") for name in tick_names(report)]


def _layer_axis():
    return axis("B: bottleneck, s2: stride 2, +: residual", type="category", tickangle=0)
