"""Imports run one way: golden and hw know neither each other nor sim."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: What each package must not import, whoever asks.
FORBIDDEN = {
    "golden": {"hw", "sim", "tests", "amaranth", "cocotb"},
    "hw": {"golden", "sim", "tests", "numpy", "cocotb"},
    "sim": {"tests"},
}


def imported_packages(source):
    """Top-level packages that a Python text imports, at any depth of it."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add(node.module.partition(".")[0])
    return packages


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_run_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = {
        str(path.relative_to(ROOT)): sorted(imported_packages(path.read_text()) & FORBIDDEN[package])
        for path in files
    }
    assert {path: packages for path, packages in wrong.items() if packages} == {}


def test_config_needs_no_amaranth():
    assert "amaranth" not in imported_packages((ROOT / "hw" / "config.py").read_text())


def test_imports_inside_functions_are_seen():
    assert imported_packages("def f():\n    from sim.rtl import build\n    import hw.config") == {"sim", "hw"}
