"""Faults of hardware that Amaranth describes, in addition to those of Python."""

import ast
from collections.abc import Callable, Iterator

from mnv2.sim.mutation.places import Change, Rule

__all__ = ["HARDWARE_RULES"]

Text = Callable[[ast.AST], str]

#: Ends of the names of signals that open and close something.
_GATES = ("ready", "valid", "en", "grant", "advance", "room", "busy", "stall")


def _selection(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a multiplexer with its inputs exchanged."""
    if isinstance(node, ast.Call) and text(node.func) == "Mux" and len(node.args) == 3:
        select, one, other = map(text, node.args)
        yield Change("selection", node, f"Mux({select}, {other}, {one})")


def _when(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a condition that is always or never met."""
    if isinstance(node, ast.Call) and text(node.func) in ("m.If", "m.Elif") and node.args:
        yield Change("condition", node.args[0], "Const(1)")
        yield Change("condition", node.args[0], "Const(0)")


def _assignment(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield an assignment that keeps what was there, of 0, or of 1 to a gate."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    if node.func.attr != "eq" or len(node.args) != 1:
        return
    target, value = text(node.func.value), node.args[0]
    yield Change("assignment dropped", value, target)
    if not isinstance(value, ast.Constant):
        yield Change("stuck", value, "Const(0)")
        if target.endswith(_GATES):
            yield Change("gate open", value, "Const(1)")


def _register(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a signal that is a bit narrower, or of the other sign."""
    if not (isinstance(node, ast.Call) and text(node.func) == "Signal" and node.args):
        return
    shape = text(node.args[0])
    if _is_number(shape) and shape != "1":
        one = f"Shape.cast({shape})"
        width = f"max({one}.width - 1, 0)"
        yield Change("width", node.args[0], f"Shape({width}, signed={one}.signed)")
        yield Change("sign", node.args[0], f"Shape({one}.width, signed=not {one}.signed)")


def _is_number(shape: str) -> bool:
    """Whether a shape is that of a number, as far as its text shows."""
    numbers = ("range(", "signed(", "unsigned(", "len(")
    return shape.startswith(numbers) or shape.replace("_", "").isupper() or shape[:1].isdigit()


def _reset(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield registers of a function that start at 1."""
    if not isinstance(node, ast.FunctionDef):
        return
    registers = {
        text(call.func.value)
        for one in ast.walk(node)
        if isinstance(one, ast.AugAssign) and text(one.target) == "m.d.sync"
        for call in ast.walk(one.value)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "eq"
    }
    for one in ast.walk(node):
        if not (isinstance(one, ast.Assign) and text(one.targets[0]) in registers):
            continue
        signal = one.value
        if not (isinstance(signal, ast.Call) and text(signal.func) == "Signal"):
            continue
        if any(word.arg == "init" for word in signal.keywords):
            continue
        if not signal.args or _is_number(text(signal.args[0])):
            inner = ", ".join([*map(text, signal.args), *map(text, signal.keywords), "init=1"])
            yield Change("reset", signal, f"Signal({inner})")


def _field(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a field or a port that is a bit narrower."""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        shape = text(node.annotation)
        if shape.replace("_", "").isupper():
            yield Change("width", node.annotation, f"({shape} - 1)")


def _sign(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a shape of the other sign."""
    others = {"signed": "unsigned", "unsigned": "signed"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in others:
        yield Change("sign", node.func, others[node.func.id])


def _state(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a state that is not left."""
    if isinstance(node, ast.Assign) and text(node.targets[0]) == "m.next":
        yield Change("statement", node, "pass")


def _reduction(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield any bit for all of them, and the other way round."""
    others = {"any": "all", "all": "any"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in others and not node.args:
            new = f"{text(node.func.value)}.{others[node.func.attr]}()"
            yield Change("extremum", node, new)


#: In this order, after those of Python.
HARDWARE_RULES: tuple[Rule, ...] = (
    _selection,
    _when,
    _assignment,
    _register,
    _reset,
    _field,
    _sign,
    _state,
    _reduction,
)
