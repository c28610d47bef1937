"""Build a simulation with Verilator, once for each content, and run cocotb tests in it."""

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
import xml.etree.ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.jobs.cache import cache_folder
from mnv2.sim.rtl.runtime import copy_runtime, keep_runtime
from mnv2.sim.rtl.toolchain import find_toolchain, waves_format

__all__ = ["LINT_WAIVERS", "Build", "SimulationError", "build_simulation", "run_cocotb"]

#: Time unit and precision of a simulation.
TIMESCALE = ("1ns", "1ns")

#: What Amaranth's output relies on, and nothing else: Verilog's extension and truncation, defaults
#: assigned before a case, and comparisons that a parameter has made constant.
LINT_WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-CASEINCOMPLETE", "-Wno-CMPCONST")


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
        Build the variant that can write a waveform; it runs slower. The format is FST where the
        compiler finds lz4 and zlib, else VCD.
    asserts : bool
        Whether assertions are checked.
    fast : bool
        Compile what runs each cycle for speed and for this processor alone. A large array takes a
        third longer to compile and simulates one and a half times as fast.
    verilator_arguments : sequence of str
        Further arguments of Verilator.
    building : function, optional
        Called before it is built, if it is.
    cocotb : bool
        Whether cocotb, and with it Python, is part of the executable; else ``main`` is needed.

    Returns
    -------
    Build

    Raises
    ------
    UserError
        If a tool is missing.
    SimulationError
        If the build fails; the message ends with the last lines of its log.
    """
    texts = _read_sources(sources)
    tools = find_toolchain()
    waves = waves_format(tools.compiler) if waves else None
    arguments = _arguments(waves, asserts) + list(verilator_arguments)
    versions = dict(tools.versions)
    if cocotb:
        versions["cocotb"] = importlib.metadata.version("cocotb")
    optimization = ["-O3", *tools.native] if fast else ["-O1"]
    processor = tools.processor if fast else ""
    key = _key(texts, top, main, arguments, optimization, processor, versions, cocotb)
    folder = cache_folder("build")
    directory = folder / f"{top}-{key}"
    with _lock(folder / f"{top}-{key}.lock"):
        built = not directory.is_dir()
        if built:
            if building:
                building()
            _build(
                directory,
                texts,
                top,
                main,
                arguments,
                optimization,
                tools,
                runtime=[waves, *verilator_arguments],
                cocotb=cocotb,
            )
    return Build(directory=directory, top=top, waves=waves, built=built, versions=versions)


def run_cocotb(
    build,
    *,
    test_module,
    work_directory,
    extra_env=None,
    plusargs=(),
    waves_file=None,
    testcase=None,
    seed=None,
):
    """Run cocotb tests in a simulation and insist that they passed.

    Parameters
    ----------
    build : Build
        What `build_simulation` returned.
    test_module : str
        Importable name of the module that holds the tests.
    work_directory : Path
        Folder of the run, made if need be; gets ``simulation.log`` and ``results.xml``.
    extra_env : mapping of str to str, optional
        Further environment variables of the simulation.
    plusargs : sequence of str
        Plusargs of the simulation, e.g. ``"+latency=100"``.
    waves_file : Path, optional
        Write a waveform there, in the format ``build.waves``; the build needs ``waves=True``.
    testcase : str, optional
        Run the test of this name alone.
    seed : int, optional
        Seed of cocotb's random numbers.

    Returns
    -------
    int
        Number of tests that passed, 1 or more.

    Raises
    ------
    SimulationError
        If a test fails, none ran, or the simulator stopped before its end.
    """
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    if waves_file is not None and build.waves is None:
        raise ValueError(f"A waveform needs a build with waves=True, not {build!r}")
    work_directory = Path(work_directory).absolute()
    work_directory.mkdir(parents=True, exist_ok=True)
    results, log = work_directory / "results.xml", work_directory / "simulation.log"
    arguments = (
        [] if waves_file is None else ["--trace", "--trace-file", str(Path(waves_file).absolute())]
    )
    # The runner ends the process in some cases where a test fails; what happened is in the results.
    with contextlib.suppress(SystemExit, RuntimeError):
        get_runner("verilator").test(
            test_module=test_module,
            hdl_toplevel=build.top,
            hdl_toplevel_lang="verilog",
            build_dir=build.directory,
            test_dir=work_directory,
            results_xml=str(results),
            log_file=log,
            testcase=testcase,
            seed=seed,
            test_args=arguments,
            # What a build with assertions leaves open is random, the same for the same seed.
            plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed or 1}", *plusargs],
            extra_env={
                "COCOTB_ANSI_OUTPUT": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                **(extra_env or {}),
            },
        )
    try:
        tests, failures = get_results(results)
    except (RuntimeError, xml.etree.ElementTree.ParseError):
        raise SimulationError(
            f"The simulation of {build.top} stopped before its end; the log {log} ends with:\n"
            f"{_tail(log)}"
        ) from None
    if failures:
        raise SimulationError(f"{_failure_message(results)}{_hardware_error(log)} (log: {log})")
    if tests == 0:
        raise SimulationError(f"No cocotb test ran in {test_module} (log: {log})")
    return tests


def _arguments(waves, asserts):
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
    return arguments + ([f"--trace-{waves}"] if waves else [])


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
def _lock(path):
    """Hold a lock between processes; a builder that waits finds the work done."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(directory, texts, top, main, arguments, optimization, tools, *, runtime, cocotb):
    """Build in a temporary folder; the result appears under its name whole or not at all.

    ``runtime`` are the choices that Verilator's own C++ files are compiled with.
    """
    if " " in str(directory):
        raise UserError(
            f"GNU make cannot build in {str(directory)!r}: set MNV2_CACHE to a folder without "
            "spaces."
        )
    temporary = Path(tempfile.mkdtemp(dir=directory.parent, prefix=f"{directory.name}."))
    try:
        kept = temporary / "kept"
        (kept / "sources").mkdir(parents=True)
        paths = []
        for name, text in texts.items():
            path = kept / "sources" / name
            path.write_text(text)
            paths.append(path)
        program = kept / "sources" / "main.cpp"
        if main is not None:
            program.write_text(main)
        links = []
        if cocotb:
            import cocotb_tools.config

            if main is None:
                program = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
            libraries = cocotb_tools.config.libs_dir
            link = f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"
            links = ["--vpi", "-LDFLAGS", link]
        log = kept / "build.log"
        folder = temporary / "build"
        objects = copy_runtime(folder, runtime, tools)
        verilate = [
            *(tools.verilator.path, "--cc", "--exe", "--Mdir", folder, "-o", top),
            # The names that cocotb's main program includes, and its libraries.
            *("--prefix", "Vtop", "--top-module", top, "--timescale", "/".join(TIMESCALE)),
            *(*links, *arguments, program, *paths),
        ]
        # Assignments on the command line, as one of two words cannot be in MAKEFLAGS.
        compile_all = [
            *(tools.make.path, "-j", str(os.cpu_count() or 1), "-C", folder, "-f", "Vtop.mk"),
            *(f"OPT_FAST={' '.join(optimization)}", "OPT_SLOW=-O0"),
        ]
        with log.open("wb") as file:
            for command in (verilate, compile_all):
                done = subprocess.run(
                    [str(word) for word in command],
                    env={**os.environ, **tools.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
                if done.returncode != 0:
                    raise SimulationError(f"Verilator or the compiler refused {top}:\n{_tail(log)}")
        keep_runtime(folder, objects)
        shutil.copy2(folder / top, kept / top)
        os.replace(kept, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _tail(log, lines=15):
    """Last lines of a log."""
    if not log.is_file():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _hardware_error(log):
    """Message of a broken assertion of the hardware; empty without one."""
    lines = log.read_text(errors="replace").splitlines()
    for line in lines:
        if "%Error" in line or "%Fatal" in line:
            return f"; the hardware said: {line.strip()}"
    return ""


def _failure_message(results):
    """Messages of the failed tests in a results file, one after the other."""
    messages = []
    for case in xml.etree.ElementTree.parse(results).getroot().iter("testcase"):
        for kind in ("failure", "error"):
            for failure in case.findall(kind):
                reason = (
                    failure.get("error_msg")
                    or failure.get("message")
                    or (failure.text or "").strip()
                )
                # What follows the first line takes the assertion apart; it is in the log.
                messages.append(f"{case.get('name')} failed: {(reason.splitlines() or [''])[0]}")
    return "; ".join(messages) or "A cocotb test failed"
