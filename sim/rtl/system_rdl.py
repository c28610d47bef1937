"""The registers in SystemRDL, from the table that the hardware is made of.

PeakRDL's tools make headers, pages and IP-XACT of it: ``peakrdl html accelerator.rdl -o html``.

Ref: Accellera, SystemRDL 2.0 Register Description Language.
"""

from mnv2.hw.config import COUNTER_COLUMNS, COUNTER_ROWS, COUNTERS, AcceleratorConfig
from mnv2.hw.identity import constant_registers
from mnv2.hw.register_map import COUNTER_OFFSET, COUNTER_ROW_BYTES, REGISTERS, Field, Register
from mnv2.sim.rtl.register_map import describe_counter, member_comments

__all__ = ["system_rdl"]

_DESCRIPTION = (
    "Registers on the AXI4-Lite port, 32 bits each. An address without one, a write to one that is "
    "read only and a read of one that is written only answer with SLVERR."
)

#: Properties of a field, by the access of its register. What the hardware does is seen from it.
_ACCESS = {
    "ro": "sw = r; hw = w;",
    "rw": "sw = rw; hw = r;",
    "w1c": "sw = rw; onwrite = woclr; hw = w; hwset;",
    "wo": "sw = w; hw = r; singlepulse;",
}
#: The same of a value that never changes.
_CONSTANT = "sw = r; hw = na;"


def system_rdl(config: AcceleratorConfig) -> str:
    """Text of the registers of an accelerator in SystemRDL.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
        Gives the values of the registers that never change.

    Returns
    -------
    str
    """
    constants = constant_registers(config)
    enumerations = {
        field.values for one in REGISTERS.values() for field in one.fields if field.values
    }
    lines = [
        "addrmap accelerator {",
        '    name = "MobileNetV2 accelerator";',
        f"    desc = {_quoted(_DESCRIPTION)};",
        "    default regwidth = 32;",
        "    default accesswidth = 32;",
        "    littleendian;",
    ]
    for enumeration in sorted(enumerations, key=lambda one: one.__name__):
        comments = member_comments(enumeration)
        lines += ["", f"    enum {enumeration.__name__.lower()}_values {{"]
        for member in enumeration:
            text = _quoted(comments[member.name])
            lines.append(f"        {member.name} = 4'd{member.value} {{ desc = {text}; }};")
        lines.append("    };")
    for register in REGISTERS.values():
        value = constants.get(register.name, register.reset)
        lines += ["", *_register(register, value)]
    lines += ["", *_counters(), "};"]
    return "\n".join(lines) + "\n"


def _register(register: Register, value: int) -> list[str]:
    """Lines of a register, with its value after reset."""
    lines = ["    reg {", f"        desc = {_quoted(register.meaning)};"]
    for field in register.fields:
        lines += _field(register, field, value >> field.low & (1 << field.width) - 1)
    return [*lines, f"    }} {register.name} @ 0x{register.address:X};"]


def _field(register: Register, field: Field, value: int) -> list[str]:
    """Lines of a field, with its value after reset."""
    access = _CONSTANT if register.constant else _ACCESS[register.access]
    lines = ["        field {", f"            desc = {_quoted(field.meaning)};"]
    lines.append(f"            {access}")
    if field.values:
        lines.append(f"            encode = {field.values.__name__.lower()}_values;")
    end = f"[{field.low + field.width - 1}:{field.low}]"
    return [*lines, f"        }} {field.name}{end} = {field.width}'d{value};"]


def _counters() -> list[str]:
    """Lines of the counters: rows of those of a block and of its stem."""
    lines = ["    regfile counter_values {"]
    for column, name in enumerate(COUNTERS):
        lines += [
            "        reg {",
            f"            desc = {_quoted(describe_counter(name))};",
            "            field { sw = r; hw = w; } COUNT[31:0];",
            f"        }} {name.upper()} @ 0x{4 * column:X};",
        ]
    return [
        *lines,
        "    };",
        "    regfile {",
        f'        desc = "Row of the descriptor of this number, modulo {COUNTER_ROWS}.";',
        "        counter_values BLOCK @ 0x0;",
        f"        counter_values STEM @ 0x{2 * COUNTER_COLUMNS:X};",
        f"    }} COUNTERS[{COUNTER_ROWS}] @ 0x{COUNTER_OFFSET:X} += 0x{COUNTER_ROW_BYTES:X};",
    ]


def _quoted(text: str) -> str:
    """A string of SystemRDL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
