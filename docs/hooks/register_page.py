"""The page of registers, as `mnv2 verilog` writes it for one configuration."""

from mnv2.hw.config import COUNTER_ROWS, PRESETS
from mnv2.sim.rtl.register_map import register_map

__all__ = ["register_page"]

_INTRODUCTION = """
`mnv2 verilog --config NAME --output DIR` writes this page for any configuration, next to the
Verilog; this one is that of `base`. The registers and counters are the same in all of them; the
sizes at the end are not. [How a host uses them](../architecture.md#the-host).
"""


def register_page():
    """Text of the page, in Markdown."""
    title, rest = register_map(PRESETS["base"], rows=COUNTER_ROWS).split("\n", 1)
    return f"{title}\n{_INTRODUCTION}{rest}"
