"""A picture of a cost report: what takes the device, and what takes the energy."""

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnv2.sim.report.colors import INK, POINTWISE_COLOR, STYLE, WRITTEN_COLOR

__all__ = ["draw_cost"]

#: What of `Resources` makes each bar, by the name that a `Use` has.
_BARS = {
    "DSPs": "dsp",
    "block RAM, 18 kbit": "block_ram_halves",
    "block RAM, 4 kbit": "block_ram_4k",
    "UltraRAM": "ultra_ram",
    "LUTs": "all_luts",
    "flip-flops": "flip_flops",
}

#: Colours of the groups, colour-blind safe; those of small groups are shared, as "others".
_COLORS = (POINTWISE_COLOR, "#D55E00", "#009E73", "#F2C230", "#CC79A7", "#6FC1EE", "#999933")
_OTHERS = "#BBBBBB"


@matplotlib.rc_context(STYLE)
def draw_cost(report):
    """Shares of a device by group of units; energy of a frame by operation.

    Parameters
    ----------
    report : mnv2.sim.cost.cost_report.CostReport
        Of one device.

    Returns
    -------
    matplotlib.figure.Figure
    """
    (one,) = report.devices
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    panels = figure.subplots(1, 2 if report.energy else 1, squeeze=False)[0]
    _draw_shares(panels[0], report, one)
    if report.energy:
        _draw_energy(panels[1], report)
    return figure


def _draw_shares(axes, report, one):
    uses = [use for use in one.uses if use.available and use.used][::-1]
    groups = report.groups(one.device.family)
    shares = {
        name: [getattr(resources, _BARS[use.resource]) / use.available for use in uses]
        for name, resources in groups.items()
    }
    ranked = sorted(shares, key=lambda name: -max(shares[name], default=0))
    shown = ranked[: len(_COLORS)]
    left = [0.0] * len(uses)
    bars = [
        *((name, color, shares[name]) for name, color in zip(shown, _COLORS, strict=False)),
        (
            "others",
            _OTHERS,
            [
                sum(column)
                for column in zip(*(shares[name] for name in ranked[len(_COLORS) :]), strict=True)
            ],
        ),
    ]
    for name, color, widths in bars:
        axes.barh(
            [use.resource for use in uses],
            widths,
            left=left,
            color=color,
            label=name,
            edgecolor="white",
            linewidth=0.5,
        )
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    for place, use in enumerate(uses):
        axes.annotate(
            f"{use.share:.0%}",
            (left[place], place),
            xytext=(4, 0),
            va="center",
            textcoords="offset points",
            color=INK,
        )
    axes.axvline(1, color=WRITTEN_COLOR, linestyle="--", linewidth=1.5)
    axes.set_xlim(0, 1.12 * max(1.0, *left))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(True, axis="x")
    axes.set_title(f"{'Fits' if one.fits else 'Does not fit'} {one.device.name}, counted")
    axes.set_xlabel("of the device; dashed: all of it")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=8)


def _draw_energy(axes, report):
    parts = sorted(report.energy.by_operation.items(), key=lambda part: part[1])
    axes.barh([name for name, _ in parts], [part for _, part in parts], color=POINTWISE_COLOR)
    for place, (_, part) in enumerate(parts):
        axes.annotate(
            f"{part:,.2f}",
            (part, place),
            xytext=(4, 0),
            va="center",
            textcoords="offset points",
            color=INK,
        )
    axes.set_title(f"Relative energy {report.energy.total:.2f}, computed")
    axes.set_xlabel("1 is the energy of the frame's products at 8 bits alone")
    axes.set_xlim(0, 1.15 * max(part for _, part in parts) or 1)
    axes.grid(True, axis="x")
