"""The space of designs: axes by name, each with the values that the search may choose from."""

import difflib
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mnv2.hw.config import OPERAND_BITS, PACKINGS, RAMS, REQUANTIZERS
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml

__all__ = [
    "AXES",
    "SPACES",
    "DesignAxis",
    "Point",
    "Space",
    "Value",
    "choose_space",
    "parse_values",
    "value_text",
]

#: A value of an axis: a number, a word or a switch.
Value: TypeAlias = int | float | str

#: A value of each axis, by name.
Point: TypeAlias = dict[str, Any]

_SWITCH = (False, True)


@dataclass(frozen=True)
class DesignAxis:
    """One parameter in which designs may differ.

    Attributes
    ----------
    name : str
        A field of `mnv2.hw.config.AcceleratorConfig`, or a factor that `mnv2.sim.explore.buffers`
        derives one from.
    words : str
        Its meaning.
    whole : bool
        Whether its values are integers.
    low, high : float
        Least and greatest value.
    choices : tuple of (int or str or bool)
        All values, in order, of an axis that has a few alone; the others have none here.
    """

    name: str
    words: str
    whole: bool = True
    low: float = 1
    high: float = 2**24
    choices: tuple[Value, ...] = ()

    def place(self, value: Value) -> float:
        """A number that orders the values of the axis."""
        return self.choices.index(value) if self.choices else float(value)


AXES = {
    axis.name: axis
    for axis in (
        DesignAxis(
            "outputs",
            "output channels the array works on at once, a multiple of inputs",
            low=9,
            high=1024,
        ),
        DesignAxis("inputs", "input channels it takes at once", low=3, high=1024),
        DesignAxis("pixels", "pixels of a row it works on at once", high=63),
        DesignAxis("frames", "frames that are computed abreast, 1 or 2", choices=(1, 2)),
        DesignAxis("packing", "pairs of products that share a DSP", choices=PACKINGS),
        DesignAxis(
            "operand_bits",
            "wider operand of a DSP, that pairs are packed into; by default the device's",
            choices=OPERAND_BITS,
        ),
        DesignAxis("weight_bits", "bits of a weight", low=4, high=8),
        DesignAxis("activation_bits", "bits of an activation", low=4, high=8),
        DesignAxis("accumulator_bits", "bits of an accumulator, 16 to 28 or 32", low=16, high=32),
        DesignAxis("requantize", "rounding of a layer's results", choices=REQUANTIZERS),
        DesignAxis(
            "lut_outputs",
            "outputs of the array whose multipliers are made of LUTs, not of DSPs",
            low=0,
            high=1024,
        ),
        DesignAxis(
            "multipliers_in_luts",
            "multipliers of requantisation and residual addition made of LUTs",
            choices=_SWITCH,
        ),
        DesignAxis(
            "residual_lanes",
            "elements added to a block's input in a cycle, a divisor of those of a word",
            high=2**16,
        ),
        DesignAxis(
            "map_share",
            "map memory: 0 is that with which the buffers take the least RAM, and 1 keeps "
            "every map on chip",
            whole=False,
            low=0,
            high=1,
        ),
        DesignAxis(
            "strip_factor",
            "strip memory, as a multiple of that with which the buffers take the least RAM",
            whole=False,
            high=64,
        ),
        DesignAxis(
            "weight_factor", "weight memory, as a multiple of the least", whole=False, high=64
        ),
        DesignAxis("map_ram", "RAM of the map memory", choices=RAMS),
        DesignAxis("weight_ram", "RAM of the ring of weights", choices=RAMS),
        DesignAxis("queue_tiles", "depth of the queues, in tiles of results", low=2, high=1024),
        DesignAxis(
            "data_bits", "width of the memory port in bits: 64, 128, 256 or 512", low=64, high=512
        ),
        DesignAxis("burst_beats", "longest burst, in beats: a power of two", low=2, high=256),
        DesignAxis("outstanding", "reads under way at once", low=2, high=1024),
        DesignAxis(
            "padded_words", "words in external memory padded to whole beats", choices=_SWITCH
        ),
        DesignAxis("counters", "counters of cycles and beats", choices=_SWITCH),
        DesignAxis("clock_mhz", "clock in MHz", whole=False, low=0.001, high=1e6),
        # In place of what is derived:
        DesignAxis("map_words", "map memory, in words", high=2**16 - 1),
        DesignAxis("strip_words", "strip memory, in words", high=2**16 - 1),
        DesignAxis("line_words", "line memory, in words"),
        DesignAxis("weight_words", "weight memory, in words"),
        DesignAxis("tap_words", "memory of 3x3 kernels, in words"),
        DesignAxis("parameter_words", "memory of requantisation parameters, in words"),
        DesignAxis("queue_words", "depth of the queues, in words"),
    )
}
#: An axis that states a size itself, and the one that this size is derived from otherwise.
REPLACED = {
    "map_words": "map_share",
    "strip_words": "strip_factor",
    "weight_words": "weight_factor",
    "queue_words": "queue_tiles",
}

_SHARED: dict[str, tuple[Any, ...]] = {
    "frames": (1, 2),
    "packing": PACKINGS,
    "weight_bits": (8,),
    "activation_bits": (8,),
}
SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    "small": {
        "outputs": (9, 12, 16, 20, 24, 32, 36, 64),
        "inputs": (3, 4, 8, 16, 32),
        "pixels": (1, 2, 3, 4, 7, 14),
        **_SHARED,
        "requantize": ("double",),
        "multipliers_in_luts": _SWITCH,
        "residual_lanes": (1, 2, 4, 16),
        "map_share": (0.0, 0.25, 1.0),
        "strip_factor": (1.0, 2.0),
        "weight_factor": (1.0, 4.0, 16.0),
        "queue_tiles": (16,),
        "data_bits": (64, 128, 256, 512),
        "burst_beats": (16,),
        "outstanding": (16,),
        "padded_words": _SWITCH,
    },
    "full": {
        "outputs": (9, 12, 16, 20, 24, 32, 36, 48, 64, 96, 128),
        "inputs": (3, 4, 6, 8, 12, 16, 24, 32),
        "pixels": (1, 2, 3, 4, 5, 6, 7, 8, 14, 16, 28),
        **_SHARED,
        "requantize": REQUANTIZERS,
        "lut_outputs": (0, 1, 2, 3, 4, 6, 8, 12, 16),
        "multipliers_in_luts": _SWITCH,
        "residual_lanes": (1, 2, 4, 8, 16, 32),
        "map_share": (0.0, 0.125, 0.25, 0.5, 0.75, 1.0),
        "strip_factor": (1.0, 2.0, 4.0),
        "weight_factor": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
        "queue_tiles": (2, 4, 8, 16, 32),
        "data_bits": (64, 128, 256, 512),
        "burst_beats": (4, 8, 16, 32, 64),
        "outstanding": (2, 4, 8, 16, 32),
        "padded_words": _SWITCH,
        "counters": _SWITCH,
    },
}


@dataclass(frozen=True)
class Space:
    """Values of each axis.

    Attributes
    ----------
    values : dict of str to tuple
        In the order of `AXES`, each sorted.
    """

    values: dict[str, tuple[Any, ...]]

    @property
    def size(self) -> int:
        """Combinations, including those that are no design."""
        return math.prod(map(len, self.values.values()))

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the axes with several values."""
        return tuple(name for name, values in self.values.items() if len(values) > 1)

    def points(self) -> Iterator[Point]:
        """Yield every combination in order."""
        for values in itertools.product(*self.values.values()):
            yield dict(zip(self.values, values, strict=True))

    def repaired(self, point: Point) -> Point:
        """The nearest combination whose lanes fit together.

        ``outputs`` become the nearest listed multiple of ``inputs`` (by ratio, the smaller of two),
        ``residual_lanes`` the nearest listed divisor of a word's elements, and ``burst_beats`` the
        longest listed burst of at most 4,096 bytes that is no longer. A ``packing`` that its pixels
        or frames rule out becomes the last listed one that they allow. A point that needs none of
        it stays as it is; so does one that nothing listed repairs.
        """
        changes: Point = {}
        fitting = [value for value in self.values["outputs"] if value % point["inputs"] == 0]
        if fitting:
            changes["outputs"] = _nearest(point["outputs"], fitting)
        if point.get("lut_outputs", 0) > changes.get("outputs", point["outputs"]):
            changes["lut_outputs"] = min(self.values["lut_outputs"])
        frames = point.get("frames", 1)
        if "residual_lanes" in point:
            elements = frames * point["inputs"] * point["pixels"]
            fitting = [value for value in self.values["residual_lanes"] if elements % value == 0]
            if fitting:
                changes["residual_lanes"] = _nearest(point["residual_lanes"], fitting)
        if "packing" in point:
            possible = {"none": True, "pixels": point["pixels"] > 1, "frames": frames > 1}
            wanted = point["packing"], *reversed(self.values["packing"])
            changes["packing"] = next(filter(possible.get, wanted), point["packing"])
        if "burst_beats" in point:
            bursts = [
                value
                for value in self.values["burst_beats"]
                if value <= min(point["burst_beats"], 4096 * 8 // point["data_bits"])
            ]
            changes["burst_beats"] = max(bursts, default=point["burst_beats"])
        return {**point, **changes}


def _nearest(value: float, choices: Sequence[Any]) -> Any:
    """The choice nearest to a value by ratio, the smaller of two."""
    return min(choices, key=lambda choice: (abs(math.log(choice / value)), choice))


def value_text(value: Value) -> str:
    """A value as `parse_values` reads it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def parse_values(axis: DesignAxis, text: str) -> tuple[Any, ...]:
    """Values of an axis from text such as ``8,16,32``, ``2..8``, ``2..4,7`` or ``none,pixels``.

    Parameters
    ----------
    axis : DesignAxis
    text : str

    Returns
    -------
    tuple of (int, float, str or bool)
        Sorted, each once.

    Raises
    ------
    UserError
    """
    if axis.choices:
        known = {value_text(choice): choice for choice in axis.choices}
        return _checked(axis, [known.get(part.strip().lower(), part) for part in text.split(",")])
    values: list[Value] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", part)
        if ends:
            first, last = map(int, ends.groups())
            if first > last or last - first > 1000:
                raise UserError(
                    f"A range of {axis.name} must go up, by 1,000 at most, not {part.strip()!r}"
                )
            values += range(first, last + 1)
            continue
        try:
            values.append(int(part) if axis.whole else float(part))
        except ValueError:
            kind = "integers" if axis.whole else "numbers"
            raise UserError(
                f"{axis.name} must be {kind}, such as {_example(axis)}, not {text!r}"
            ) from None
    return _checked(axis, values)


def _example(axis: DesignAxis) -> str:
    if axis.whole:
        return "2..8" if axis.high < 100 else "8,16,32"
    return "0,0.5,1" if axis.high == 1 else "1,1.5,2"


def _checked(axis: DesignAxis, values: Sequence[Any]) -> tuple[Any, ...]:
    """Sorted values within the bounds of the axis."""
    if not values:
        raise UserError(f"{axis.name} needs at least one value")
    if axis.choices:
        for value in values:
            # 1 is equal to True, and no switch.
            if not any(value == known and type(value) is type(known) for known in axis.choices):
                choices = ", ".join(map(value_text, axis.choices))
                raise UserError(f"{axis.name} must be of {choices}, not {value!r}")
        return tuple(sorted(set(values), key=axis.place))
    for value in values:
        kind: Any = int if axis.whole else (int, float)
        if (
            isinstance(value, bool)
            or not isinstance(value, kind)
            or not axis.low <= value <= axis.high
        ):
            raise UserError(
                f"{axis.name} must be {'an integer' if axis.whole else 'a number'} "
                f"from {axis.low:g} to {axis.high:g}, not {value!r}"
            )
    return tuple(sorted({int(value) if axis.whole else float(value) for value in values}))


def _find_axis(name: str, where: str) -> DesignAxis:
    if name in AXES:
        return AXES[name]
    near = difflib.get_close_matches(name, AXES, 3, 0.5)
    hint = f": did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(AXES)}"
    raise UserError(f"{where} has no axis {name!r}{hint}")


def choose_space(
    choice: str = "small",
    variations: Sequence[str] = (),
    defaults: Mapping[str, tuple[Any, ...]] | None = None,
) -> Space:
    """The space that the user asks for.

    Parameters
    ----------
    choice : str
        A name in `SPACES`, or path of a TOML file: lists by axis, and ``preset``, which names the
        space that the other axes are taken from (default ``"small"``).
    variations : sequence of str
        Changes to that, each ``axis=values``.
    defaults : dict of str to tuple, optional
        Values of axes that were not given, instead of the preset's.

    Returns
    -------
    Space

    Raises
    ------
    UserError

    Examples
    --------
    >>> import mnv2
    >>> mnv2.choose_space("small", ["pixels=1..4", "data_bits=128"]).values["pixels"]
    (1, 2, 3, 4)
    """
    given: dict[str, Any] = {}
    preset = choice
    if choice not in SPACES:
        given = read_toml(
            choice,
            "space",
            missing=f"A space must be one of {', '.join(SPACES)}, or a TOML file, and there is no "
            f"file {choice!r}",
        )
        preset = given.pop("preset", "small")
        if preset not in SPACES:
            raise UserError(
                f"Preset in {choice!r} must be one of {', '.join(SPACES)}, not {preset!r}"
            )
        given = {
            name: _file_values(_find_axis(name, f"The space {choice!r}"), values)
            for name, values in given.items()
        }
    for variation in variations:
        name, separator, text = variation.partition("=")
        if not separator:
            raise UserError(
                f"--vary must be axis=values, such as outputs=8,16,32, pixels=2..8 or "
                f"packing=none,pixels, not {variation!r}"
            )
        axis = _find_axis(name.strip(), "The space")
        given[axis.name] = parse_values(axis, text)
    values = {**SPACES[preset], **(defaults or {}), **given}
    for name, derived in REPLACED.items():
        if name in values:
            if derived in given:
                raise UserError(f"{name} and {derived} say the same thing twice: leave out one")
            values.pop(derived, None)
    return Space({name: values[name] for name in AXES if name in values})


def _file_values(axis: DesignAxis, values: Any) -> tuple[Any, ...]:
    if isinstance(values, str):
        return parse_values(axis, values)
    return _checked(axis, values if isinstance(values, list) else [values])
