"""The back end without an operating system, on an array that stands for the registers."""

import subprocess

from mnv2.sim.driver.bench import STRICT
from mnv2.sim.driver.program_files import DRIVER, driver_files
from mnv2.sim.rtl.toolchain import find_tool


def test_registers_clock_and_sleep(tmp_path):
    (tmp_path / "mnv2_registers.h").write_bytes(driver_files()["mnv2_registers.h"])
    source = __file__.replace("test_bare.py", "c_bare.c")
    command = [find_tool("cc").path, *STRICT, "-fsanitize=address,undefined", f"-I{tmp_path}"]
    command += [f"-I{DRIVER}", source]
    command += [DRIVER / f"{name}.c" for name in ("mnv2", "mnv2_format", "mnv2_bare")]
    subprocess.run([*map(str, command), "-o", tmp_path / "bare"], check=True)
    done = subprocess.run([tmp_path / "bare"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.startswith("Time is up")
    assert second == "This is no error of the driver."
