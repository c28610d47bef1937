"""Tables that can be sorted by a click or a key on a heading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mnv2.sim.page.kit.markup import element

__all__ = [
    "Column",
    "Note",
    "change",
    "count",
    "decimal",
    "difference",
    "percent",
    "signed",
    "table",
]


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
    """Make a function that writes a number with this many decimal places."""
    return lambda value: "" if value is None else f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    heading : str
    value : function of a row
        Sort key: a number, a text, or None.
    show : function of a value, optional
        Text of the value; columns of numbers have it, default is the value itself as text.
    note : str
        Meaning of the figure, shown on the heading.
    """

    heading: str
    value: Callable[[Any], Any]
    show: Callable[[Any], str] | None = None
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A cell whose text or colour differs from those of its column.

    Attributes
    ----------
    value : number, str or None
        Sort key.
    text : str, Markup, number or None
    class_ : str
        A class of the style sheet: ``good`` or ``bad``.
    """

    value: float | str | None
    text: str | float | None
    class_: str = ""


def difference(one, other):
    """Make a function of a row: the cell of the difference of two of its keys, green if 0."""

    def cell(row):
        value = row[one] - row[other]
        return Note(value, signed(value), "bad" if value else "good")

    return cell


def change(share, *, better):
    """Cell of a relative change: green or red, unless it is rounded to nothing.

    Parameters
    ----------
    share : float or None
        None where there is nothing to compare.
    better : bool
        Whether a change of this sign is an improvement.
    """
    if share is None:
        return Note(None, "")
    shown = f"{share:+.1%}".replace("%", " %") if share else "0"
    if shown in ("0", "+0.0 %", "-0.0 %"):
        return Note(share, shown)
    return Note(share, shown, "good" if better else "bad")


def table(name, caption, columns, rows, *, total=None, note="", keys=None):
    """A table in a box of its own, which scrolls if it is wider than the page.

    Parameters
    ----------
    name : str
        The ``id`` of the table, once on a page.
    caption : str
    columns : list of Column
        The first names the row.
    rows : sequence
        Arguments of the columns' functions.
    total : optional
        A last row, which stays last whatever the order.
    note : str
        A remark below the table.
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
    # The caption does not scroll with the table.
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
        attributes: dict[str, float | str | None] = {"class_": classes or None}
        # The script reads the text, in which commas mark thousands.
        if str(shown.text).replace(",", "") != str(shown.value):
            attributes["data_value"] = "" if shown.value is None else shown.value
        if number:
            cells.append(element("td", shown.text, **attributes))
        else:
            cells.append(element("th", shown.text, scope="row", **attributes))
    return element("tr", *cells, data_key=key)
