"""The page of `mnv2 sweep`: accuracy over bits, over costs, and layer by layer."""

from mnv2.sim.page.kit.figure import add_figure
from mnv2.sim.page.kit.made_with import add_made_with, facts, tiles
from mnv2.sim.page.kit.markup import element
from mnv2.sim.page.kit.page import Page
from mnv2.sim.page.kit.picker import Group, Measure, add_picker, pick_button
from mnv2.sim.page.kit.table import Column, Note, count, decimal, table
from mnv2.sim.page.sweep_figures import add_heat, add_panels, layers_plot
from mnv2.sim.report.colors import MUTED
from mnv2.sim.sweep.comparison import smallest_of_the_best
from mnv2.sim.sweep.grid import AXES, Point, position, varied_axes, way_words
from mnv2.sim.sweep.sweep_report import sweep_as_dict
from mnv2.sim.sweep.sweep_series import COSTS, WIDTH_COLORS, found_points, point_costs
from mnv2.sim.sweep.sweep_tables import MEASURES, headline, notes

__all__ = ["sweep_page"]

#: Measures in words.
WORDS = {
    "agree_top1": "first class is float's",
    "agree_top5": "five first classes include float's",
    "label_top1": "first class is the label's",
    "label_top5": "five first classes include the label's",
    "label_difference": "label found first, minus float, paired",
    "sqnr_db": "SQNR of the logits, dB",
    "cosine": "cosine of the logits with float's",
}


def sweep_page(results, runs=(), command=""):
    """Page of a sweep.

    Parameters
    ----------
    results : mnv2.sim.sweep.sweep_records.SweepResults
    runs : sequence of mnv2.sim.sweep.hardware.HardwareRun
    command : str
        The command line that reproduces it.

    Returns
    -------
    Page
    """
    content = sweep_as_dict(results, runs)
    points = sorted(results.figures, key=position)
    found = found_points(results)
    page = Page(
        "Accuracy over bits of weights and activations",
        f"Measured with the integer model: {headline(results)}.",
    )
    if found:
        _add_figures(page, results, points, found)
    page.add(
        "formats-section",
        "All formats",
        _format_table(results, points, content["points"]),
        element("ul", *(element("li", sentence) for sentence in notes(results)), class_="note"),
    )
    if runs:
        page.add("hardware-section", "Formats run in RTL", _hardware_table(runs))
    request, images = content["configuration"]["request"], content["images"]
    add_made_with(
        page,
        command=command,
        items={
            "pictures": f"{images['pictures']:,} of {images['source']}",
            "model": request["model"] or "MobileNetV2 with torchvision's weights",
        },
        more={
            "labels": images["labels"],
            "preparation": images["preparation"],
            "calibration": content["calibration"],
            "seed": content["seed"],
            "sha256 of the pictures": images["sha256"],
        },
        configuration={"varied": ", ".join(content["configuration"]["varied"]) or "nothing"},
        versions=content["versions"],
        commit=content["commit"],
    )
    return page


def shown_measures(results):
    """Measures that the sweep has: name, words, whether it is a share."""
    return [
        (name, WORDS[name], share)
        for name, _, share in MEASURES
        if any(figures.get(name) is not None for figures in results.figures.values())
    ]


def _add_figures(page, results, points, found):
    measures = shown_measures(results)
    reference = results.reference
    lead = [("formats", f"{len(found):,}"), ("pictures", f"{len(results.prepared.pictures):,}")]
    items = [(figure, what) for what, figure in lead]
    if reference:
        items.append(
            (
                f"{reference['label_top1']:.1%}",
                f"± {reference['label_top1_standard_error']:.1%}: accuracy of the float network",
            )
        )
    named = smallest_of_the_best(results.figures, results.prepared.workload.model.network)
    assert named is not None  # some format has figures
    measure, best, _ = named
    words = "right by label" if measure == "label_top1" else "agreement with float"
    items.append(
        (
            f"{results.figures[best][measure]:.1%}",
            f"{words}, measured, of the smallest format within one error of the best: {best.name}",
        )
    )
    page.sections.append(element("section", tiles(items)))
    # Labels first; a difference is no share of pictures.
    panels = sorted(
        (one for one in measures if one[0] != "label_difference"),
        key=lambda one: not one[0].startswith("label"),
    )
    page.add("accuracy-section", "Accuracy over bits", add_panels(page, results, found, panels))
    page.add(
        "cost-section",
        "Accuracy over cost",
        _picker(page, results, points, found, measures, points.index(best)),
    )
    page.add("layers-section", "Noise by layer", add_heat(page, results, found))


def _picker(page, results, points, found, measures, chosen):
    """Scatter of agreement over costs, of every format that has figures."""
    costs = point_costs(results, points)
    axes = [
        Measure(
            cost.name,
            cost.words if "computed" in cost.words else f"{cost.words} (computed)",
            [getattr(costs[point], cost.name) / cost.unit for point in points],
        )
        for cost in COSTS
    ]
    axes += [
        Measure(
            name,
            f"{words} (measured)",
            [results.figures[point].get(name) for point in points],
            ".0%" if share else ",~g",
        )
        for name, words, share in measures
    ]
    groups = [
        Group(
            f"{width}-bit activations",
            [
                number
                for number, point in enumerate(points)
                if point.activation_bits == width and point in set(found)
            ],
            WIDTH_COLORS.get(width, MUTED),
        )
        for width in sorted({point.activation_bits for point in found})
    ]
    texts = []
    for point in points:
        figures = results.figures[point]
        texts.append(
            [
                point.name,
                *(
                    f"{words}: {_written(figures, name, share)}"
                    for name, words, share in measures
                    if name in figures
                ),
                *(
                    f"{cost.words}: {getattr(costs[point], cost.name) / cost.unit:,.2f}"
                    for cost in COSTS
                ),
            ]
        )
    details = {
        number: _detail(page, results, point, number, measures)
        for number, point in enumerate(points)
        if "failure" not in results.figures[point]
    }
    return add_picker(
        page,
        "costs",
        "All formats by their cost",
        "Click a format, or the button of its row in the table, for its details. Costs are "
        "computed from the network, accuracy is measured.",
        measures=axes,
        groups=groups,
        texts=texts,
        axes=("weight_bytes", "agree_top1"),
        details=details,
        chosen=chosen,
    )


def _written(figures, name, share):
    """A figure with its standard error."""
    value, error = figures.get(name), figures.get(f"{name}_standard_error")
    if value is None:
        return ""
    if share:
        return f"{100 * value:.1f} % ± {100 * error:.1f}"
    digits = 1 if name == "sqnr_db" else 3
    return f"{value:.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")


def _detail(page, results, point, number, measures):
    """Details of a format."""
    figures = results.figures[point]
    options = " ".join(
        f"--{axis.option} {getattr(point, axis.field)}"
        for axis in AXES
        if getattr(point, axis.field) != getattr(Point(), axis.field)
    )
    figure = None
    if figures.get("layers"):
        figure = add_figure(
            page,
            f"format-{number}",
            f"Signal to quantisation noise of {point.name}",
            "After each block, compared with the float network, mean over the pictures.",
            layers_plot(figures["layers"], WIDTH_COLORS.get(point.activation_bits, MUTED)),
            legend=False,
        )
    return element(
        "div",
        element("h3", point.name, class_="detail-name"),
        element(
            "p",
            "The command for this format alone (pictures and network are further options):",
            class_="explain",
        ),
        element(
            "pre", element("code", f"mnv2 sweep {options}" if options else "mnv2 sweep --weights 8")
        ),
        facts(
            {words: _written(figures, name, share) for name, words, share in measures}
            | {"overflows": figures.get("overflows"), "pictures": figures["pictures"]}
        ),
        figure,
    )


def _format_table(results, points, rows):
    """All formats with all figures."""
    varied = [
        axis for axis in varied_axes(points) if axis.field not in ("weight_bits", "activation_bits")
    ]

    def of(key, factor=1.0):
        return lambda pair: None if pair[1].get(key) is None else pair[1][key] * factor

    columns = [
        Column(
            "format",
            lambda pair: Note(
                pair[0].name,
                pick_button(pair[0].name) if pair[1]["failure"] is None else pair[0].name,
            ),
        ),
        Column("weight bits", of("weight_bits", 1), count),
        Column("activation bits", of("activation_bits", 1), count),
    ]
    if varied:
        columns.append(Column("method", lambda pair: ", ".join(way_words(pair[0], varied))))
    for name, words, share in shown_measures(results):
        factor, unit = (100, ", %") if share else (1, "")
        digits = 3 if name == "cosine" else 1
        columns += [
            Column(f"{words}{unit}", of(name, factor), decimal(digits), "measured"),
            Column(
                "±", of(f"{name}_standard_error", factor), decimal(digits), "one standard error"
            ),
        ]
    if any(row["overflows"] is not None for row in rows):
        columns.append(
            Column(
                "overflows",
                of("overflows", 1),
                count,
                "accumulators that overflowed, over all pictures",
            )
        )
    columns += [
        Column("weights, MB (computed)", of("weight_bytes", 1e-6), decimal(2)),
        Column("least DRAM traffic of a frame, MB (computed)", of("dram_bytes", 1e-6), decimal(2)),
        Column("product, bits (computed)", of("product_bits", 1), count),
    ]
    if any(row["failure"] for row in rows):
        columns.append(Column("failure", lambda pair: pair[1]["failure"] or ""))
    return table(
        "formats",
        f"{len(points):,} formats",
        columns,
        list(zip(points, rows, strict=True)),
        keys=range(len(points)),
    )


def _hardware_table(runs):
    """Table of the best formats, run in RTL."""

    def of(key):
        return lambda run: getattr(run, key)

    columns = [
        Column("format", of("point")),
        Column(
            "lanes",
            lambda run: (
                "" if run.weight_bits is None else f"{run.weight_bits} x {run.activation_bits} bits"
            ),
        ),
        Column("class, golden", lambda run: run.golden_class or ""),
        Column("class, RTL", lambda run: run.rtl_class or ""),
        Column("output", lambda run: Note(run.exact, *_verdict(run))),
        Column("cycles, measured", of("cycles"), count),
        Column("DRAM bytes, measured", of("dram_bytes"), count),
        Column("reason", lambda run: run.reason or ""),
    ]
    return table("hardware", "The best formats in RTL, first picture", columns, list(runs))


def _verdict(run):
    if run.passed_over:
        return "not run", ""
    return ("equal", "good") if run.exact else ("differs", "bad")
