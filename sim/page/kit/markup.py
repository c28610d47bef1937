"""HTML from Python: all text is escaped, except markup that was made here."""

import html
import json

__all__ = ["Markup", "element", "escape", "join", "plot_text", "script_json"]

#: Elements without an end tag.
VOID = {"br", "hr", "input", "link", "meta", "col"}


class Markup(str):
    """HTML that was made here; any other string is escaped in a page."""

    __slots__ = ()


def escape(content):
    """Content as HTML.

    Parameters
    ----------
    content : Markup, str, number or None
        Anything but `Markup` is text; None is nothing.

    Returns
    -------
    Markup
    """
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    return Markup(html.escape(str(content), quote=True))


def join(parts, separator=""):
    """Parts in sequence, each escaped."""
    return Markup(separator.join(map(escape, parts)))


def element(name, /, *content, **attributes):
    """An element.

    Parameters
    ----------
    name : str
    *content : Markup, str, number or None
        Its content; text is escaped.
    **attributes : str, number, bool or None
        ``class_`` for ``class``, ``data_key`` for ``data-key``; True for an attribute without a
        value, None and False for none.

    Returns
    -------
    Markup
    """
    written = []
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {key}")
        elif value is not None and value is not False:
            written.append(f' {key}="{html.escape(str(value), quote=True)}"')
    begin = f"<{name}{''.join(written)}>"
    return Markup(begin if name in VOID else f"{begin}{join(content)}</{name}>")


def script_json(value):
    """JSON in which no text can end the script element around it.

    Parameters
    ----------
    value : dict, list, str, number or None
        Of values that JSON has; no infinities.

    Returns
    -------
    Markup
        ``<``, ``>`` and ``&`` are escaped as JSON escapes characters.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def plot_text(text):
    """Text for a plot, whose library interprets a few tags of HTML in its labels."""
    return str(html.escape(str(text), quote=False))
