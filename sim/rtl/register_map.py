"""The register map as a document, from the table that the hardware is made of."""

import inspect
import re

from mnv2.hw.config import COUNTERS
from mnv2.hw.identity import constant_registers
from mnv2.hw.passes import Stall
from mnv2.hw.register_map import COUNTER_OFFSET, COUNTER_ROW_BYTES, REGISTERS, Status
from mnv2.sim.rtl.markdown import markdown_table

__all__ = ["describe_counter", "member_comments", "register_map"]


def register_map(config, *, rows):
    """Text of the register map of an accelerator.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
        Gives the other facts that are stated: the memory port, the lanes, the buffers.
    rows : int
        Rows of counters, `mnv2.hw.config.COUNTER_ROWS`.

    Returns
    -------
    str
        Markdown.
    """
    constants = constant_registers(config)
    status = member_comments(Status)
    stem = COUNTER_ROW_BYTES // 2
    lines = [
        "# Registers of the accelerator",
        "",
        "On the AXI4-Lite port `control`: 32 bits each, little-endian. An address without a",
        "register, a write to one that is read only (`ro`) and a read of one that is written only",
        "(`wo`) answer with SLVERR and do nothing. `w1c` is read, and cleared by writing 1.",
        "",
        *markdown_table(
            ("address", "register", "access", "value", "meaning"),
            [
                (
                    f"`0x{one.address:04X}`",
                    f"`{name}`",
                    f"`{one.access}`",
                    f"`0x{constants[name]:X}`" if one.constant else "",
                    one.meaning,
                )
                for name, one in REGISTERS.items()
            ],
        ),
        "",
        "## Fields",
        "",
        "Bits of no field read 0 and ignore writes.",
        "",
        *markdown_table(
            ("register", "bits", "field", "reset", "meaning"),
            [
                (
                    f"`{name}`",
                    f"{field.low + field.width - 1}:{field.low}"
                    if field.width > 1
                    else str(field.low),
                    f"`{field.name}`",
                    str(_value(constants.get(name, one.reset), field)),
                    field.meaning,
                )
                for name, one in REGISTERS.items()
                for field in one.fields
            ],
        ),
        "",
        "## Values of `STATUS`",
        "",
        *markdown_table(
            ("value", "name", "meaning"),
            [(member.value, f"`{member.name}`", status[member.name]) for member in Status],
        ),
        "",
        "## Counters",
        "",
        "Row r, of the descriptor that is executed as number r since the start (from 0, modulo",
        f"{rows}: of a program of many turns the last {rows} are kept), begins at",
        f"`0x{COUNTER_OFFSET:04X} + 0x{COUNTER_ROW_BYTES:X} * r`; the addresses below are offsets",
        f"from there. Those of the stem before the block are `0x{stem:X}` higher. Each start",
        "begins with row 0.",
        *([] if config.counters else ["This accelerator counts nothing: all of them read 0."]),
        "",
        *markdown_table(
            ("offset", "counter", "counts"),
            [
                (f"`0x{4 * column:02X}`", f"`{name}`", describe_counter(name))
                for column, name in enumerate(COUNTERS)
            ],
        ),
        "",
        "## This accelerator",
        "",
        f"{config.multipliers} products a cycle, {config.weight_bits} x {config.activation_bits}",
        f"bits each ({config.outputs} outputs x {config.inputs} inputs x {config.pixels} pixels x",
        f"{config.frames} frame{'s' if config.frames > 1 else ''} abreast); memory",
        f"port `bus` of {config.data_bits} bits, bursts of up to {config.burst_beats} beats,",
        f"{config.outstanding} reads under way.",
        "",
        *markdown_table(
            ("buffer", "bytes"),
            [
                *((name, f"{size:,}") for name, size in config.buffer_bytes.items()),
                ("together", f"{config.on_chip_bytes:,}"),
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


def _value(value, field):
    """Value of a field."""
    return value >> field.low & (1 << field.width) - 1


def member_comments(enumeration):
    """Text of the ``#:`` comment before each member of an enumeration, from its source.

    Parameters
    ----------
    enumeration : type

    Returns
    -------
    dict of str to str
        By name of the member, each on one line.

    Raises
    ------
    ValueError
        If a member has no comment.
    """
    comments, pending = {}, []
    for line in inspect.getsource(enumeration).splitlines():
        comment = re.match(r"\s+#: ?(.*)", line)
        member = re.match(r"\s+(\w+)\s*=", line)
        if comment:
            pending.append(comment[1].strip())
            continue
        if member and pending:
            comments[member[1]] = " ".join(pending).replace("``", "`")
        pending = []
    comments = {
        name: re.sub(r":class:`~?[\w.]*?(\w+)`", r"`\1`", text) for name, text in comments.items()
    }
    missing = [member.name for member in enumeration if member.name not in comments]
    if missing:
        raise ValueError(
            f"Members of {enumeration.__name__} must have a comment, not {', '.join(missing)}"
        )
    return comments


def describe_counter(name):
    """Meaning of a counter.

    Parameters
    ----------
    name : str
        One of `mnv2.hw.config.COUNTERS`.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the name follows none of the known forms.
    """
    kind, _, rest = name.partition("_")
    if kind == "stall":
        return f"Cycles without work: {_lower(member_comments(Stall)[rest.upper()])}"
    if kind == "read":
        return f"Beats read of the stream {rest}."
    known = {
        "cycles": "Cycles, from the end of the descriptor before to its own.",
        "pointwise": "Cycles in which the array works on 1x1 convolutions.",
        "depthwise": "Cycles in which the array works on 3x3 windows.",
        "write": "Beats written.",
    }
    if name not in known:
        raise ValueError(f"A counter must have a known meaning, not {name!r}")
    return known[name]


def _lower(sentence):
    """A sentence that follows a colon."""
    return sentence[0].lower() + sentence[1:]
