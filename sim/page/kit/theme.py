"""Colours of a page, light and dark; figures have the colours of the pictures."""

from mnv2.sim.report.colors import INK, KIND_COLORS, MUTED, STALL_COLORS, WRITTEN_COLOR

__all__ = ["DARK_FIGURE_COLORS", "page_variables"]

#: Colours around the figures, by name of a CSS variable: light, dark. Text reaches 4.5 : 1 on
#: both surfaces. Ref: WCAG 2.2, success criterion 1.4.3.
PAGE_COLORS = {
    "ink": (INK, "#E6E6E3"),
    "muted": ("#5C5C5C", "#A8A8A4"),
    "ground": ("#FFFFFF", "#15181C"),
    "surface": ("#F5F6F7", "#1E2228"),
    "line": ("#D5D8DB", "#3A4049"),
    "grid": ("#E3E3E3", "#323840"),
    "accent": ("#0067A3", "#6FC1EE"),
    "chosen": ("#E3F1FA", "#20394A"),
    "good": ("#0B6E4F", "#5CD6A9"),
    "bad": ("#B3261E", "#FF8A80"),
}

#: Replacement on a dark ground of colours of the pictures that would not be visible.
DARK_FIGURE_COLORS = {
    INK: "#E6E6E3",
    MUTED: "#A8A8A4",
    "#0072B2": "#3D9BD6",
    STALL_COLORS["program"]: "#9C90EA",
    KIND_COLORS["program"]: "#9C90EA",
    WRITTEN_COLOR: "#D573A4",
    "#117733": "#4DB373",
    "#DDDDDD": "#4A5058",
}


def page_variables(dark):
    """CSS declarations of the variables.

    Parameters
    ----------
    dark : bool

    Returns
    -------
    str
    """
    return "".join(f"--{name}:{colors[dark]};" for name, colors in PAGE_COLORS.items())
