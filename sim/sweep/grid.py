"""The formats of a sweep: axes, the lists a user writes for them, and the points that follow.

A point is one choice on every axis. The product of the lists is the sweep; the default sweep is a
union of several products. Points are sorted and occur once, whatever the order of the lists.
"""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from mnv2.sim.errors import UserError

__all__ = [
    "AXES",
    "AXES_BY_FIELD",
    "DEFAULT_GRIDS",
    "FormatAxis",
    "Grid",
    "Point",
    "expand_grids",
    "parse_list",
    "position",
    "varied_axes",
    "way_words",
]

SWITCH = ("off", "on")
#: Values by field; a field that is absent has the value of `Point`.
Grid: TypeAlias = dict[str, tuple[int | str, ...]]


@dataclasses.dataclass(frozen=True)
class FormatAxis:
    """One choice that a format makes.

    Attributes
    ----------
    option : str
        Name of the command's option, without dashes.
    field : str
        Name in `Point`, in tables and in files.
    values : tuple of (int or str)
        Valid values in order: all integers, or all words.
    help : str
        What it decides, for ``--help``.
    """

    option: str
    field: str
    values: tuple[int | str, ...]
    help: str

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, which may be written as ranges."""
        return isinstance(self.values[0], int)

    @property
    def valid(self) -> str:
        """The values in words."""
        if not self.numeric:
            return ", ".join(map(str, self.values))
        runs: list[list[int]] = []
        for value in map(int, self.values):
            if runs and value == runs[-1][-1] + 1:
                runs[-1].append(value)
            else:
                runs.append([value])
        return " or ".join(
            f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs
        )


AXES = (
    FormatAxis("weights", "weight_bits", tuple(range(2, 9)), "Bits of a weight, sign included."),
    FormatAxis("activations", "activation_bits", (*range(4, 9), 16), "Bits of an activation."),
    FormatAxis(
        "granularity",
        "granularity",
        ("tensor", "channel"),
        "One weight scale for each layer, or one for each of its output channels.",
    ),
    FormatAxis(
        "scales",
        "scales",
        ("real", "power-of-two"),
        "Scales of any size, or powers of two, which hardware multiplies by with a shift.",
    ),
    FormatAxis(
        "ranges",
        "ranges",
        ("mean-minmax", "minmax", "percentile", "least-squares", "entropy"),
        "How the pictures of calibration decide an activation's range.",
    ),
    FormatAxis(
        "weight-ranges",
        "weight_ranges",
        ("minmax", "least-squares"),
        "Weight ranges that end at the largest weight, or where the squared error is least.",
    ),
    FormatAxis(
        "first-last",
        "first_last",
        ("same", "8"),
        "Bits of the first and of the last layer: as all others, or 8.",
    ),
    FormatAxis(
        "expanded",
        "expanded_bits",
        ("same", "4", "5", "6", "7", "8"),
        "Bits of the maps inside blocks, outputs of expand and depthwise: as all others, or these.",
    ),
    FormatAxis(
        "layer-weights",
        "layer_weights",
        ("same", "depthwise-8", "by-size"),
        "Weight bits of all layers the same; 8 for depthwise ones; or shared out, as many in all "
        "and more for layers with few weights.",
    ),
    FormatAxis(
        "rounding",
        "rounding",
        ("double", "single", "truncate"),
        "How requantisation rounds: twice as LiteRT does, once, or not at all.",
    ),
    FormatAxis(
        "multiplier-bits",
        "multiplier_bits",
        tuple(range(8, 33)),
        "Bits of the multiplier of requantisation, sign included.",
    ),
    FormatAxis(
        "accumulator-bits", "accumulator_bits", tuple(range(12, 33)), "Bits of an accumulator."
    ),
    FormatAxis(
        "overflow", "overflow", ("wrap", "saturate"), "Behaviour of an accumulator that overflows."
    ),
    FormatAxis(
        "equalization",
        "equalization",
        SWITCH,
        "Cross-layer equalisation with absorption of high biases.",
    ),
    FormatAxis(
        "bias-correction",
        "bias_correction",
        SWITCH,
        "Biases that take back the mean error of each layer, as calibration shows it.",
    ),
    FormatAxis(
        "adaptive-rounding",
        "adaptive_rounding",
        SWITCH,
        "Weights rounded up or down by reconstruction of each layer's output: slow.",
    ),
)


#: Axes by the field of `Point`.
AXES_BY_FIELD = {axis.field: axis for axis in AXES}


@dataclasses.dataclass(frozen=True)
class Point:
    """One format: a value of each of `AXES`, by field; the defaults are the unrepaired W8A8."""

    weight_bits: int = 8
    activation_bits: int = 8
    granularity: str = "channel"
    scales: str = "real"
    ranges: str = "mean-minmax"
    weight_ranges: str = "minmax"
    first_last: str = "same"
    expanded_bits: str = "same"
    layer_weights: str = "same"
    rounding: str = "double"
    multiplier_bits: int = 32
    accumulator_bits: int = 32
    overflow: str = "wrap"
    equalization: str = "off"
    bias_correction: str = "off"
    adaptive_rounding: str = "off"

    @property
    def key(self) -> str:
        """16 hexadecimal digits that name the point."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The point in short: its widths, and the other choices that are not the default."""
        base = Point()
        others = [
            describe(axis, getattr(self, axis.field))
            for axis in AXES[2:]
            if getattr(self, axis.field) != getattr(base, axis.field)
        ]
        return " ".join([f"W{self.weight_bits}A{self.activation_bits}", *others])


def describe(axis: FormatAxis, value: int | str) -> str:
    """A value in words that need no heading."""
    if axis.values == SWITCH:
        name = axis.option.replace("-", " ")
        return name if value == "on" else f"no {name}"
    return {
        "granularity": f"per {value}",
        "scales": f"{value} scales",
        "first_last": f"first and last layer at {value}"
        if value == "8"
        else "first and last layer as all",
        "expanded_bits": f"A{value} inside blocks" if value != "same" else "blocks inside as all",
        "layer_weights": {
            "same": "weight bits as all",
            "depthwise-8": "depthwise weights at 8",
            "by-size": "weight bits by size",
        }.get(str(value), ""),
        "rounding": f"{value} rounding" if value != "truncate" else "truncated",
        "multiplier_bits": f"{value}-bit multipliers",
        "accumulator_bits": f"{value}-bit accumulators",
        "overflow": "wrapping" if value == "wrap" else "saturating",
        "ranges": f"{value} ranges",
        "weight_ranges": f"{value} weight ranges",
        "weight_bits": f"W{value}",
        "activation_bits": f"A{value}",
    }[axis.field]


#: The default sweep: each row a product, everything else as in `Point`.
DEFAULT_GRIDS: tuple[Grid, ...] = (
    # What per-channel scales buy, what equalisation repairs, what powers of two cost.
    {
        "weight_bits": (3, 4, 5, 6, 7, 8),
        "activation_bits": (4, 5, 6, 8, 16),
        "granularity": ("tensor", "channel"),
    },
    {
        "weight_bits": (3, 4, 5, 6, 7, 8),
        "activation_bits": (4, 5, 6, 8, 16),
        "granularity": ("tensor", "channel"),
        "equalization": ("on",),
    },
    {
        "weight_bits": (3, 4, 5, 6, 7, 8),
        "activation_bits": (4, 5, 6, 8, 16),
        "scales": ("power-of-two",),
    },
    # One thing changed at a time, compared with W8A8.
    {"ranges": ("mean-minmax", "minmax", "percentile", "least-squares", "entropy")},
    {"rounding": ("single", "truncate")},
    {"multiplier_bits": (8, 10, 12, 16)},
    {"accumulator_bits": (16, 18, 20, 24), "overflow": ("wrap", "saturate")},
    # What repairs weights of few bits.
    {
        "weight_bits": (3, 4, 5, 6, 7, 8),
        "activation_bits": (4, 6, 8),
        "bias_correction": ("on",),
        "adaptive_rounding": ("on",),
    },
    {"weight_bits": (4, 6, 8), "bias_correction": ("on",)},
    {"weight_bits": (4, 6), "first_last": ("8",)},
    {
        "weight_bits": (4,),
        "weight_ranges": ("least-squares",),
        "bias_correction": ("off", "on"),
        "adaptive_rounding": ("off", "on"),
    },
)


def parse_list(axis: FormatAxis, text: str) -> tuple[int | str, ...]:
    """The values that a user's list means.

    Parameters
    ----------
    axis : FormatAxis
    text : str
        Values and, for numbers, ranges of them with both ends, such as ``3..5,8``.

    Returns
    -------
    tuple
        In the order of the axis, each once.

    Raises
    ------
    UserError
        If one is not a value of the axis.
    """
    chosen: set[int | str] = set()
    for item in text.split(","):
        chosen.update(_parse_item(axis, item.strip(), text))
    return tuple(value for value in axis.values if value in chosen)


def _parse_item(axis: FormatAxis, item: str, text: str) -> list[int | str]:
    """Values of one item between commas."""
    if axis.numeric:
        match = re.fullmatch(r"(\d{1,4})(?:\.\.(\d{1,4}))?", item)
        if match:
            first, last = int(match[1]), int(match[2] or match[1])
            found = [value for value in axis.values if first <= int(value) <= last]
            # Both ends are values; what lies between need not be (4..16 means 4 to 8 and 16).
            if found and found[0] == first and found[-1] == last:
                return found
        example = f"{axis.values[1]}..{axis.values[-2]} or {axis.values[0]},{axis.values[-1]}"
        raise UserError(
            f"--{axis.option} must be a list of {axis.valid}, such as {example}, not {text!r}"
        )
    if item in axis.values:
        return [item]
    raise UserError(f"--{axis.option} must be a list of {axis.valid}, not {text!r}")


def expand_grids(grids: Iterable[Grid]) -> list[Point]:
    """Points of several products together, sorted by the axes in turn, each once.

    Parameters
    ----------
    grids : iterable of Grid

    Returns
    -------
    list of Point

    Raises
    ------
    ValueError
        If a field or a value is not of the axes.
    """
    points = set()
    for grid in grids:
        for field, values in grid.items():
            if field not in AXES_BY_FIELD:
                raise ValueError(
                    f"A grid must have fields of {', '.join(AXES_BY_FIELD)}, not {field!r}"
                )
            for value in values:
                if value not in AXES_BY_FIELD[field].values:
                    raise ValueError(
                        f"{field} must be of {AXES_BY_FIELD[field].valid}, not {value!r}"
                    )
        for values in itertools.product(*grid.values()):
            choices: dict[str, Any] = dict(zip(grid, values, strict=True))
            points.add(Point(**choices))
    return sorted(points, key=position)


def position(point: Point) -> tuple[int, ...]:
    """Places of a point's values on the axes, which points are sorted by."""
    return tuple(axis.values.index(getattr(point, axis.field)) for axis in AXES)


def varied_axes(points: Sequence[Point]) -> list[FormatAxis]:
    """Axes on which points differ."""
    return [axis for axis in AXES if len({getattr(point, axis.field) for point in points}) > 1]


def way_words(point: Point, axes: Sequence[FormatAxis]) -> list[str]:
    """The choices of a point other than its widths, in words, where they are not the default.

    Parameters
    ----------
    axes : sequence of FormatAxis
        Those that matter: of them granularity is always said, widths never.

    Returns
    -------
    list of str
    """
    return [
        describe(axis, getattr(point, axis.field))
        for axis in axes
        if axis.field not in ("weight_bits", "activation_bits")
        and (
            axis.field == "granularity"
            or getattr(point, axis.field) != getattr(Point(), axis.field)
        )
    ]
