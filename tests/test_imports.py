"""Imports run one way: golden and hw know neither each other nor sim."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "golden": {"hw", "sim", "tests", "amaranth", "cocotb", "matplotlib", "torch", "PIL"},
    "hw": {"golden", "sim", "tests", "numpy", "cocotb"},
    "sim": {"tests"},
}
#: What golden may import beside the standard library; importers and exporters may import the
#: libraries of their formats, importers inside functions.
GOLDEN_ALLOWED = {"golden", "numpy"}
IMPORTERS_ALLOWED = GOLDEN_ALLOWED | {"flatbuffers", "google", "h5py", "onnx", "safetensors",
                                      "tflite"}
#: Inner loops that need not be there: `golden.kernels` does without.
COMPILED_ALLOWED = GOLDEN_ALLOWED | {"numba"}
EXPORTERS_ALLOWED = GOLDEN_ALLOWED | {"flatbuffers", "tflite"}


def imported(path):
    """Top-level names of every import in a file, also of those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            depth = len(path.relative_to(ROOT).parents) - 1
            assert node.level <= depth, f"{path} must not import from outside its package"
            names.add(node.module.split(".")[0] if node.level == 0 else
                      path.relative_to(ROOT).parts[0])
    return names


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_run_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        wrong = imported(path) & FORBIDDEN[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_golden_needs_numpy_alone():
    import sys

    for path in (ROOT / "golden").rglob("*.py"):
        allowed = (EXPORTERS_ALLOWED if "exporters" in path.parts else
                   IMPORTERS_ALLOWED if "importers" in path.parts else
                   COMPILED_ALLOWED if path.name == "compiled.py" else GOLDEN_ALLOWED)
        wrong = imported(path) - allowed - set(sys.stdlib_module_names)
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_golden_opens_no_files_outside_importers():
    """No `open`, no path and no numpy file function in the arithmetic."""
    for path in (ROOT / "golden").rglob("*.py"):
        if "importers" in path.parts:
            continue
        assert not imported(path) & {"io", "os", "pathlib", "pickle", "tempfile"}, path
        calls = {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(node, ast.Name)}
        assert "open" not in calls, path
