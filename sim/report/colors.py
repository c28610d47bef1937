"""Colours and style of all figures; a cause of waiting has the same colour in each."""

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

__all__ = [
    "DEPTHWISE_COLOR",
    "INK",
    "KIND_COLORS",
    "MUTED",
    "POINTWISE_COLOR",
    "READ_COLOR",
    "STALL_COLORS",
    "STYLE",
    "WRITTEN_COLOR",
    "choose_colors",
]

INK = "#222222"
MUTED = "#6B6B6B"

#: Colour-blind safe (Okabe and Ito, 2008, and Tol's muted scheme): blue is work, others are not.
POINTWISE_COLOR = "#0072B2"
DEPTHWISE_COLOR = "#6FC1EE"
READ_COLOR = "#E69F00"
WRITTEN_COLOR = "#882255"
STALL_COLORS = {
    "weights": "#D55E00",
    "line_buffer": "#F2C230",
    "activations": "#009E73",
    "drain": "#8C8C8C",
    "requantize": "#CC79A7",
    "parameters": "#44AA99",
    "output": "#882255",
    "residual": "#999933",
    "program": "#332288",
}
OTHER_COLORS = ("#E69F00", "#AA4499", "#117733", "#BBBBBB")
#: What is read from memory.
KIND_COLORS = {
    "weights": "#0072B2",
    "activations": "#009E73",
    "parameters": "#E69F00",
    "taps": "#6FC1EE",
    "program": "#332288",
}

STYLE: "dict[RcKeyType, Any]" = {
    "font.size": 10,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "legend.frameon": False,
}


def choose_colors(names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Colour of each name; those that are not known get one of their own.

    Parameters
    ----------
    names : iterable of str
    known : mapping of str to str
        `STALL_COLORS` or `KIND_COLORS`.
    """
    others = cycle(OTHER_COLORS)
    return {name: known.get(name) or next(others) for name in names}
