"""Sources of a simulation that can write a waveform."""

from pathlib import Path

from mnv2.hw.config import CAUSES
from mnv2.hw.passes import Stall
from mnv2.sim.rtl.waveform.scope import WaveScope, mark_traced

__all__ = ["CAUSE_NAMES", "traced_main", "traced_sources"]

_FOLDER = Path(__file__).parent

_ON, _OFF = "/*verilator tracing_on*/", "/*verilator tracing_off*/"

#: Names of the signal ``cause`` by its codes: the causes of waiting have the codes of the hardware.
CAUSE_NAMES = {
    Stall.NONE.value: "none",
    **{Stall[cause.upper()].value: f"wait_{cause}" for cause in CAUSES},
    len(CAUSES) + 1: "work_pointwise",
    len(CAUSES) + 2: "work_depthwise",
    len(CAUSES) + 3: "idle",
}


def traced_sources(sources, scope):
    """Mark what is traced in the sources of an accelerator's simulation, and add ``waves.sv``.

    Parameters
    ----------
    sources : dict of str to str
        Texts by file name, as the simulation without waveforms has them: ``accelerator.v``,
        ``testbench.sv``, the memory and the monitor.
    scope : WaveScope

    Returns
    -------
    dict of str to str
    """
    marked = {}
    for name, text in sources.items():
        if name == "accelerator.v":
            text = mark_traced(text, scope)
        elif name == "testbench.sv":
            text = _mark_testbench(text)
        elif scope != WaveScope.ALL and name.endswith(".sv"):
            text = f"{_OFF}\n{text}\n{_ON}\n"
        marked[name] = text
    return marked | {"waves.sv": _waves_text()}


def traced_main(main):
    """Main program of a simulation that can write a waveform, from that of one that cannot.

    Parameters
    ----------
    main : str
        C++ text of ``main.cpp``.

    Returns
    -------
    str
    """
    return (_FOLDER / "window.h").read_text() + main


def _mark_testbench(text):
    """Trace the clock, and the accelerator, but nothing else of the testbench."""
    begin, end = text.index("    accelerator dut ("), text.index("    // Places in the memory")
    header = text.index(");\n", text.index("module testbench")) + 3
    return (
        f"{text[:header]}{_OFF}\n{text[header:begin]}{_ON}\n{text[begin:end]}{_OFF}\n"
        f"{text[end:].replace('endmodule', _ON + chr(10) + 'endmodule')}"
    )


def _waves_text():
    """Module of the cause of waiting, with the causes that the hardware has."""
    codes = ", ".join(f"{name} = {code}" for code, name in sorted(CAUSE_NAMES.items()))
    texts = "\n".join(
        f'            {name}: cause_text = "{name}";' for name in CAUSE_NAMES.values()
    )
    text = (_FOLDER / "waves.sv").read_text()
    text = text.replace("// CAUSES", f"typedef enum logic [3:0] {{{codes}}} cause_t;", 1)
    return text.replace(
        "        // TEXTS",
        f'        case (cause)\n{texts}\n            default: cause_text = "?";\n        endcase',
    )
