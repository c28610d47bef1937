"""The figure of a frame in time: the array's work, its causes of waiting, the memory port."""

from mnv2.sim.page.kit.figure import axis, make_plot, plain_hover
from mnv2.sim.page.run_figures import source_words
from mnv2.sim.report.colors import (
    DEPTHWISE_COLOR,
    MUTED,
    POINTWISE_COLOR,
    READ_COLOR,
    WRITTEN_COLOR,
)
from mnv2.sim.report.run_series import frame_parts, timeline_shares, wait_series

__all__ = ["frame_plot"]

SHARE = {"tickformat": ".0%", "range": [0, 1]}


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
