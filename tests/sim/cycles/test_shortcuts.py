"""Each shortcut of the model skips, and gives what stepping gives."""

import functools
import importlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

import mnv2.sim.cycles
from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cycles import core_state, machine
from mnv2.sim.cycles.array import known_passes
from mnv2.sim.cycles.predict import predict_network

PAGE = mnv2.sim.cycles.__doc__
ROOT = Path(__file__).parents[3]
NETWORK = mobilenet_v2(0.35, 96)
BASE = PRESETS["base"]

SMALL = PRESETS["small"]
#: Its maps do not all stay on chip.
SPILLING = replace(BASE, map_words=600)


def cycles(state, *_):
    """The cycle of a pass; it grows if any are skipped."""
    return state.cycle


def called(*_):
    """Every call counts."""
    called.count += 1
    return called.count


called.count = 0


#: For each: what grows when it skips, a machine and a memory.
SHORTCUTS = {
    "array.window_pass._skip_steps": (cycles, BASE, {}),
    "array.stem_pass._skip_steps": (cycles, BASE, {}),
    "array.window_pass._skip_wait": (cycles, SPILLING, {"latency": 300}),
    "array.stem_pass._skip_wait": (cycles, replace(BASE, data_bits=64), {"latency": 300}),
    "array.window_pass._skip_periods": (cycles, BASE, {}),
    "array.known_passes.KnownPass.repeat": (called, BASE, {}),
    "array.stem_pass._skip_rows": (cycles, SMALL, {}),
    "array.pointwise_pass.PointwisePass.skip_tile": (cycles, BASE, {}),
    "port.reads.ReadPort._repeat": (lambda port, *_: len(port._ends), BASE, {"latency": 20}),
    "port.streams.Stream.settle": (called, SMALL, {}),
    "port.writes.WritePort._rest": (called, SPILLING, {}),
}


def find(name):
    """The module or class that has a name below `mnv2.sim.cycles`, and the name's last part."""
    *parts, last = name.split(".")
    owner = mnv2.sim.cycles
    for part in parts:
        if not hasattr(owner, part):
            importlib.import_module(f"{owner.__name__}.{part}")
        owner = getattr(owner, part)
    return owner, last


@pytest.mark.parametrize("name", list(SHORTCUTS))
def test_shortcut_equals_stepping(name, monkeypatch):
    measure, config, memory = SHORTCUTS[name]
    owner, last = find(name)
    shortcut, skipped = getattr(owner, last), []

    @functools.wraps(shortcut)
    def watched(*arguments, **options):
        before = measure(*arguments)
        result = shortcut(*arguments, **options)
        skipped.append(measure(*arguments) - before)
        return result

    monkeypatch.setattr(owner, last, watched)
    known_passes._known.cache_clear()
    quick = predict_network(NETWORK, config, **memory)
    assert sum(skipped) > 0
    skipped.clear()
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_network(NETWORK, config, **memory) == quick
    assert not skipped


def test_a_known_pass_tells_what_it_reads_before_it_releases(monkeypatch):
    """A release moves a port with a part on, and with it the words that wait to be stored."""
    config = replace(SPILLING, weight_words=600)
    memory = {"part": "sdr-133x16", "part_clock_hz": 100e6}
    known_passes._known.cache_clear()
    quick = predict_network(NETWORK, config, **memory)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    assert predict_network(NETWORK, config, **memory) == quick


def test_page_names_what_exists():
    """Every module, class, function and test that the package's page names."""
    names = re.findall(r"(?<!`)`([\w.]+)`(?!`)", PAGE)
    assert len(names) > 25
    for name in names:
        owner = mnv2.sim.cycles
        parts = name.removeprefix("mnv2.sim.cycles.").split(".")
        if name in ("StemPass.step", "WindowPass.step"):
            parts = ["array", {"S": "stem_pass", "W": "window_pass"}[name[0]], *parts]
        elif name.startswith("mnv2.") and not name.startswith("mnv2.sim.cycles."):
            owner, parts = importlib.import_module("mnv2"), parts[1:]
        for part in parts:
            if not hasattr(owner, part):
                importlib.import_module(f"{owner.__name__}.{part}")
            owner = getattr(owner, part)
    tests = re.findall(r"(tests/[\w/]+\.py)::(\w+)", PAGE)
    assert len(tests) == 3
    for file, name in tests:
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_page_lists_every_shortcut():
    listed = set(re.findall(r"`((?:array|port)\.[\w.]+)`", PAGE[PAGE.index("\n1. ") :]))
    for name in SHORTCUTS:
        owner = name.removesuffix(".repeat")
        assert owner in listed, name
    # And no function of the model skips that is not listed.
    folder = ROOT / "sim" / "cycles"
    for file in folder.rglob("*.py"):
        for name in re.findall(r"def (_?skip_\w+)\(", file.read_text(encoding="utf-8")):
            assert any(entry.endswith(f".{name}") for entry in listed), name
