"""The driver's sources: strict C99 for every compiler that is here, small, without a library."""

import shutil
import subprocess

import pytest

from mnv2.sim.driver.bench import STRICT
from mnv2.sim.driver.program_files import DRIVER, driver_files
from tests.sim.driver.programs import write_program

SOURCES = sorted(path.name for path in DRIVER.glob("*.c"))
#: What a C compiler calls by itself, and what every start-up code for boards has.
FREESTANDING = {"memcpy", "memset", "memmove", "memcmp"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The driver as `mnv2 program` writes it, with a program."""
    made = tmp_path_factory.mktemp("sources")
    for name, content in driver_files().items():
        (made / name).write_bytes(content)
    write_program("tiny", made)
    return made


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("options", [[], ["-m32"]], ids=["64", "32"])
def test_strict(folder, compiler, source, options):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not here")
    if options and not compiles(compiler, options, folder):
        pytest.skip(f"{compiler} has no headers for {options[0]}")
    command = [compiler, *STRICT, "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-O2"]
    done = subprocess.run(
        [*command, *options, "-fsanitize=undefined", "-c", source, "-o", "made.o"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def compiles(compiler, options, folder):
    """Whether a program that includes a header of the library compiles."""
    command = [compiler, *options, "-xc", "-c", "-", "-o", "probe.o"]
    text = "#include <stdint.h>\n#include <string.h>\n"
    done = subprocess.run(command, cwd=folder, input=text, capture_output=True, text=True)
    return done.returncode == 0


def test_no_library(folder):
    """Nothing is allocated, printed or asked of a system, but for the back end of Linux."""
    for source in SOURCES:
        if source in ("mnv2_linux.c", "mnv2_selftest.c"):
            continue
        subprocess.run(["gcc", "-O2", "-c", source, "-o", "plain.o"], cwd=folder, check=True)
        wanted = subprocess.run(
            ["nm", "-u", "plain.o"], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.split()
        names = {name for name in wanted if name != "U" and not name.startswith("_GLOBAL")}
        assert {name for name in names if not name.startswith("mnv2_")} <= FREESTANDING, source


def test_size():
    lines = [len((DRIVER / name).read_text().splitlines()) for name in ("mnv2.h", "mnv2.c")]
    assert sum(lines) < 500


def test_headers_for_the_program_alone(folder):
    """Every header compiles by itself, the names among them, and in C++ too."""
    for compiler, language in (("gcc", "c"), ("g++", "c++")):
        for header in sorted(folder.glob("*.h")):
            command = [compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-pedantic"]
            # Arrays that a program does not use are no fault of the header.
            command += ["-Wno-unused-variable", "-fsyntax-only", "-include", header.name, "-"]
            done = subprocess.run(
                command, cwd=folder, input="int used;\n", capture_output=True, text=True
            )
            assert (done.returncode, done.stderr) == (0, ""), header.name
