"""Tables that can be sorted by a click or a key on a heading."""

from collections.abc import Callable
from dataclasses import dataclass

from mnv2.sim.page.kit.markup import element

__all__ = ["Column", "Note", "count", "decimal", "difference", "percent", "signed", "table"]


def count(value):
    """``12,345``; nothing for None."""
    return "" if value is None else f"{value:,.0f}"


def signed(value):
    """``+12``, ``-3``, ``0``."""
    return f"{value:+,}" if value else "0"


def percent(value):
    """``12.3 %`` of a share."""
    return "" if value is None else f"{value:.1%}".replace("%", " %")


def decimal(digits):
    """A function that writes a number with so many digits behind the point."""
    return lambda value: "" if value is None else f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    heading : str
    value : function of a row
        What is sorted by: a number, a text, or None.
    show : function of a value, optional
        What is written; without it the value is a text. A column with it is of numbers.
    note : str
        What the figure means, on the heading.
    """

    heading: str
    value: Callable
    show: Callable | None = None
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A cell that is written otherwise than its column.

    Attributes
    ----------
    value : number, str or None
        What is sorted by.
    text : str or Markup
    class_ : str
        A class of the style sheet: ``good`` or ``bad``.
    """

    value: object
    text: object
    class_: str = ""


def difference(one, other):
    """What gives the cell of a row's difference between two of its keys, green where it is 0."""

    def cell(row):
        value = row[one] - row[other]
        return Note(value, signed(value), "bad" if value else "good")

    return cell


def table(name, caption, columns, rows, *, total=None, note="", keys=None):
    """A table in a box of its own, in which it scrolls where it is wider than the page.

    Parameters
    ----------
    name : str
        The ``id`` of the table, once on a page.
    caption : str
    columns : list of Column
        The first names the row.
    rows : sequence
        What the columns' functions are called on.
    total : object, optional
        A last row, which stays last.
    note : str
        What the reader must know, below it.
    keys : sequence of str, optional
        ``data-key`` of each row, by which a script finds it.

    Returns
    -------
    Markup
    """
    heads = [
        element(
            "th",
            element("button", column.heading, type="button", title=column.note or None),
            scope="col",
            class_="number" if column.show else None,
            # The rows come in the order of the network.
            aria_sort="none",
        )
        for column in columns
    ]
    keys = keys or [None] * len(rows)
    body = [_row(columns, row, key) for row, key in zip(rows, keys, strict=True)]
    foot = element("tfoot", _row(columns, total)) if total is not None else None
    label = f"caption-{name}"
    content = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *body),
        foot,
        id=name,
        class_="sortable",
        aria_labelledby=label,
    )
    # The caption stays where it is while the table scrolls below it.
    return element(
        "div",
        element("p", caption, id=label, class_="caption"),
        element(
            "div", content, class_="scroll", tabindex="0", role="region", aria_labelledby=label
        ),
        element("p", note, class_="note") if note else None,
        class_="table",
    )


def _row(columns, row, key=None):
    cells = []
    for number, column in enumerate(columns):
        value = column.value(row)
        shown = (
            value
            if isinstance(value, Note)
            else Note(value, column.show(value) if column.show else value)
        )
        classes = " ".join(filter(None, ("number" if column.show else "", shown.class_)))
        attributes = {"class_": classes or None}
        # The script reads what is written, thousands marked by commas.
        if str(shown.text).replace(",", "") != str(shown.value):
            attributes["data_value"] = "" if shown.value is None else shown.value
        if number:
            cells.append(element("td", shown.text, **attributes))
        else:
            cells.append(element("th", shown.text, scope="row", **attributes))
    return element("tr", *cells, data_key=key)
