"""Stages of tests that mutants go through, in the order of their time."""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["STAGES", "Stage"]

#: Conversions to Verilog take seconds each, and fail where the simulator fails too.
_QUICK = ("-k", "not conversion and not verilog")
_PYTEST = ("-m", "pytest", "-q", "-x", "-rfE", "--no-header", "-p", "no:cacheprovider")

#: They find the units by looking into the folder.
_TESTS_OF_ALL_UNITS = ("tests/hw/test_parameters.py",)


@dataclass(frozen=True)
class Stage:
    """Tests that are run on a mutant, unless an earlier stage has killed it.

    Attributes
    ----------
    name : str
    tests : function of (root, file)
        Test files for a mutant of a file, or the arguments of a program of the tests; none where
        there is nothing to run.
    command : tuple of str
        What the interpreter is called with before them.
    builds : bool
        Whether it builds simulations of the mutant itself, which nobody needs again.
    """

    name: str
    tests: Callable[[Path, str], Sequence[str]]
    command: tuple[str, ...] = _PYTEST
    builds: bool = False

    @property
    def is_pytest(self) -> bool:
        """Whether its tests are pytest's; else a program answers in JSON."""
        return self.command[: len(_PYTEST)] == _PYTEST


@cache
def _imported(path: Path) -> frozenset[str]:
    """Dotted names that a file imports, those inside functions and relative ones too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = f"mnv2.{path.parent.name}." if node.level else ""
            module += node.module or ""
            names |= {module, *(f"{module.rstrip('.')}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _module(file: str) -> str:
    """Dotted name of a file of the checkout."""
    name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return name if name.startswith("tests.") else f"mnv2.{name}"


@cache
def _path(root: Path, module: str) -> Path | None:
    """File of a module of the checkout; None of any other."""
    path = root / (module.removeprefix("mnv2.").replace(".", "/") + ".py")
    return path if path.is_file() else None


def _reaches(root: Path, test: Path, module: str, through: str | tuple[str, ...]) -> bool:
    """Whether a test imports a module, itself or through modules whose names begin so."""
    waiting, seen = [test], {test}
    while waiting:
        for name in _imported(waiting.pop()):
            if name == module:
                return True
            path = _path(root, name) if name.startswith(through) else None
            if path is not None and path not in seen:
                seen.add(path)
                waiting.append(path)
    return False


def _stated_tests(root: Path, file: str) -> list[str]:
    """Tests of Amaranth's simulator that hw/README.md names for a unit."""
    name = Path(file).name
    for line in (root / "hw/README.md").read_text(encoding="utf-8").splitlines():
        if f"`{name}`" in line or f"`standalone/{name}`" in line:
            tests = re.findall(r"`(tests/hw/(?!verilator)[\w/]+\.py)`", line)
            return [one for one in tests if (root / one).is_file()]
    return []


@cache
def _tests_of(root: Path, folder: str) -> list[str]:
    """Test files of a folder in order, those that build simulators left out."""
    paths = sorted((root / folder).rglob("test_*.py"))
    return [path.relative_to(root).as_posix() for path in paths if path.parent.name != "verilator"]


def _unit_tests(root: Path, file: str) -> list[str]:
    """The stated tests of a unit; of one that has none, those that import it."""
    return _stated_tests(root, file) or _importing_tests(root, file)


@cache
def _importing_tests(root: Path, file: str) -> list[str]:
    """Tests that import a module themselves."""
    module = _module(file)
    tests = _tests_of(root, "tests/hw")
    return [test for test in tests if _reaches(root, root / test, module, "tests.")]


def _neighbour_tests(root: Path, file: str) -> list[str]:
    """The other tests that import a unit, then those of units that contain it."""
    near, module = _importing_tests(root, file), _module(file)
    through = ("tests.", "mnv2.hw.")
    far = [test for test in _tests_of(root, "tests/hw") if test not in near]
    far = [test for test in far if _reaches(root, root / test, module, through)]
    known = _unit_tests(root, file)
    tests = dict.fromkeys([*near, *_TESTS_OF_ALL_UNITS, *far])
    return [test for test in tests if test not in known]


def _mirrored_tests(root: Path, file: str) -> list[str]:
    """The test that mirrors a file, then those of its part that import it."""
    path = Path(file)
    own = f"tests/{path.parent.as_posix()}/test_{path.name}"
    folder = "tests/golden" if file.startswith("golden/") else "tests/sim/cycles"
    tests = _tests_of(root, folder)
    others = [test for test in tests if _reaches(root, root / test, _module(file), "tests.")]
    return list(dict.fromkeys([*([own] if own in tests else []), *others]))


def _other_tests(root: Path, file: str) -> list[str]:
    """Tests of the part that do not import a file themselves."""
    known = set(_mirrored_tests(root, file))
    folder = "tests/golden" if file.startswith("golden/") else "tests/sim/cycles"
    return [test for test in _tests_of(root, folder) if test not in known]


def _machine_tests(root: Path, file: str) -> list[str]:
    """Tests of whole machines in which something goes wrong, or several frames follow."""
    names = ("test_faults.py", "test_turns.py", "test_two_frames.py")
    return [f"tests/sim/rtl/{name}" for name in names]


_HARDWARE = (
    Stage("unit", _unit_tests, (*_PYTEST, *_QUICK)),
    Stage("proofs", lambda root, file: [Path(file).stem], ("-m", "tests.sim.mutation.claims")),
    Stage("neighbours", _neighbour_tests, (*_PYTEST, *_QUICK)),
    Stage("machine", lambda root, file: ["all"], ("-m", "tests.sim.mutation.machines"), True),
    Stage("faults", _machine_tests, builds=True),
)
_SOFTWARE = (Stage("unit", _mirrored_tests), Stage("part", _other_tests))

#: By the part's name; see `mnv2.sim.mutation.parts.PARTS`.
STAGES = {"hw": _HARDWARE, "golden": _SOFTWARE, "cycles": _SOFTWARE}
