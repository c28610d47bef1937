"""Runs a program on the accelerator's RTL, in Verilator under cocotb."""

import contextlib
import json
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.hw.accelerator import Accelerator
from mnv2.hw.config import COUNTER_ROWS, COUNTERS
from mnv2.hw.register_map import ADDRESSES, COUNTER_OFFSET, COUNTER_ROW_BYTES, Status
from mnv2.sim.errors import SimulationError
from mnv2.sim.jobs.disk import check_room, room_in
from mnv2.sim.mapping.program import memory_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl.axi_monitor import monitor_arguments, monitor_sources
from mnv2.sim.rtl.build import build_simulation
from mnv2.sim.rtl.cocotb_run import run_cocotb
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.verilog import generate
from mnv2.sim.rtl.waveform.request import Waves
from mnv2.sim.rtl.waveform.scope import WaveScope
from mnv2.sim.rtl.waveform.traced_build import traced_main, traced_sources

__all__ = ["TIMELINE_CYCLES", "Simulation", "build_accelerator", "memory_base", "simulate"]

#: Cycles that a row of a timeline stands for.
TIMELINE_CYCLES = 1024

#: How to run elsewhere.
_ELSEWHERE = "free some, or set TMPDIR to a folder on another disk"

_SOURCES = Path(__file__).parent


@dataclass(frozen=True)
class Simulation:
    """Results of a run of a program.

    Attributes
    ----------
    output : bytes
        The output as it lies in memory.
    maps : bytes
        The snapshots of the map memory, one after another, each word padded to whole bytes.
    cycles : int
        From start to the end, counted outside of the accelerator.
    read_bytes, write_bytes, write_beats : int
        Moved, counted by the memory model.
    counters : list of dict of str to dict of str to int
        The accelerator's own counters of each descriptor, of its ``block`` and of the ``stem``
        before it, see `mnv2.hw.config.COUNTERS`.
    ends : list of int
        Cycle in which each descriptor ended.
    timeline : int64 [N, 4]
        For each `TIMELINE_CYCLES` cycles: cycles with pointwise work and with depthwise work, beats
        read and beats written.
    seconds : float
        Wall time of the simulation, from the simulator's start to its end.
    """

    __repr__ = short_repr

    output: bytes
    maps: bytes
    cycles: int
    read_bytes: int
    write_bytes: int
    write_beats: int
    counters: list[dict[str, dict[str, int]]]
    ends: list[int]
    timeline: np.ndarray
    seconds: float


def build_accelerator(
    config,
    *,
    memory_bytes=0,
    memory_sources=None,
    base=None,
    waves: WaveScope | None = None,
    asserts=False,
    building=None,
    compiled=None,
):
    """Simulation of the accelerator of a configuration and its memory, built if it is not there.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    memory_bytes : int
        Least size of the memory; it is a power of two and 8 MiB or more, so that one build serves
        most programs.
    memory_sources : function of (int, int), optional
        Called with the bits of the accelerator's port and the size of the memory: texts by file
        name that hold the module ``axi_memory``, in place of the project's own.
    base : int, optional
        Address of the memory's first byte, by default that of `memory_base`.
    waves : WaveScope, optional
        Build the variant that can write a waveform with this in it.
    asserts, building, compiled
        See `mnv2.sim.rtl.build.build_simulation`.

    Returns
    -------
    mnv2.sim.rtl.build.Build
    """
    size = max(8 << 20, 1 << max(memory_bytes - 1, 1).bit_length())
    base = memory_base(config) if base is None else base
    if memory_sources is None:
        memory = {"axi_memory.sv": (_SOURCES / "axi_memory.sv").read_text()}
    else:
        memory = memory_sources(config.data_bits, size)
    sources = {
        "accelerator.v": generate(Accelerator, name="accelerator", config=config),
        **memory,
        **monitor_sources(),
        **{name: (_SOURCES / name).read_text() for name in ("register_port.sv", "testbench.sv")},
    }
    main = (_SOURCES / "main.cpp").read_text()
    if waves is not None:
        sources, main = traced_sources(sources, waves), traced_main(main)
    return build_simulation(
        sources,
        "testbench",
        main=main,
        waves=waves is not None,
        asserts=asserts,
        # Another memory is run for a frame or two: its build takes longer than they do.
        fast=memory_sources is None,
        building=building,
        compiled=compiled,
        verilator_arguments=(
            f"-GDATA_BITS={config.data_bits}",
            f"-GADDRESS_BITS={config.address_bits}",
            f"-GMEMORY_BASE=64'd{base}",  # a plain number has 32 bits
            *monitor_arguments(config),
            f"-GSIZE_BYTES={size}",
            f"-GWORD_BITS={config.word_bits}",
            f"-GTIMELINE_CYCLES={TIMELINE_CYCLES}",
        ),
    )


def memory_base(config):
    """Address of the memory's first byte: 0, or above 4 GiB where addresses reach that far."""
    return 0 if config.address_bits == 32 else 1 << 33


def simulate(
    build,
    program,
    *,
    places=None,
    origin=None,
    pictures=(),
    turns=1,
    output=None,
    memory=None,
    deadline=100_000_000,
    waves: Waves | None = None,
    snapshots=(),
    reached=None,
):
    """Run a program from start to end.

    Parameters
    ----------
    build : mnv2.sim.rtl.build.Build
        From `build_accelerator`, with memory for the program.
    program : mnv2.sim.mapping.program.Program
    places : mnv2.sim.mapping.run_places.RunPlaces, optional
        Where program, pictures and logits lie; by default those of `place_run` at 0.
    origin : int, optional
        Address of the memory's first byte, by default the last multiple of 4 GiB.
    pictures : sequence of uint8 array
        Packed picture of each slot.
    turns : int
        Times that the program is executed.
    output : (int, int), optional
        Addresses of the output: the first, and one past the last; by default the block's map.
    memory : MemoryModel
    deadline : int
        Cycles after which the run is aborted.
    waves : Waves, optional
        Waveform to write; the build has one of this scope.
    snapshots : sequence of (int, (int, int))
        For a number of finished descriptors, in order, the addresses of the map memory to look at
        then: the first, and one past the last.

    reached : function of (descriptors, cycles), optional
        Called now and then, from another thread, with how far the program has come.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationError
        If the program does not end, the bus reports an error, frames are missing, or the bytes that
        the accelerator counts are not those that the memory counts. The log that the message names
        stays.
    UserError
        If there is no room for temporary files.
    """
    memory = memory or MemoryModel()
    if origin is None:
        origin = places.base & ~0xFFFF_FFFF if places else 0
    places = places or place_run(program.memory_bytes)
    result_address = places.base + program.output_offset
    first, end = output or (result_address, result_address + program.output_bytes)
    with _run_folder() as folder:
        image = memory_image(program, places, pictures)
        # The memory begins at the base of the build, and the program somewhere in it.
        np.pad(image, (places.base - origin, 0)).tofile(folder / "memory.bin")
        run = {
            "registers": ADDRESSES,
            "settings": {"INTERRUPT_ENABLE": 1, **places.settings(program, turns)},
            "counters": list(COUNTERS),
            "counter_offset": COUNTER_OFFSET,
            "counter_row_bytes": COUNTER_ROW_BYTES,
            "counter_rows": COUNTER_ROWS,
            "snapshots": list(snapshots),
            "progress": str(folder / "progress"),
            "output": [first - origin, end - origin],
            "result": str(folder / "result.json"),
        }
        (folder / "run.json").write_text(json.dumps(run))
        begin = time.monotonic()
        with _watch(folder / "progress", reached):
            run_cocotb(
                build,
                test_module="mnv2.sim.rtl.testbench",
                work_directory=folder / "cocotb",
                extra_env={"MNV2_RUN": str(folder / "run.json")},
                plusargs=[
                    f"+memory_image={folder / 'memory.bin'}",
                    f"+memory_dump={folder / 'dump.bin'}",
                    f"+map_dump={folder / 'map.bin'}",
                    f"+timeline={folder / 'timeline'}",
                    f"+deadline={deadline}",
                    *memory.plusargs(),
                    *(waves.window.plusargs() if waves and waves.window else ()),
                ],
                waves_file=waves.place.with_suffix(f".{build.waves}") if waves else None,
            )
        seconds = time.monotonic() - begin
        # The simulator writes without asking whether there was room.
        check_room(folder, _ELSEWHERE)
        result = json.loads((folder / "result.json").read_text())
        if waves and waves.window:
            waves.window.check_reached(result["cycles"])
        dumped = (folder / "dump.bin").read_bytes()
        _check_end(result, turns)
        timeline = np.loadtxt(folder / "timeline", dtype=np.int64, ndmin=2)
        maps = (folder / "map.bin").read_bytes() if snapshots else b""
    return Simulation(output=dumped, maps=maps, timeline=timeline, seconds=seconds, **result)


def _check_end(result, turns):
    """Refuse a run whose program was given up, or that has other turns than were asked for."""
    status = Status(result.pop("status"))
    if status != Status.DONE:
        raise SimulationError(
            f"The program was aborted after {result['cycles']} cycles: {status.name}"
        )
    done = result.pop("frames_done")
    if done != turns:
        raise SimulationError(f"The accelerator counts {done} frames, but {turns} were asked for")


@contextlib.contextmanager
def _run_folder():
    """A temporary folder for a run; of one that fails, the log and the results stay there."""
    folder = Path(tempfile.mkdtemp(prefix="mnv2-"))
    kept = False
    try:
        with room_in(folder, _ELSEWHERE):
            yield folder
    except SimulationError:
        check_room(folder, _ELSEWHERE)
        for path in folder.iterdir():
            if path.name not in ("cocotb", "run.json"):
                path.unlink()
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _watch(path, reached):
    """Call a function whenever the simulation has noted how far it is."""
    if reached is None:
        yield
        return
    ended = threading.Event()

    def look():
        last = None
        while not ended.wait(0.1):
            with contextlib.suppress(OSError, ValueError):
                now = tuple(map(int, path.read_text().split()))
                if len(now) == 2 and now != last:
                    last = now
                    reached(*now)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
