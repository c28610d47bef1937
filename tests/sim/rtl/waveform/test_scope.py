"""Signals of the accelerator's Verilog that are traced, by scope."""

import pytest

from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import PRESETS
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.rtl.waveform.scope import (
    STREAM_PAYLOAD_BITS,
    WaveScope,
    is_traced,
    mark_traced,
    read_modules,
)
from mnv2.sim.rtl.waveform.view import DATA_ORDER, list_signals


@pytest.fixture(scope="module")
def text():
    return generate(Accelerator, name="accelerator", config=PRESETS["tiny"])


def traced(text, scope):
    return {
        (signal.module, signal.name)
        for signals, _ in read_modules(text).values()
        for signal in signals
        if is_traced(signal, scope)
    }


def test_each_scope_holds_the_one_before(text):
    ports, streams, units, everything = (traced(text, scope) for scope in WaveScope)
    assert ports < streams < units < everything
    assert {module for module, _ in ports} == {"accelerator"}
    assert ("accelerator.core.line_buffer", "i__valid") in streams
    assert ("accelerator.core.array", "i__payload") in units - streams
    assert not any(name.startswith("$") for _, name in everything)


def test_streams_have_both_sides_of_a_handshake(text):
    streams = traced(text, WaveScope.STREAMS)
    both = {
        (module, name.removesuffix("ready"))
        for module, name in streams
        if name.endswith("__ready") and not name.startswith("bus")
    }
    assert len(both) > 40
    for module, name in both:
        assert (module, f"{name}valid") in traced(text, WaveScope.ALL), (module, name)


@pytest.mark.parametrize("scope", WaveScope)
def test_marks_are_comments(text, scope):
    marks = ("/*verilator tracing_on*/", "/*verilator tracing_off*/")
    kept = [line for line in mark_traced(text, scope).splitlines() if line not in marks]
    assert kept == text.splitlines()


def test_each_module_begins_untraced(text):
    """A signal is between a mark that begins tracing and one that ends it, or it is not traced."""
    scope, on, found = WaveScope.STREAMS, True, set()
    module = ""
    for line in mark_traced(text, scope).splitlines():
        if "tracing_" in line:
            on = "tracing_on" in line
        elif line.startswith("module "):
            module = line.split()[1].removeprefix("\\").partition("(")[0]
        elif line.startswith(("  input", "  output", "  wire", "  reg")) and on:
            found.add((module, line.partition(" =")[0].rstrip(" ;").split()[-1].removeprefix("\\")))
    assert found == traced(text, scope)


def test_the_view_follows_the_data(text):
    signals = list_signals(text, WaveScope.STREAMS)
    units = list(dict.fromkeys(signal.unit for signal in signals))
    assert units[0] == ""
    places = [units.index(name) for name in ("read_port", "core.line_buffer", "core.array")]
    assert places == sorted(places)
    assert units.index("core.requantize") < units.index("write_port")
    assert all(
        signal.bits <= STREAM_PAYLOAD_BITS
        for signal in signals
        if signal.unit and signal.name.endswith("payload")
    )


def test_the_order_names_units_that_are_there(text):
    modules = read_modules(text)
    paths = {name.partition(".")[2].partition("$")[0] for name in modules}
    assert set(DATA_ORDER) <= paths
