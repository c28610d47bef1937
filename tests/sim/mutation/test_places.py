"""Places of faults: found by the rules, named so that the name lasts, and drawn by seed."""

import ast
from pathlib import Path

import pytest

from mnv2.sim.mutation.draw import all_mutants, draw_mutants
from mnv2.sim.mutation.hardware_rules import HARDWARE_RULES
from mnv2.sim.mutation.parts import PARTS
from mnv2.sim.mutation.places import find_mutants
from mnv2.sim.mutation.rules import RULES

ROOT = Path(__file__).parents[3]


def changes(text, rules=RULES):
    return {(one.old, one.new) for one in find_mutants("file.py", text, rules)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", ("a < b", "(a <= b)")),
        ("a == b", ("a == b", "(a != b)")),
        ("a + b", ("a + b", "((a) - (b))")),
        ("a + b", ("a + b", "(a)")),
        ("a & b", ("a & b", "(b)")),
        ("a and b and c", ("a and b and c", "((a) and (c))")),
        ("a or b", ("a or b", "((a) and (b))")),
        ("f(3)", ("3", "4")),
        ("f(3)", ("3", "2")),
        ("f(True)", ("True", "False")),
        ("not a", ("not a", "(a)")),
        ("a if b else c", ("a if b else c", "((c) if (b) else (a))")),
        ("if a:\n    f()", ("a", "True")),
        ("if a:\n    f()", ("f()", "pass")),
        ("while a:\n    f()", ("a", "False")),
        ("a += 1", ("a += 1", "pass")),
        ("max(a, b)", ("max", "min")),
    ],
)
def test_faults_of_python(text, expected):
    assert expected in changes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mux(a, b, c)", ("Mux(a, b, c)", "Mux(a, c, b)")),
        ("with m.If(a):\n    f()", ("a", "Const(1)")),
        ("with m.Elif(a):\n    f()", ("a", "Const(0)")),
        ("m.d.sync += x.eq(y)", ("y", "x")),
        ("m.d.comb += x.eq(y)", ("y", "Const(0)")),
        ("m.d.comb += self.o.valid.eq(y)", ("y", "Const(1)")),
        ("Signal(signed(4))", ("signed", "unsigned")),
        (
            "Signal(range(n))",
            (
                "range(n)",
                "Shape(max(Shape.cast(range(n)).width - 1, 0), signed=Shape.cast(range(n)).signed)",
            ),
        ),
        (
            "def f(m):\n    x = Signal(4)\n    m.d.sync += x.eq(1)",
            ("Signal(4)", "Signal(4, init=1)"),
        ),
        ("class A:\n    rows: ROWS_BITS", ("ROWS_BITS", "(ROWS_BITS - 1)")),
        ('m.next = "RUN"', ('m.next = "RUN"', "pass")),
        ("x.any()", ("x.any()", "x.all()")),
    ],
)
def test_faults_of_hardware(text, expected):
    assert expected in changes(text, HARDWARE_RULES)


def test_registers_alone_have_other_resets():
    text = "def f(m):\n    x = Signal(4)\n    m.d.comb += x.eq(1)"
    assert not any("init" in new for _, new in changes(text, HARDWARE_RULES))


@pytest.mark.parametrize(
    "text",
    [
        '"""3 words."""',
        "raise ValueError(3)",
        "assert a < b",
        "def f(a: int = 3) -> int: ...",
        "x = f(name=f'{3}')",
        "m.d.sync += Assert(a)",
        "__all__ = [3]",
        "import a",
        "if TYPE_CHECKING:\n    x = 3",
    ],
)
def test_what_only_says_something_has_no_faults(text):
    assert not changes(text)


def test_names_last():
    """They depend on the function and its texts, not on the lines around it."""
    text = "def f(a):\n    return a + 1\n"
    moved = "import os\n\n\ndef g(a):\n    return a + 1\n\n\n" + text
    names = {one.name for one in find_mutants("file.py", text, RULES)}
    assert names < {one.name for one in find_mutants("file.py", moved, RULES)}


def test_equal_texts_of_a_function_have_different_names():
    mutants = find_mutants("file.py", "def f(a):\n    return (a + b) * (a + b)\n", RULES)
    assert len({one.name for one in mutants}) == len(mutants)
    assert sorted(one.number for one in mutants if one.new == "((a) - (b))") == [0, 1]


def test_text_that_is_not_ascii():
    text = 'x = "größer", a + 1\n'
    (one,) = [one for one in find_mutants("file.py", text, RULES) if one.kind == "term dropped"]
    assert one.plant(text) == 'x = "größer", (a)\n'
    with pytest.raises(ValueError, match="must hold 'a \\+ 1' at character"):
        one.plant("# a comment\n" + text)


def test_every_fault_of_the_project_is_python():
    """One of each kind in each file, and enough places for the draws that are asked for."""
    for part in PARTS.values():
        found = all_mutants(ROOT, part)
        assert sum(map(len, found.values())) > 1000
        for file, mutants in found.items():
            text = (ROOT / file).read_text(encoding="utf-8")
            for one in {mutant.kind: mutant for mutant in mutants}.values():
                planted = one.plant(text)
                assert planted != text
                ast.parse(planted)


def test_draws_begin_alike():
    found = all_mutants(ROOT, PARTS["hw"])
    few, many = draw_mutants(found, 3, 20), draw_mutants(found, 3, 200)
    assert many[:20] == few
    assert len({one.name for one in many}) == 200
    assert draw_mutants(found, 4, 20) != few
    assert len({one.kind for one in many}) > 12


def test_no_more_than_there_are():
    found = {"file.py": find_mutants("file.py", "a + b", RULES)}
    assert len(draw_mutants(found, 1, 50)) == len(found["file.py"]) == 2
