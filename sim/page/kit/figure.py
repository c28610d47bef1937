"""A figure on a page: its frame in HTML, and the plot that plotly draws in it."""

from mnv2.sim.page.kit.markup import element, join
from mnv2.sim.page.kit.page import import_plotly

__all__ = ["add_figure", "axis", "make_plot", "plain_hover"]


def axis(title, **others):
    """An axis with its title, which states the unit."""
    return {"title": {"text": title}, **others}


def plain_hover(label, value="%{y:,.0f}", unit=""):
    """Hover text of a series: its name, the number, the unit."""
    return f"{label}: {value}{f' {unit}' if unit else ''}<extra></extra>"


def make_plot(traces, *, height, narrow_height=None, narrow=None, labels=None, **layout):
    """A plot as the page's script takes it, checked by plotly.

    Parameters
    ----------
    traces : list of dict
    height, narrow_height : int
        Pixels, and those on a narrow screen if they differ.
    narrow : dict of str to dict, optional
        Changes of parts of the layout, such as ``yaxis``, on a narrow screen.
    labels : list of dict, optional
        ``text`` over ``begin`` to ``end`` of the first axis, where there is room.
    **layout : dict, list, str or number
        Plotly's.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If plotly has no such property, or it must not have this value.
    """
    margin = {"t": 20, "r": 16, "b": 40, **layout.pop("margin", {})}
    figure = import_plotly().graph_objects.Figure(
        traces, {**layout, "margin": margin, "height": height}
    )
    plot = figure.to_plotly_json()
    # The page's theme replaces it.
    plot["layout"].pop("template", None)
    plot |= {"narrow_height": narrow_height, "narrow": narrow or {}}
    if labels:
        plot["labels"] = labels
    return plot


def add_figure(page, name, title, explanation, plot, *, legend=True):
    """Add a plot to a page.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    name : str
        Its key among the page's figures.
    title, explanation : str
    plot : dict
        See `make_plot`.
    legend : bool
        Whether it has a legend, in which series can be hidden.

    Returns
    -------
    Markup
        The frame of the plot.
    """
    page.figures[name] = plot
    label = f"figure-{name}"
    return element(
        "figure",
        element("h3", title, id=label),
        element("p", explanation, class_="explain"),
        element("div", class_="plot", data_figure=name, role="img", aria_labelledby=label),
        element("ul", class_="legend", aria_label="Series") if legend else join([]),
    )
