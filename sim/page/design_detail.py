"""Details of one design: its costs, its time by layer, and the command that runs it."""

import dataclasses

from mnv2.sim.explore.lanes import warning_words
from mnv2.sim.explore.objectives import FIGURES
from mnv2.sim.page.kit.figure import add_figure
from mnv2.sim.page.kit.made_with import facts, pairs
from mnv2.sim.page.kit.markup import element, join
from mnv2.sim.page.kit.table import Column, count, percent, table
from mnv2.sim.page.layer_tables import layer_overview
from mnv2.sim.page.run_figures import cycles_plot
from mnv2.sim.report.run_files import report_as_dict

__all__ = ["figure_source", "design_detail"]

#: Names of the fields of `mnv2.sim.cost.record.Resources`.
RESOURCES = {
    "dsp": "DSP blocks",
    "block_ram_36k": "block RAM, 36 kbit",
    "block_ram_18k": "block RAM, 18 kbit",
    "block_ram_4k": "block RAM, 4 kbit",
    "ultra_ram": "UltraRAM",
    "luts": "LUTs of logic",
    "memory_luts": "LUTs of memories",
    "flip_flops": "flip-flops",
}


def design_detail(page, design, prediction, buttons=None):
    """The panel of a design.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
        Gets its figure.
    design : mnv2.sim.explore.design.Design
    prediction : mnv2.sim.prediction.prediction_report.Prediction
        Of its layers.
    buttons : Markup, optional
        Shown under its name.

    Returns
    -------
    Markup
    """
    content = report_as_dict(prediction)
    name = design.name
    figure = add_figure(
        page,
        f"{name}-cycles",
        f"Cycles of {name}: {design.cycles:,}, predicted",
        "In each cycle the array works or waits for one cause; the dash is the computed ideal.",
        cycles_plot(prediction),
    )
    warnings = [f"Poor mapping: {sentence}." for sentence in warning_words(design.lane_warnings)]
    sentences = [element("li", sentence) for sentence in (*warnings, *design.notes)]
    return join(
        [
            element("h3", name, class_="detail-name"),
            buttons,
            element(
                "p",
                "The command that runs it, for the folder in which the search was started:",
                class_="explain",
            ),
            element("pre", element("code", design.command)),
            element("ul", *sentences, class_="note") if sentences else None,
            element("div", _costs(design), _uses(design), _energy(design), class_="columns"),
            facts(
                {
                    "configuration": pairs(dataclasses.asdict(design.config)),
                    "buffers, bytes": pairs(design.config.buffer_bytes),
                    "clock": f"{design.clock_hz / 1e6:g} MHz ({design.clock_from})",
                    "memory": pairs(design.memory),
                    "accuracy": ""
                    if design.accuracy is None
                    else f"{design.accuracy:.1%}, measured by the sweep: {design.accuracy_format}",
                }
            ),
            figure,
            layer_overview(f"{name}-layers", content["layers"], content["total"]),
        ]
    )


def _costs(design):
    """Figures of a design that are not measured."""
    figures = [
        figure
        for figure in FIGURES.values()
        if figure.name != "accuracy" and figure.of(design) is not None
    ]
    return table(
        f"{design.name}-figures",
        "Performance and cost",
        [
            Column("figure", lambda figure: figure.words),
            Column("predicted", lambda figure: _written(figure, design, "predicted"), str),
            Column(
                "computed or estimated", lambda figure: _written(figure, design, "estimated"), str
            ),
        ],
        figures,
    )


def _written(figure, design, how):
    """A figure with its unit, in the column of its source only."""
    if figure_source(figure) != how:
        return ""
    return figure.text(design)


def _uses(design):
    """Resources used of the device; without a device, the counts alone."""
    if design.uses:
        return table(
            f"{design.name}-device",
            "Use of the device, estimated",
            [
                Column("resource", lambda use: use.resource),
                Column("used", lambda use: use.used, count),
                Column("available", lambda use: use.available, count),
                Column("share", lambda use: use.share, percent),
            ],
            [use for use in design.uses if use.used or use.available],
        )
    counted = [(name, used) for name, used in dataclasses.asdict(design.resources).items() if used]
    return table(
        f"{design.name}-device",
        "Resources, estimated",
        [
            Column("resource", lambda row: RESOURCES[row[0]]),
            Column("used", lambda row: row[1], count),
        ],
        counted,
    )


def _energy(design):
    """Energy of a frame by operation."""
    if design.energy is None:
        return None
    total = design.energy.total
    return table(
        f"{design.name}-energy",
        "Relative energy of a frame, estimated",
        [
            Column("operation", lambda row: row[0].replace("_", " ")),
            Column("energy", lambda row: row[1], lambda value: f"{value:,.3f}"),
            Column("share", lambda row: row[1] / total if total else 0.0, percent),
        ],
        [row for row in design.energy.by_operation.items() if row[1]],
        total=("total", total),
    )


def figure_source(figure):
    """``predicted`` by the cycle model, ``estimated`` from structure, or ``measured`` by a sweep.

    Parameters
    ----------
    figure : mnv2.sim.explore.objectives.Figure

    Returns
    -------
    str
    """
    if figure.name == "accuracy":
        return "measured by a sweep"
    return "estimated" if figure.costs or figure.name == "energy" else "predicted"
