"""The page of `mnv2 explore`: the Pareto front, and the details of each of its designs."""

from operator import attrgetter

from mnv2.sim.explore.objectives import FIGURES
from mnv2.sim.explore.search_report import search_as_dict
from mnv2.sim.explore.search_tables import (
    binding_words,
    clock_words,
    differing_options,
    headline,
    nearest_misses,
    time_words,
)
from mnv2.sim.explore.space import value_text
from mnv2.sim.page.design_detail import design_detail, figure_source
from mnv2.sim.page.explore_tables import add_proofs, add_sensitivity
from mnv2.sim.page.kit.made_with import add_made_with
from mnv2.sim.page.kit.markup import element
from mnv2.sim.page.kit.page import Page
from mnv2.sim.page.kit.picker import Group, Measure, add_picker, pick_button
from mnv2.sim.page.kit.table import Column, Note, count, decimal, percent, table
from mnv2.sim.page.pinned_designs import add_pinned_designs, pin_buttons
from mnv2.sim.prediction.prediction_report import make_prediction
from mnv2.sim.report.colors import MUTED, POINTWISE_COLOR, STALL_COLORS
from mnv2.sim.report.quantities import format_quantity
from mnv2.sim.report.run_tables import worst_wait

__all__ = ["explore_page"]

#: Scale of a figure on an axis, by its unit: factor, unit, format of d3.
SCALES = {
    "s": (1e3, "ms", ",~g"),
    "B/s": (1e-9, "GB/s", ",~g"),
    "x": (1, "", ",~g"),
    "B": (1e-3, "kB", ",~g"),
    "1/s": (1, "1/s", ",~g"),
    "%": (1, "share", ".0%"),
    "": (1, "", ",~g"),
}


def explore_page(results, proofs=(), command=""):
    """Page of a search.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    proofs : sequence of mnv2.sim.explore.prove.Proof
        Designs that were run in RTL.
    command : str
        The command line that reproduces it.

    Returns
    -------
    Page
    """
    content = search_as_dict(results, proofs)
    front, title = results.front, "Pareto-optimal designs"
    if not front:
        page = Page("No design meets the limits", f"{nearest_misses(results)}.")
    elif proofs:
        page = Page(title, f"{headline(results)}. {len(proofs):,} of them were run in RTL.")
    else:
        page = Page(title, f"Predicted, nothing was run: {headline(results)}.")
    if results.predicted:
        _add_front(page, results, content["commit"])
    if front:
        page.add(
            "designs-section",
            "Designs of the front",
            table(
                "designs",
                f"{len(front):,} designs, all predicted",
                list(_columns(results)),
                front,
                keys=range(len(front)),
                note=f"{results.balanced.name} is the balanced one, nearest to the best of every "
                "objective. Frames run one after another; energy is per frame. designs.csv has "
                "all candidates.",
            ),
            *(
                [element("ul", *(element("li", f"{end.words}.") for end in results.axis_ends))]
                if results.axis_ends
                else []
            ),
        )
    if len(front) > 1:
        add_pinned_designs(page, results)
    if proofs:
        add_proofs(page, proofs)
    if results.sensitivity is not None and results.sensitivity.changes:
        add_sensitivity(page, results)
    _add_made_with(page, results, content, command)
    return page


def _add_front(page, results, commit):
    """Add the scatter of all predicted designs, by two figures that the reader chooses."""
    front, objectives = results.front, results.prepared.objectives
    on_front = {design.key for design in front}
    designs = [*front, *(one for one in results.predicted if one.key not in on_front)]
    measures = _measures(results, designs)
    numbers = range(len(front), len(designs))
    groups = [
        Group(
            "misses a limit",
            [number for number in numbers if designs[number].violations],
            STALL_COLORS["line_buffer"],
            "x-thin-open",
            6,
        ),
        Group(
            "dominated by the front",
            [number for number in numbers if not designs[number].violations],
            MUTED,
            "circle-open",
            7,
        ),
        Group("Pareto front", list(range(len(front))), POINTWISE_COLOR),
    ]
    names = [measure.name for measure in measures]
    first, *more = [figure.name for figure in objectives]
    second = next(iter(more), next(name for name in names if name != first))
    page.add(
        "front-section",
        "Pareto front",
        add_picker(
            page,
            "front",
            "All predicted designs",
            "Click a design of the front, or the button of its row in the table, for its details. "
            "Dotted lines are the limits that were asked for. Each axis states whether its figure "
            "is predicted or estimated.",
            measures=measures,
            groups=groups,
            axes=(second, first),
            details=_details(page, results, commit),
            chosen=results.balanced.number - 1 if front else None,
            texts=[_lines(design, measures, results) for design in designs],
        ),
    )


def _add_made_with(page, results, content, command):
    prepared, request = results.prepared, results.prepared.request
    add_made_with(
        page,
        command=command,
        items={
            "network": _network_words(request),
            "device": request.device or "none given",
            "limits": ", ".join(limit.words for limit in prepared.judge.limits) or "none",
            "objectives": ", ".join(
                f"{figure.best} {figure.name}" for figure in prepared.objectives
            ),
        },
        more={
            "method": "exhaustive search"
            if results.method == "whole"
            else f"{results.method}, at most {request.designs:,} predictions, generations of "
            f"{request.population}",
            "seed": request.seed,
            "clock": clock_words(results),
            "memory": request.memory or f"latency {request.latency} cycles",
            "accuracy": request.accuracy or "",
            "refused": "; ".join(
                f"{times:,} x {reason}" for reason, times in results.refused.items()
            ),
        },
        configuration={
            name: ", ".join(map(value_text, values))
            for name, values in prepared.space.values.items()
        },
        versions=content["versions"],
        commit=content["commit"],
    )


def _network_words(request):
    given = {name: value for name, value in request.network.items() if value is not None}
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "MobileNetV2, 224 x 224"


def _measures(results, designs):
    """Measures for the axes: figures that at least one design has."""
    limits = {limit.name: limit.bound for limit in results.prepared.judge.limits}
    measures = []
    for figure in FIGURES.values():
        values = [_value(figure, design) for design in designs]
        if any(value is not None for value in values):
            factor, unit, tickformat = SCALES[figure.unit]
            limit = limits.get(figure.name)
            title = f"{figure.words}{f', {unit}' if unit else ''} ({figure_source(figure)})"
            measures.append(
                Measure(
                    figure.name,
                    title,
                    [None if value is None else value * factor for value in values],
                    tickformat,
                    None if limit is None else limit * factor,
                )
            )
    return measures


def _value(figure, design):
    value = figure.of(design)
    # The share of a resource that the device lacks is infinite, which JSON does not have.
    return None if value is None or value == float("inf") else value


def _lines(design, measures, results):
    """Lines of the hover text of a design."""
    figures = [FIGURES[measure.name] for measure in measures]
    lines = [design.name if design.number else f"lanes {design.lanes}"]
    for figure in figures:
        value = _value(figure, design)
        if value is not None:
            lines.append(
                f"{figure.name}, {figure_source(figure)}: {format_quantity(value, figure.unit)}"
            )
    lines.append(f"lanes: {design.lanes}; bound by {time_words(design)}")
    asked = {limit.name: limit.words for limit in results.prepared.judge.limits}
    lines += [f"misses {asked.get(name, name)}" for name in design.violations]
    return lines


def _details(page, results, commit):
    """Details of each design of the front."""
    network = results.prepared.network
    return {
        number: design_detail(
            page,
            design,
            make_prediction(
                network,
                design.layers,
                design.config,
                **design.memory,
                clock_hz=design.clock_hz,
                seconds=0,
                commit=commit,
                energies=results.prepared.judge.energies,
            ),
            pin_buttons(number) if len(results.front) > 1 else None,
        )
        for number, design in enumerate(results.front)
    }


def _columns(results):
    """Columns of the table of the front."""
    front = results.front
    yield Column("design", lambda design: Note(design.number, pick_button(design.name)))
    for figure in FIGURES.values():
        if any(figure.of(design) is not None for design in front):
            yield _figure_column(figure)
    if len({design.clock_hz for design in front}) > 1:
        yield Column("clock, MHz", lambda design: design.clock_hz / 1e6, decimal(1))
    yield Column("multipliers", lambda design: design.config.multipliers, count, "of weights")
    note = "outputs x inputs x pixels, x frames if two"
    yield Column("lanes", lambda design: design.lanes, note=note)
    for name, heading in differing_options(front).items():
        yield Column(heading, attrgetter(f"config.{name}"), str)
    yield Column("port, bits", lambda design: design.config.data_bits, count)
    if any(design.uses for design in front):
        yield Column(
            "scarcest resource",
            lambda design: Note(_value(FIGURES["share"], design), binding_words(design)),
        )
    yield Column("bound by", time_words)
    yield Column(
        "worst wait",
        lambda design: Note(design.total.largest_stall_share, worst_wait(design.total)),
        note="the cause of most waiting, and its share of the cycles",
    )
    yield Column(
        "MAC utilisation", lambda design: design.total.mac_utilization, percent, "predicted"
    )
    yield Column(
        "idle layers",
        lambda design: len(design.lane_warnings),
        count,
        "layers that leave more than half of the lanes idle",
    )


def _figure_column(figure):
    return Column(
        f"{figure.name} ({figure_source(figure)})",
        lambda design: _value(figure, design),
        lambda value: "" if value is None else format_quantity(value, figure.unit),
        figure.words,
    )
