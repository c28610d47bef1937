"""Scope of a waveform, the signals that it holds: chosen when its simulation is built."""

import enum
import re
from dataclasses import dataclass

__all__ = ["Declaration", "WaveScope", "mark_traced", "read_modules"]

_ON, _OFF = "/*verilator tracing_on*/", "/*verilator tracing_off*/"

#: Payloads of streams that the scope ``streams`` holds have this many bits at most: words of data,
#: of which a frame has gigabits, are in ``units``.
STREAM_PAYLOAD_BITS = 64

_DECLARATION = re.compile(
    r"  (?P<kind>input|output|inout|wire|reg) (?:\[(?P<high>\d+):0\] )?(?P<name>\\\S+|\w+)[ ;]"
)
_INSTANCE = re.compile(r"  (?P<module>\\\S+|\w+)\s+(?P<name>\\\S+|\w+)\s+\($")
_MODULE = re.compile(r"module (?P<name>\\\S+|\w+) ?\(")


class WaveScope(enum.StrEnum):
    """How much a waveform holds."""

    #: Ports of the accelerator.
    PORTS = "ports"
    #: In addition valid and ready of each stream, and payloads of few bits.
    STREAMS = "streams"
    #: Ports of each unit.
    UNITS = "units"
    #: Every signal that has a name.
    ALL = "all"


@dataclass(frozen=True)
class Declaration:
    """A signal of a module of generated Verilog.

    Attributes
    ----------
    module : str
        Its module, as Verilog writes it without the backslash.
    name : str
        Its name, without the backslash.
    bits : int
    port : bool
        Whether it is a port of the module.
    """

    module: str
    name: str
    bits: int
    port: bool

    @property
    def stream_part(self):
        """``"valid"``, ``"ready"`` or ``"payload"`` for a stream's part, else None."""
        match = re.fullmatch(r"(?:\w+_|)(valid|ready|payload)|bus__[a-z]+(valid|ready)", self.name)
        return (match[1] or match[2]) if match else None


def is_traced(declaration, scope):
    """Whether a scope holds a signal.

    Parameters
    ----------
    declaration : Declaration
    scope : WaveScope

    Returns
    -------
    bool
    """
    if scope == WaveScope.ALL:
        return not declaration.name.startswith("$")
    # A port whose name Amaranth had to change is one of another unit, which has it by its own name.
    if not declaration.port or "$" in declaration.name:
        return False
    if scope == WaveScope.UNITS or declaration.module == "accelerator":
        return True
    if scope == WaveScope.PORTS:
        return False
    part = declaration.stream_part
    return part is not None and (part != "payload" or declaration.bits <= STREAM_PAYLOAD_BITS)


def mark_traced(text, scope):
    """Mark in generated Verilog which signals Verilator traces.

    Parameters
    ----------
    text : str
        Verilog, as `mnv2.sim.rtl.verilog.generate` returns it.
    scope : WaveScope

    Returns
    -------
    str
        The same Verilog with Verilator's comments.
    """
    lines, inside = [], False
    for line, declaration in _walk(text):
        if line.startswith("module "):
            lines.append(_ON)
            inside = True
        if declaration is not None and is_traced(declaration, scope):
            lines += [_ON, line, _OFF]
        elif _INSTANCE.match(line) and scope != WaveScope.PORTS:
            # That of the line in which an instance is named holds for all in it.
            lines += [_ON, line, _OFF]
        else:
            lines.append(line)
            if inside and line.endswith(");"):
                lines.append(_OFF)
                inside = False
    return "\n".join(lines) + "\n"


def read_modules(text):
    """Signals and instances of each module of generated Verilog.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to (list of Declaration, list of (str, str))
        By module; instances as their names and modules.
    """
    modules: dict[str, tuple[list[Declaration], list[tuple[str, str]]]] = {}
    for line, declaration in _walk(text):
        if match := _MODULE.match(line):
            signals, instances = modules[_plain(match["name"])] = ([], [])
        elif declaration is not None:
            # A port has a second line that says that it is a wire.
            if all(declaration.name != one.name for one in signals[-1:]):
                signals.append(declaration)
        elif match := _INSTANCE.match(line):
            instances.append((_plain(match["name"]), _plain(match["module"])))
    return modules


def _walk(text):
    """Lines of generated Verilog, each with what it declares, or None."""
    ports: set[str] = set()
    module = ""
    for line in text.splitlines():
        if match := _MODULE.match(line):
            module, ports = _plain(match["name"]), set()
        match = _DECLARATION.match(line)
        if match is None:
            yield line, None
            continue
        name = _plain(match["name"])
        if match["kind"] in ("input", "output", "inout"):
            ports.add(name)
        yield line, Declaration(module, name, int(match["high"] or 0) + 1, name in ports)


def _plain(name):
    """A name without the backslash of Verilog's escaped identifiers."""
    return name.removeprefix("\\")
