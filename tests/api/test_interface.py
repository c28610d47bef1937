"""The public names: documented, tested by their examples, and light to import."""

import ast
import dataclasses
import doctest
import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mnv2

FUNCTIONS = sorted(name for name in mnv2.__all__ if inspect.isfunction(getattr(mnv2, name)))
ROOT = Path(__file__).parents[2]


def run_examples(text, name):
    """Run the examples of a docstring; every line that it prints must be as written."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=output.append)
    assert runner.tries > 0, f"{name} has no example"
    assert not runner.failures, "".join(output)


@pytest.mark.parametrize("name", [*FUNCTIONS, "mnv2"])
def test_examples(name, example_files, monkeypatch, tmp_path):
    for file in example_files.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    run_examples(inspect.getdoc(mnv2 if name == "mnv2" else getattr(mnv2, name)), name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings(name):
    text = inspect.getdoc(getattr(mnv2, name))
    for section in ("Parameters", "Returns", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in text, section
    for parameter in inspect.signature(getattr(mnv2, name)).parameters:
        assert parameter in text, parameter


def test_names_are_those_that_checkers_see():
    """The imports under TYPE_CHECKING are the lazy ones."""
    tree = ast.parse((ROOT / "sim/api/__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {name: home if ":" in home else f"{home}:{name}" for name, home in mnv2._HOMES.items()}
    assert seen == homes
    assert {*homes, "__version__"} == set(mnv2.__all__)
    assert set(mnv2.__all__) <= set(dir(mnv2))


def test_no_name_is_that_of_a_part():
    """Importing a part would replace the name."""
    parts = {path.stem for path in (ROOT / "sim/api").glob("*.py")} | {"golden", "hw", "sim"}
    assert not parts & set(mnv2.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'mnv2' has no attribute 'fly'"):
        mnv2.fly  # noqa: B018


def test_version():
    assert mnv2.__version__[0].isdigit()


def test_import_is_light():
    code = (
        "import sys, time; start = time.perf_counter(); import mnv2, mnv2.interface;"
        "print(time.perf_counter() - start);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    best, loaded = 9.0, ""
    begin = time.perf_counter()
    while best > 0.3 and time.perf_counter() - begin < 20:
        seconds, loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        best = min(best, float(seconds))
    assert best < 0.3
    heavy = {"amaranth", "cocotb", "matplotlib", "numpy", "pandas", "PIL", "rich", "typer"}
    assert not heavy & set(loaded.split())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n, c: mnv2.predict(n, "base"), "must be an AcceleratorConfig, .*, not 'base'"),
        (lambda n, c: mnv2.predict(n, c, 100), "The memory must be a MemoryModel, not 100"),
        (lambda n, c: mnv2.predict(n, c, frames=2), "must be 1, or 3 or more, not 2"),
        (
            lambda n, c: mnv2.predict(n, c, clock_hz=-1),
            "must be a positive frequency in Hz, not -1",
        ),
        (lambda n, c: mnv2.cost(n, c, latency=0), "latency"),
        (lambda n, c: mnv2.cost(n, c, device="ZU3GE"), "did you mean ZU3EG"),
        (
            lambda n, c: mnv2.cost(n, dataclasses.replace(c, packing="pixels"), "ECP5-85"),
            "is not for ECP5-85: .* use --set packing=none",
        ),
        (
            lambda n, c: mnv2.explore(mnv2.SearchRequest({"nope": (1,)}, ("fps",)), n, "none"),
            "The space must be of the axes outputs, .*, not 'nope'",
        ),
        (
            lambda n, c: mnv2.explore(mnv2.SearchRequest({"outputs": (16,)}, ("fps",)), n, "none"),
            "The space must have values of inputs",
        ),
        (lambda n, c: mnv2.load_configuration("base", "pixels=4"), "The settings must be a list"),
        (lambda n, c: mnv2.encode_model(None, "onnx"), "one of tflite, npz, not 'onnx'"),
    ],
)
def test_wrong_arguments_are_a_sentence(call, message):
    network, config = mnv2.mobilenet_v2(0.35, 96), mnv2.load_configuration("base")
    with pytest.raises(mnv2.UserError, match=message):
        call(network, config)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"weight_bits": (99,)}, "weight_bits must be of .*, not 99"),
        ({"bits": (8,)}, "A grid must have fields of weight_bits, .*, not 'bits'"),
    ],
)
def test_formats_that_do_not_exist(grid, message):
    with pytest.raises(ValueError, match=message):
        mnv2.SweepRequest(grids=(grid,))
