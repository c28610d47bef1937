"""One form of docstrings: numpydoc's sections, each where it belongs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTIONS = {
    "Attributes",
    "Examples",
    "Members",
    "Notes",
    "Parameters",
    "Raises",
    "Returns",
    "See Also",
    "Yields",
}


def documented(folder):
    """(place, node, docstring) of every module, class and function that has one."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(
                node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            ) and (text := ast.get_docstring(node)):
                name = getattr(node, "name", "")
                yield f"{path.relative_to(ROOT)}:{name}", node, text


def sections(text):
    """Headings of a docstring: lines that are underlined."""
    lines = text.splitlines()
    return [
        line.strip()
        for line, under in zip(lines, lines[1:], strict=False)
        if under.strip() and set(under.strip()) == {"-"}
    ]


def is_record(node):
    """Whether a class is a dataclass or a named tuple."""
    marks = [ast.unparse(mark) for mark in (*node.decorator_list, *node.bases)]
    return any("dataclass" in mark or "NamedTuple" in mark for mark in marks)


def bases(node):
    """Names of what a class derives from, in one string."""
    return " ".join(ast.unparse(base) for base in getattr(node, "bases", []))


@pytest.mark.parametrize("folder", ["golden", "hw", "sim"])
def test_sections(folder):
    """Records have Attributes, ports are Members, and there are no other headings."""
    wrong = []
    for place, node, text in documented(folder):
        if isinstance(node, ast.Module):  # a page of text has headings of its own
            continue
        found = sections(text)
        wrong += [f"{place}: {heading}" for heading in found if heading not in SECTIONS]
        if isinstance(node, ast.ClassDef) and is_record(node):
            wrong += [
                f"{place}: {heading}" for heading in found if heading in ("Parameters", "Members")
            ]
        if "Members" in found and folder != "hw" and "Component" not in bases(node):
            wrong.append(f"{place}: Members")
    assert not wrong


@pytest.mark.parametrize("folder", ["golden", "hw", "sim"])
def test_first_line_is_a_sentence(folder):
    """It ends with a full stop, or continues in the next line and ends there."""
    wrong = [
        place
        for place, _, text in documented(folder)
        if not text.split("\n\n")[0].rstrip().endswith((".", ":", "?"))
    ]
    assert not wrong
