"""Imports run one way: golden and hw know neither each other nor sim."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "golden": {"mnv2.hw", "mnv2.sim", "tests", "amaranth", "cocotb", "matplotlib", "PIL"},
    "hw": {"mnv2.golden", "mnv2.sim", "tests", "numpy", "cocotb"},
    "sim": {"tests"},
    "tests": set(),
}
#: Names that the parts had as packages of their own; a second copy would be loaded by them.
FORMER = {"golden", "hw", "sim"}
#: What golden may import apart from the standard library; importers and exporters may import the
#: libraries of their formats, importers inside functions.
GOLDEN_ALLOWED = {"mnv2.golden", "numpy"}
IMPORTERS_ALLOWED = GOLDEN_ALLOWED | {
    "flatbuffers",
    "google",
    "h5py",
    "onnx",
    "safetensors",
    "tflite",
}
#: The integer model on a GPU, optional too; one function loads it.
GPU_ALLOWED = GOLDEN_ALLOWED | {"torch", "triton"}
#: Compiled inner loops, which are optional: `mnv2.golden.fast.kernels` has them in numpy.
COMPILED = ("byte_cpu", "byte_kernels", "compiled", "vector_code")
COMPILED_ALLOWED = GOLDEN_ALLOWED | {"llvmlite", "numba"}
#: Roundings that are trained, which is optional; one function loads them.
TRAINED = ("block_reconstruction", "soft_rounding")
TRAINED_ALLOWED = GOLDEN_ALLOWED | {"torch"}
EXPORTERS_ALLOWED = GOLDEN_ALLOWED | {"flatbuffers", "tflite"}


def imported(path):
    """Packages of every import in a file, also of those inside functions; parts of mnv2 apart."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names |= {package_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            depth = len(path.relative_to(ROOT).parents) - 1
            assert node.level <= depth, f"{path} must not import from outside its package"
            names.add(
                package_of(node.module)
                if node.level == 0
                else f"mnv2.{path.relative_to(ROOT).parts[0]}"
            )
    return names


def package_of(module):
    """``mnv2.golden`` and the like for the project's own modules, else the top-level name."""
    return ".".join(module.split(".")[: 2 if module.startswith("mnv2.") else 1])


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_run_one_way(package):
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        wrong = imported(path) & (FORBIDDEN[package] | FORMER)
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_golden_needs_numpy_alone():
    import sys

    for path in (ROOT / "golden").rglob("*.py"):
        allowed = (
            EXPORTERS_ALLOWED
            if "exporters" in path.parts
            else IMPORTERS_ALLOWED
            if "importers" in path.parts
            else COMPILED_ALLOWED
            if path.parent == ROOT / "golden/fast" and path.stem in COMPILED
            else TRAINED_ALLOWED
            if path.parent == ROOT / "golden/quantize" and path.stem in TRAINED
            else GPU_ALLOWED
            if path.parent == ROOT / "golden/gpu"
            else GOLDEN_ALLOWED
        )
        wrong = imported(path) - allowed - set(sys.stdlib_module_names)
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_compiled_loops_are_loaded_where_they_are_wanted():
    """Functions import them, so that golden neither needs numba nor waits for it."""
    found = []
    modules = {f"mnv2.golden.fast.{name}" for name in COMPILED}
    for path in sorted((ROOT / "golden").rglob("*.py")):
        if path.parent == ROOT / "golden/fast" and path.stem in COMPILED:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {
            node
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            names = [
                alias.name
                for alias in getattr(node, "names", [])
                if isinstance(node, (ast.Import, ast.ImportFrom))
            ]
            module = getattr(node, "module", None)
            if modules & {module, *names, *(f"{module}.{name}" for name in names)}:
                found.append((path.relative_to(ROOT).as_posix(), node in inside))
    assert all(wanted for _, wanted in found)
    assert {path for path, _ in found} == {
        f"golden/fast/{name}.py" for name in ("choice", "maps", "prepared")
    }


def test_golden_opens_no_files_outside_importers():
    """No `open`, no path and no numpy file function in the arithmetic."""
    for path in (ROOT / "golden").rglob("*.py"):
        if "importers" in path.parts:
            continue
        assert not imported(path) & {"io", "os", "pathlib", "pickle", "tempfile"}, path
        calls = {
            node.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Name)
        }
        assert "open" not in calls, path


def test_torch_is_loaded_where_it_is_wanted():
    """Neither the model nor a command loads it, or needs it, before a device is asked for."""
    import subprocess
    import sys

    program = (
        "import sys\n"
        "import mnv2, mnv2.golden.model, mnv2.golden.gpu.device, mnv2.sim.sweep.sweep\n"
        "loaded = {'torch', 'triton'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
