"""Runs a unit that has only streams in Verilator, under cocotb.

>>> trace = simulate(unit, {"i": items}, {"o": len(items)}, seed=1, directory=tmp_path)

The arguments and the `Trace` are those of `tests.hw.harness.simulate`, and the same seed makes the
same cycles: `compare` runs both and insists on it.
"""

import json

import numpy as np

from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.verilog import convert
from tests.hw import harness
from tests.hw.traffic import Trace

__all__ = ["build_unit", "compare", "simulate"]

#: Name of a unit's Verilog module.
TOP = "unit"


def build_unit(unit, inputs, outputs, *, verilog=None, **options):
    """Build the simulation of a unit, or find it.

    Parameters
    ----------
    unit : Component
        The unit.
    inputs, outputs : iterable of str
        Its streams; cocotb sees these, the clock and the reset, and nothing else.
    verilog : Path, optional
        A file with its Verilog, whose name is that of the module; default it is converted.
    **options
        Of `build_simulation`, such as ``waves=True``.

    Returns
    -------
    Build
    """
    names = {name.replace(".", "__"): "rw" for name in inputs}
    names |= {name.replace(".", "__"): "rd" for name in outputs}
    written = {"clk", "rst"}
    read = set()
    for name, kind in names.items():
        driven, watched = (written, read) if kind == "rw" else (read, written)
        driven |= {f"{name}__valid", f"{name}__payload"}
        watched.add(f"{name}__ready")
    top = TOP if verilog is None else verilog.stem
    text = convert(unit, name=TOP) if verilog is None else verilog.read_text(encoding="utf-8")
    control = ["`verilator_config"]
    control += [f'public_flat_rw -module "{top}" -var "{name}"' for name in sorted(written)]
    control += [f'public_flat_rd -module "{top}" -var "{name}"' for name in sorted(read)]
    sources = {"ports.vlt": "\n".join(control) + "\n", f"{top}.v": text}
    return build_simulation(sources, top, **options)


def simulate(unit, inputs, outputs, *, seed, directory, waves_file=None, verilog=None, **options):
    """Drive every input stream of a unit, collect every output stream.

    Parameters
    ----------
    unit, inputs, outputs, seed, **options
        As for `tests.hw.harness.simulate`.
    directory : Path
        Folder of this run: vectors, results and logs.
    waves_file : Path, optional
        Write a waveform (FST) there.
    verilog : Path, optional
        As for `build_unit`.

    Returns
    -------
    Trace

    Raises
    ------
    SimulationError
        If the run fails; the message holds the assertion's.
    """
    build = build_unit(unit, inputs, outputs, waves=waves_file is not None, verilog=verilog)
    directory.mkdir(parents=True, exist_ok=True)
    vectors, results = directory / "vectors.json", directory / "results.json"
    vectors.write_text(
        json.dumps(
            {
                "inputs": {
                    port: {
                        "items": [f"{item:x}" for item in items],
                        "width": harness.port_width(unit, port),
                    }
                    for port, items in inputs.items()
                },
                "outputs": outputs,
                "seed": seed,
                "options": options,
            }
        )
    )
    run_cocotb(
        build,
        test_module="tests.hw.verilator.cocotb_streams",
        work_directory=directory,
        extra_env={"STREAM_VECTORS": str(vectors), "STREAM_RESULTS": str(results)},
        waves_file=waves_file,
    )
    trace = json.loads(results.read_text())
    return Trace(
        items={port: [int(item, 16) for item in items] for port, items in trace["items"].items()},
        cycles={port: np.array(cycles, np.int64) for port, cycles in trace["cycles"].items()},
    )


def compare(make, inputs, outputs, *, seed, directory, **options):
    """Run a unit in both simulators and insist on the same payloads in the same cycles.

    Parameters
    ----------
    make : callable
        Makes the unit, without arguments.

    Returns
    -------
    Trace
    """
    trace = simulate(make(), inputs, outputs, seed=seed, directory=directory, **options)
    other = harness.simulate(make(), inputs, outputs, seed=seed, **options)
    for port, items in other.items.items():
        assert trace.items[port] == items, f"The simulators differ in payloads at {port}"
        np.testing.assert_array_equal(
            trace.cycles[port], other.cycles[port], f"The simulators differ in cycles at {port}"
        )
    return trace
