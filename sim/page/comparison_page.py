"""The page of reports side by side."""

from functools import partial

from mnv2.sim.comparison.comparison import relative, worst_wait_of
from mnv2.sim.comparison.comparison_files import comparison_as_dict
from mnv2.sim.comparison.comparison_plots import SUBJECT_COLORS, short_row
from mnv2.sim.comparison.comparison_tables import RESOURCES, verdict
from mnv2.sim.page.kit.figure import add_figure, axis, make_plot, plain_hover
from mnv2.sim.page.kit.made_with import facts, pairs
from mnv2.sim.page.kit.markup import element, plot_text
from mnv2.sim.page.kit.page import Page
from mnv2.sim.page.kit.table import Column, Note, change, count, decimal, percent, table
from mnv2.sim.report.names import words

__all__ = ["comparison_page"]


def comparison_page(comparison, command=""):
    """Page of a comparison.

    Parameters
    ----------
    comparison : mnv2.sim.comparison.comparison.ReportComparison
    command : str
        The command line that reproduces it.

    Returns
    -------
    Page
    """
    sentences = verdict(comparison)
    page = Page(
        f"{len(comparison.subjects)} reports side by side",
        f"{sentences[0]}."
        if len(sentences) == 1
        else f"The reference: {comparison.reference.name}",
    )
    content = comparison_as_dict(comparison)
    page.summary = facts(
        {
            "commit": element("code", content["commit"]),
            "command": element("pre", element("code", command), id="command") if command else "",
        }
    )
    _add_overview(page, comparison, sentences)
    _add_layers(page, comparison, "cycles", "Cycles by layer", "clock cycles")
    _add_layers(page, comparison, "dram_bytes", "External memory by layer", "bytes")
    _add_costs(page, comparison)
    page.add(
        "made-with",
        "Provenance",
        facts({one.name: _made_of(one) for one in comparison.subjects}),
    )
    return page


def _made_of(subject):
    """Configuration and memory of a report, in words."""
    content = subject.content
    return f"{pairs(content['configuration'])}; memory: {pairs(content['memory'])}"


def _add_overview(page, comparison, sentences):
    """Add main figures, and the options that differ."""

    def total(key):
        return lambda one: one.total[key]

    def wait(one):
        cause, share = worst_wait_of(one.total)
        return Note(share, f"{words(cause)} {share:.1%}" if cause else "")

    columns = [
        Column("report", lambda one: one.name),
        Column("source", lambda one: one.source),
        Column("clock, MHz", lambda one: one.clock_hz / 1e6, decimal(1)),
        Column("cycles", total("cycles"), count),
        Column("ms", lambda one: one.seconds * 1e3, decimal(3)),
        Column("frames/s", lambda one: one.frames_per_second, decimal(1)),
        Column("MAC utilisation", total("mac_utilization"), percent),
        Column("waits", lambda one: 1 - one.total["busy_cycles"] / one.total["cycles"], percent),
        Column("worst wait", wait),
        Column("bytes of DRAM", total("dram_bytes"), count),
    ]
    settings = [{"name": name, "texts": texts} for name, texts in comparison.settings.items()]
    page.add(
        "overview-section",
        "All together",
        table("overview", "Main figures", columns, list(comparison.subjects)),
        element("ul", *(element("li", f"{sentence}.") for sentence in sentences)),
        table(
            "settings",
            "What differs",
            [
                Column("option", lambda row: row["name"]),
                *(
                    Column(one.name, _part("texts", number))
                    for number, one in enumerate(comparison.subjects)
                ),
            ],
            settings,
        )
        if settings
        else element("p", "The reports were made with the same options.", class_="note"),
    )


def _part(name, number):
    """Function that gets one of a row's list of texts or values."""
    return lambda row: row[name][number]


def _figure(comparison, key, number, name):
    """Figure of a row of a report."""
    return comparison.cells(name, key)[number]


def _change(comparison, key, number, name):
    """Cell of the change of a figure of a row from the first report's; less is better."""
    values = comparison.cells(name, key)
    share = relative(values[number], values[0])
    return change(share, better=share is not None and share < 0)


def _add_layers(page, comparison, key, title, unit):
    """Add a figure of each layer: bars, and a table with changes and, of cycles, worst waits."""
    columns = [Column("layer", lambda name: name)]
    for number, subject in enumerate(comparison.subjects):
        columns.append(
            Column(
                f"{subject.name} ({subject.source})",
                partial(_figure, comparison, key, number),
                count,
                unit,
            )
        )
        if number:
            columns.append(
                Column(
                    f"change, {subject.name}",
                    partial(_change, comparison, key, number),
                    str,
                    f"from {comparison.reference.name}",
                )
            )
        if key == "cycles":
            columns += [_waits_column(subject), _worst_column(subject)]
    page.add(
        f"{key.replace('_', '-')}-section",
        title,
        add_figure(
            page,
            key,
            f"{title}, {unit}",
            "B: bottleneck. A layer that only some of the networks have has bars of those alone.",
            _plot(comparison, key, unit),
        ),
        table(f"{key.replace('_', '-')}-table", title, columns, comparison.rows, total="total"),
    )


def _waits_column(subject):
    """Share of each row's cycles that the array waits."""

    def share(name):
        row = subject.rows.get(name)
        return 1 - row["busy_cycles"] / row["cycles"] if row and row["cycles"] else None

    return Column(f"waits, {subject.name}", share, percent, "share of the cycles")


def _worst_column(subject):
    """Cause of most waiting of each row."""

    def cell(name):
        cause, share = worst_wait_of(subject.rows[name]) if name in subject.rows else ("", 0)
        return Note(share, f"{words(cause)} {share:.1%}" if cause else "")

    return Column(f"worst wait, {subject.name}", cell)


def _plot(comparison, key, unit):
    """Bars of a figure of each layer, a colour for each report."""
    names = [plot_text(short_row(name)) for name in comparison.rows]
    traces = [
        {
            "type": "bar",
            "name": plot_text(subject.name),
            "x": names,
            "y": [comparison.cells(name, key)[number] for name in comparison.rows],
            "marker": {
                "color": SUBJECT_COLORS[number % len(SUBJECT_COLORS)],
                "line": {"width": 0},
            },
            "hovertemplate": plain_hover(plot_text(subject.name), unit=unit),
        }
        for number, subject in enumerate(comparison.subjects)
    ]
    return make_plot(
        traces,
        height=380,
        barmode="group",
        bargap=0.2,
        margin={"l": 72},
        xaxis=axis("", type="category"),
        yaxis=axis(unit, tickformat=",d"),
    )


def _add_costs(page, comparison):
    """Add resources, shares of the device, and energy."""
    resources = [
        {"label": label, "values": values}
        for name, label in RESOURCES.items()
        if any(values := [getattr(one, name) for one in comparison.resources])
    ]
    parts = [
        table(
            "resources",
            f"Resources of {comparison.family_title}, estimated",
            _value_columns(comparison, "resource", lambda value: f"{value:,}"),
            resources,
        )
    ]
    if comparison.device is not None:
        shares = [{use.resource: use.share for use in uses} for uses in comparison.uses]
        parts.append(
            table(
                "shares",
                f"Shares of {comparison.device.name}, estimated",
                [
                    Column("resource", lambda name: name),
                    *(
                        Column(one.name, use.get, percent)
                        for one, use in zip(comparison.subjects, shares, strict=True)
                    ),
                ],
                list(dict.fromkeys(name for use in shares for name in use)),
            )
        )
    if comparison.has_energy:
        names = dict.fromkeys(name for one in comparison.subjects for name in one.energy)
        rows = [
            {"label": words(name), "values": values}
            for name in names
            if any(values := [one.energy.get(name, 0.0) for one in comparison.subjects])
        ]
        totals = [sum(one.energy.values()) for one in comparison.subjects]
        parts.append(
            table(
                "energy",
                "Relative energy of a frame, estimated: 1 is that of its products at 8 bits alone",
                _value_columns(comparison, "operation", lambda value: f"{value:,.3f}"),
                rows,
                total={"label": "total", "values": totals},
            )
        )
    page.add("costs-section", "Resources and energy", *parts)


def _value_columns(comparison, first, show):
    """Columns of a value for each report, and of its change from the first."""
    columns = [Column(first, lambda row: row["label"])]
    for number, subject in enumerate(comparison.subjects):
        columns.append(Column(subject.name, _part("values", number), show))
        if number:
            columns.append(
                Column(
                    f"change, {subject.name}",
                    partial(_value_change, number),
                    str,
                )
            )
    return columns


def _value_change(number, row):
    """Cell of the change of a row's value from the first; less is better."""
    share = relative(row["values"][number], row["values"][0])
    return change(share, better=share is not None and share < 0)
