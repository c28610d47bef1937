"""A unit of the hardware as a document: its place, its parameters and its ports."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping

from amaranth import Value
from amaranth.hdl import Shape
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from mnv2.hw.units import HardwareUnit
from mnv2.sim.rtl.markdown import markdown_table

__all__ = ["unit_page"]


def unit_page(
    name: str, unit: HardwareUnit, parameters: Mapping[str, object], component: wiring.Component
) -> str:
    """Text of the document of a unit.

    Parameters
    ----------
    name : str
        Its key in `mnv2.hw.units.UNITS`.
    unit : mnv2.hw.units.HardwareUnit
    parameters : dict
        Those that it is built with.
    component : amaranth.lib.wiring.Component
        The unit, built.

    Returns
    -------
    str
        Markdown.
    """
    if unit.places:
        place = f"The accelerator contains it, as {', '.join(f'`{one}`' for one in unit.places)}."
    else:
        place = "A stand-alone unit: the accelerator does not contain it."
    latency = getattr(component, "latency", None)
    lines = [
        f"# {name}",
        "",
        unit.summary,
        "",
        place,
        f"Its source is `{unit.component.__module__}.{unit.component.__qualname__}`.",
        *([f"Its latency is {latency} cycles."] if isinstance(latency, int) else []),
        "",
        "## Parameters",
        "",
        *markdown_table(
            ("parameter", "value"),
            [(f"`{key}`", _text(value)) for key, value in _values(parameters)],
        ),
        "",
        "## Ports",
        "",
        "Besides `clk` and `rst` (synchronous, active high), which a unit of gates alone lacks. A",
        "stream transfers its payload in each cycle in which `valid` and `ready` are high; fields",
        "are given with their bits.",
        "",
        *markdown_table(("port", "direction", "bits", "fields of the payload"), _ports(component)),
        "",
        "## Description",
        "",
        "```text",
        *inspect.cleandoc(unit.component.__doc__ or "").splitlines(),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _values(parameters: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Parameters one by one, those of a configuration too."""
    for key, value in parameters.items():
        if dataclasses.is_dataclass(value):
            yield from vars(value).items()
        else:
            yield key, value


def _text(value: object) -> str:
    """A parameter's value; entries of a dictionary by name."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {entry}" for key, entry in value.items())
    return str(value)


def _ports(component) -> list[tuple[str, str, int, str]]:
    """Name in Verilog, direction, bits and fields of each port."""
    rows = []
    for path, member, value in component.signature.flatten(component):
        rows.append(
            (
                f"`{'__'.join(map(str, path))}`",
                "input" if member.flow == In else "output",
                len(Value.cast(value)),
                _fields(member.shape),
            )
        )
    return rows


def _fields(shape) -> str:
    """Fields of a layout with their bits, one level deep; empty where there are none."""
    layout = shape.as_shape() if isinstance(shape, type) and hasattr(shape, "as_shape") else shape
    if isinstance(layout, data.StructLayout):
        return ", ".join(
            f"{key} {field.offset}" + (f"-{field.offset + width - 1}" if width > 1 else "")
            for key, field in layout
            if (width := Shape.cast(field.shape).width)
        )
    if isinstance(layout, data.ArrayLayout):
        sizes = []
        while isinstance(layout, data.ArrayLayout):
            sizes.append(f"[{layout.length}]")
            layout = layout.elem_shape
        element = Shape.cast(layout)
        return f"{''.join(sizes)} of {element.width} bits" + (", signed" if element.signed else "")
    return ""
