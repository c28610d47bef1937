"""Two designs of a front side by side, chosen by the reader of the page."""

import dataclasses

from mnv2.sim.explore.objectives import FIGURES
from mnv2.sim.page.design_detail import RESOURCES, figure_source
from mnv2.sim.page.kit.markup import element
from mnv2.sim.report.run_tables import worst_wait

__all__ = ["add_pinned_designs", "pin_buttons"]

SCRIPT = "pins.js"


def pin_buttons(number):
    """Buttons, for the details of a design, that pin it.

    Parameters
    ----------
    number : int
        Of the design in the front, from 0.

    Returns
    -------
    Markup
    """
    return element(
        "p",
        *(
            element(
                "button",
                f"Pin as {side.upper()}",
                type="button",
                class_="pick",
                data_pin=side,
                data_number=number,
            )
            for side in ("a", "b")
        ),
        class_="controls",
    )


def add_pinned_designs(page, results):
    """Add the section in which two designs are compared.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    results : mnv2.sim.explore.search_results.SearchResults
        With two designs on the front, or more.
    """
    front = results.front
    middle = results.balanced.number - 1
    other = 0 if middle else len(front) - 1
    page.scripts = (*page.scripts, SCRIPT)
    page.data["pins"] = {
        "names": [design.name for design in front],
        "groups": [
            {"title": "Figures", "entries": _figures(front)},
            {"title": "Resources, estimated", "entries": _resources(front)},
            {"title": "Options that differ", "entries": _options(front)},
            {"title": "Cycles by layer, predicted", "entries": _layers(front, "cycles")},
            {"title": "Worst wait by layer, predicted", "entries": _waits(front)},
            {
                "title": "Bytes of external memory by layer, predicted",
                "entries": _layers(front, "dram_bytes"),
            },
        ],
    }
    controls = [
        element(
            "label",
            f"design {side.upper()} ",
            element(
                "select",
                *(
                    element("option", design.name, selected=number == chosen)
                    for number, design in enumerate(front)
                ),
                id=f"pin-{side}",
            ),
        )
        for side, chosen in (("a", middle), ("b", other))
    ]
    heads = [
        element("th", text, scope="col", class_=name or None)
        for text, name in (("", ""), ("A", "number"), ("B", "number"), ("B against A", "number"))
    ]
    page.add(
        "pinned-section",
        "Two designs side by side",
        element(
            "p",
            "Choose two designs here, or pin them from their details. Changes are those from A.",
            class_="explain",
        ),
        element("div", *controls, class_="controls"),
        element(
            "div",
            element(
                "table",
                element("thead", element("tr", *heads)),
                element("tbody"),
                id="pinned",
                class_="pinned",
            ),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label="Two designs side by side",
        ),
    )


def _entry(label, texts, numbers=None, better=None, differing=False):
    """A row: a text for each design of the front, and a number where they can be compared."""
    entry = {"label": label, "texts": texts}
    if numbers is not None:
        # JSON has no infinity: the share of a resource that a device lacks.
        entry["numbers"] = [None if one in (None, float("inf")) else one for one in numbers]
    if better:
        entry["better"] = better
    if differing:
        entry["differing"] = True
    return entry


def _figures(front):
    """Figures that designs of the front have."""
    return [
        _entry(
            f"{figure.words} ({figure_source(figure)})",
            [figure.text(design) if figure.of(design) is not None else "" for design in front],
            [figure.of(design) for design in front],
            "less" if figure.sign > 0 else "more",
        )
        for figure in FIGURES.values()
        if any(figure.of(design) is not None for design in front)
    ]


def _resources(front):
    """Resources that any design takes."""
    counted = [dataclasses.asdict(design.resources) for design in front]
    return [
        _entry(label, [f"{one[name]:,}" for one in counted], [one[name] for one in counted], "less")
        for name, label in RESOURCES.items()
        if any(one[name] for one in counted)
    ]


def _options(front):
    """Options of the accelerator, and the clock, as texts; those that are equal are not shown."""
    made = [
        {**dataclasses.asdict(design.config), "clock, MHz": f"{design.clock_hz / 1e6:g}"}
        for design in front
    ]
    return [_entry(name, [_plain(one[name]) for one in made], differing=True) for name in made[0]]


def _plain(value):
    """An option as reports show it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else str(value)


def _layers(front, name):
    """A figure of each layer of all designs."""
    columns = [[getattr(layer, name) for layer in design.layers] for design in front]
    return [
        _entry(layer.name, [f"{value:,}" for value in values], list(values), "less")
        for layer, values in zip(front[0].layers, zip(*columns, strict=True), strict=True)
    ]


def _waits(front):
    """The worst wait of each layer of all designs."""
    columns = [[worst_wait(layer) for layer in design.layers] for design in front]
    return [
        _entry(layer.name, list(texts), differing=True)
        for layer, texts in zip(front[0].layers, zip(*columns, strict=True), strict=True)
    ]
