"""Run cocotb tests in a simulation that was built, with settings of its own.

The simulator is started here and not by cocotb's runner, which takes settings from the user's shell
(``WAVES``, ``GUI``, ``COCOTB_TESTCASE`` and more) that are meant for tests of the user.

Ref: cocotb 2.1, ``cocotb_tools/runner.py``: `Runner.test` and `Verilator`.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.rtl.logs import tail

__all__ = ["run_cocotb"]

#: Variables that cocotb, its interfaces to simulators, Python and Verilator take settings from.
_SETTINGS = re.compile(
    r"(COCOTB|GPI|PYGPI|COVERAGE|VERILATOR)(_\w+)?|WAVES|GUI|LIBPYTHON_LOC|MODULE|TOPLEVEL(_LANG)?|"
    r"TESTCASE|TEST_FILTER|RANDOM_SEED|SIM(_CMD_(PREFIX|SUFFIX))?|MEMCHECK|"
    r"PYTHON(HOME|STARTUP|INSPECT|WARNINGS|DEVMODE|TRACEMALLOC|PROFILEIMPORTTIME|OPTIMIZE)"
)


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
    build : mnv2.sim.rtl.build.Build
        What `mnv2.sim.rtl.build.build_simulation` returned.
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
    UserError
        If the system does not run the simulator.
    """
    from cocotb_tools.check_results import get_results

    work_directory = Path(work_directory).absolute()
    work_directory.mkdir(parents=True, exist_ok=True)
    if waves_file is not None and build.waves is None:
        raise ValueError("A waveform needs a build with waves=True")
    log, results = work_directory / "simulation.log", work_directory / "results.xml"
    results.unlink(missing_ok=True)
    arguments = (
        [] if waves_file is None else ["--trace", "--trace-file", str(Path(waves_file).absolute())]
    )
    command = [
        str(build.directory / build.top),
        *arguments,
        # What a build with assertions leaves open is random, the same for the same seed.
        *("+verilator+rand+reset+2", f"+verilator+seed+{seed or 1}"),
        *plusargs,
    ]
    environment = _environment(build.top, test_module, results, testcase, seed) | (extra_env or {})
    try:
        with log.open("wb") as file:
            # Its exit status says less than the results do.
            subprocess.run(
                command,
                cwd=work_directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
    except (FileNotFoundError, PermissionError) as error:
        raise UserError(
            f"The simulator {command[0]} cannot be run ({error.strerror}): if its disk is mounted "
            "without permission to run programs, set MNV2_CACHE to a folder on another"
        ) from None
    try:
        tests, failures = get_results(results)
    except (RuntimeError, xml.etree.ElementTree.ParseError):
        raise SimulationError(
            f"The simulation of {build.top} stopped before its end; the log {log} ends with:\n"
            f"{tail(log)}"
        ) from None
    if failures:
        raise SimulationError(f"{_failure_message(results)}{_hardware_error(log)} (log: {log})")
    if tests == 0:
        raise SimulationError(f"No cocotb test ran in {test_module} (log: {log})")
    return tests


def _environment(top, test_module, results, testcase, seed):
    """Variables of the simulator: the user's, but for settings, and what cocotb's runner sets."""
    import cocotb_tools.config
    import find_libpython

    library = find_libpython.find_libpython() or os.environ.get("LIBPYTHON_LOC")
    if library is None:
        raise UserError(
            "This Python has no shared library, which the simulator loads: use the system's, or "
            "build it with --enable-shared"
        )
    variables = {
        name: value for name, value in os.environ.items() if not _SETTINGS.fullmatch(name)
    } | {
        "COCOTB_ANSI_OUTPUT": "0",
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_TEST_MODULES": test_module,
        "COCOTB_TOPLEVEL": top,
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "GPI_USERS": f"{library};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TOPLEVEL_LANG": "verilog",
    }
    if testcase is not None:
        variables["COCOTB_TEST_FILTER"] = rf"\.(.*{re.escape(testcase)})$"
    if seed is not None:
        variables["COCOTB_RANDOM_SEED"] = str(seed)
    return variables


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
