"""The provenance of a report on its page: configuration, versions, and the command line."""

from mnv2.sim.page.kit.markup import element, escape

__all__ = ["add_made_with", "facts", "pairs", "tiles"]


def facts(items):
    """A list of names and their values.

    Parameters
    ----------
    items : dict of str to (Markup, str or number)
        Empty ones are left out.

    Returns
    -------
    Markup
    """
    pairs = [
        element("div", element("dt", name), element("dd", value))
        for name, value in items.items()
        if escape(value)
    ]
    return element("dl", *pairs, class_="facts")


def tiles(items):
    """The main figures of a page, in large type.

    Parameters
    ----------
    items : sequence of (str, str) or (str, str, str)
        The figure with its unit, its description, and a class of the style sheet.

    Returns
    -------
    Markup
    """
    parts = [
        element("li", element("strong", figure, class_=(*classes, None)[0]), element("span", what))
        for figure, what, *classes in items
    ]
    return element("ul", *parts, class_="tiles")


def pairs(values):
    """``outputs 16, inputs 4`` of a dictionary."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value):
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def add_made_with(
    page, *, command, items, configuration, versions, commit, more=None, memory=None, on_chip=None
):
    """Add the provenance: input and command line at the top, configuration and versions at the end.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    command : str
        The command line that reproduces the report.
    items : dict of str to str
        The input of the run, by name: at the top.
    configuration, versions : dict
    commit : str
    more : dict of str to str, optional
        Further entries at the end.
    memory : dict, optional
        That of the memory model.
    on_chip : dict of str to int, optional
        Bytes of the buffers.
    """
    commit = element("code", commit)
    page.summary = facts(
        {
            **items,
            "commit": commit,
            "command": element("pre", element("code", command), id="command") if command else "",
        }
    )
    page.add(
        "made-with",
        "Provenance",
        facts(
            {
                "configuration": pairs(configuration),
                **(more or {}),
                "buffers, bytes": pairs(on_chip or {}),
                "memory": pairs(memory or {}),
                "versions": pairs(versions),
            }
        ),
    )
