"""Views of a waveform for GTKWave and Surfer: the cause of waiting, then the streams in order.

Ref: GTKWave 3.3 manual, Save Files; its ``analyzer.h`` for the flags of a signal. Surfer's
documentation, Commands.
"""

from dataclasses import dataclass

from mnv2.sim.jobs.files import write_whole
from mnv2.sim.rtl.waveform.scope import is_traced, read_modules

__all__ = ["ViewedSignal", "list_signals", "write_views"]

#: Units in the order in which a word comes by them: from the host's program, over reading from
#: memory, the array and what follows it, to writing. What is not listed comes last.
DATA_ORDER = (
    "",
    "registers",
    "supervisor",
    "turns",
    "sequencer",
    "read_port",
    "map_port.loader",
    "map_port",
    "core.map_memory",
    "core.line_input",
    "core.line_buffer",
    "core.step_input",
    "core.weights",
    "core.taps",
    "core.parameters",
    "core.issue",
    "core.array",
    "core.tile",
    "core.requantize",
    "core.residual",
    "core.pool",
    "core.logits",
    "map_port.storer",
    "write_port",
    "core",
)

#: Flags of a signal in GTKWave's files: right-justified hexadecimal, binary and ASCII; a comment.
_HEXADECIMAL, _BINARY, _ASCII, _COMMENT = "@22", "@28", "@820", "@200"

#: Signals of ``waves.sv`` that say what the accelerator does, and their bits.
_STATE = (("cycle", 32), ("descriptor", 32))
_CAUSE_TEXT_BITS = 128


@dataclass(frozen=True)
class ViewedSignal:
    """A stream's signal in a waveform.

    Attributes
    ----------
    unit : str
        Path of its unit within the accelerator; empty for the accelerator itself.
    name : str
    bits : int
    """

    unit: str
    name: str
    bits: int

    @property
    def path(self):
        """Its path in the waveform."""
        return ".".join(filter(None, ("testbench.dut", self.unit, self.name)))


def list_signals(text, scope):
    """Signals of the streams that a waveform holds, in the order of `DATA_ORDER`.

    Parameters
    ----------
    text : str
        The accelerator's Verilog, as generated or as marked.
    scope : mnv2.sim.rtl.waveform.scope.WaveScope

    Returns
    -------
    list of ViewedSignal
    """
    modules = read_modules(text)
    found: list[ViewedSignal] = []

    def visit(path, module):
        signals, instances = modules[module]
        found.extend(
            ViewedSignal(".".join(path), signal.name, signal.bits)
            for signal in signals
            if signal.port and signal.stream_part and is_traced(signal, scope)
        )
        for name, inner in instances:
            visit((*path, name), inner)

    visit((), "accelerator")
    return sorted(found, key=lambda signal: (_place(signal.unit), signal.unit, signal.name))


def write_views(waves, build):
    """Write the two views of a waveform next to it.

    Parameters
    ----------
    waves : mnv2.sim.rtl.waveform.request.Waves
        Its place is the waveform's file.
    build : mnv2.sim.rtl.build.Build
        The simulation that wrote it.
    """
    text = (build.directory / "sources" / "accelerator.v").read_text()
    signals = list_signals(text, waves.scope)
    file = waves.place.with_suffix(f".{build.waves}").name
    write_whole(waves.place.with_suffix(".gtkw"), _gtkwave(file, signals).encode())
    write_whole(waves.place.with_suffix(".sucl"), _surfer(signals).encode())


def _place(unit):
    """Place of a unit in `DATA_ORDER`: its own, or that of the unit that it is part of."""
    while unit and unit not in DATA_ORDER:
        unit = unit.rpartition(".")[0]
        if unit in ("core", ""):
            return len(DATA_ORDER)
    return DATA_ORDER.index(unit)


def _groups(signals):
    """Signals by unit, in their order."""
    groups: dict[str, list[ViewedSignal]] = {}
    for signal in signals:
        groups.setdefault(signal.unit, []).append(signal)
    return groups


def _gtkwave(file, signals):
    """Save file of GTKWave."""
    lines = [f'[dumpfile] "{file}"', _BINARY, "testbench.clk"]
    lines += [_ASCII, f"testbench.waves.cause_text[{_CAUSE_TEXT_BITS - 1}:0]"]
    lines.append("@24")  # decimal
    lines += [f"testbench.waves.{name}[{bits - 1}:0]" for name, bits in _STATE]
    for unit, members in _groups(signals).items():
        lines += [_COMMENT, f"-{unit or 'accelerator'}"]
        for signal in members:
            if signal.bits == 1:
                lines += [_BINARY, signal.path]
            else:
                lines += [_HEXADECIMAL, f"{signal.path}[{signal.bits - 1}:0]"]
    return "\n".join(lines) + "\n"


def _surfer(signals):
    """Command file of Surfer; a divider's name is one word there."""
    names = ("cause", *(name for name, _ in _STATE))
    lines = ["variable_add testbench.clk", *(f"variable_add testbench.waves.{n}" for n in names)]
    for unit, members in _groups(signals).items():
        lines.append(f"divider_add {unit or 'accelerator'}")
        lines += [f"variable_add {signal.path}" for signal in members]
    return "\n".join([*lines, "zoom_fit"]) + "\n"
