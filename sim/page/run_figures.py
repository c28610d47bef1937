"""Figures of a run or of a prediction: cycles and bytes of its layers."""

from mnv2.sim.page.kit.figure import axis, make_plot, plain_hover
from mnv2.sim.page.kit.markup import plot_text
from mnv2.sim.report.colors import INK, MUTED, POINTWISE_COLOR, STALL_COLORS
from mnv2.sim.report.names import name_frames
from mnv2.sim.report.run_series import byte_series, cycle_series, limit_bars, tick_names

__all__ = ["block_limits_plot", "bytes_plot", "cycles_plot", "limits_plot", "source_words"]

#: Marker of computed figures, next to those of the hardware.
MARK = {"symbol": "line-ew", "size": 16, "color": INK, "line": {"width": 2, "color": INK}}


def source_words(report):
    """Source of the figures of a report, in words."""
    return "predicted" if report.predicted else "measured in RTL"


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
