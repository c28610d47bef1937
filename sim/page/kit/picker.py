"""A scatter plot with axes that the reader chooses and points that open a detail panel."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnv2.sim.page.kit.figure import add_figure, axis, make_plot
from mnv2.sim.page.kit.markup import element, join, plot_text
from mnv2.sim.report.colors import INK, MUTED

__all__ = ["Group", "Measure", "add_picker", "pick_button"]

SCRIPT = "picker.js"


@dataclass(frozen=True)
class Measure:
    """A measure that an axis can show.

    Attributes
    ----------
    name : str
        Key, and text of the list of choices.
    title : str
        Of the axis, with the unit.
    values : sequence of (float or None)
        One for each point.
    tickformat : str
        In d3's notation.
    limit : float, optional
        Limit that was asked for, drawn as a line.
    """

    name: str
    title: str
    values: Sequence[float | None]
    tickformat: str = ",~g"
    limit: float | None = None


@dataclass(frozen=True)
class Group:
    """Points of one colour.

    Attributes
    ----------
    label : str
    numbers : sequence of int
        Of the points.
    color, symbol : str
    size : int
        Pixels.
    """

    label: str
    numbers: Sequence[int]
    color: str
    symbol: str = "circle"
    size: int = 9


def pick_button(text, **attributes):
    """A button, for the first cell of a row, that shows the details of the row."""
    return element("button", text, type="button", class_="pick", aria_pressed="false", **attributes)


def add_picker(page, name, title, explanation, *, measures, groups, texts, axes, details, chosen):
    """Add the figure, the choice of its axes and the panel below it.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    name, title, explanation : str
        Of the figure.
    measures : list of Measure
    groups : list of Group
    texts : list of list of str
        Lines of the hover text, one list for each point.
    axes : (str, str)
        Names of the measures that x and y show first.
    details : dict of int to Markup
        Content of the panel for a chosen point.
    chosen : int or None
        The point that is chosen first.

    Returns
    -------
    Markup
    """
    by_name = {measure.name: measure for measure in measures}
    x, y = (by_name[axis_name] for axis_name in axes)
    hover = ["<br>".join(map(plot_text, lines)) for lines in texts]
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": plot_text(group.label),
            "customdata": group.numbers,
            "x": [x.values[number] for number in group.numbers],
            "y": [y.values[number] for number in group.numbers],
            "text": [hover[number] for number in group.numbers],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"color": group.color, "symbol": group.symbol, "size": group.size},
        }
        for group in groups
        if group.numbers
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "chosen",
            "x": [],
            "y": [],
            "hoverinfo": "skip",
            "showlegend": False,
            "marker": {"symbol": "circle-open", "size": 18, "color": INK, "line": {"width": 2}},
        }
    )
    plot = make_plot(
        traces,
        height=460,
        narrow_height=380,
        hovermode="closest",
        xaxis=axis(x.title, tickformat=x.tickformat),
        yaxis=axis(y.title, tickformat=y.tickformat),
        margin={"l": 72},
    )
    page.scripts = (*page.scripts, SCRIPT)
    page.data["picker"] = {
        "figure": name,
        "chosen": chosen,
        "limit_color": MUTED,
        "measures": {
            measure.name: {
                "title": plot_text(measure.title),
                "values": measure.values,
                "tickformat": measure.tickformat,
                "limit": measure.limit,
            }
            for measure in measures
        },
    }
    controls = [
        element(
            "label",
            f"{side} axis ",
            element(
                "select",
                *(
                    element(
                        "option",
                        measure.title,
                        value=measure.name,
                        selected=measure.name == first.name,
                    )
                    for measure in measures
                ),
                id=f"pick-{side}",
            ),
        )
        for side, first in (("y", y), ("x", x))
    ]
    templates = [
        element("template", detail, id=f"detail-{number}") for number, detail in details.items()
    ]
    return join(
        [
            element("div", *controls, class_="controls"),
            add_figure(page, name, title, explanation, plot),
            element(
                "div",
                id="detail",
                class_="detail",
                tabindex="-1",
                role="region",
                aria_live="polite",
                aria_label="Details of the chosen point",
            ),
            *templates,
        ],
        "\n",
    )
