"""Faults of any Python code: each rule yields what could be wrong with a node."""

import ast
from collections.abc import Callable, Iterator

from mnv2.sim.mutation.places import Change, Rule

__all__ = ["RULES"]

Text = Callable[[ast.AST], str]

_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "+",
    ast.FloorDiv: "*",
    ast.Div: "*",
    ast.Mod: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.BitXor: "|",
    ast.LShift: ">>",
    ast.RShift: "<<",
}


def _comparison(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a comparison with another operator."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = text(node.left), text(node.comparators[0])
        for new in _COMPARISONS.get(type(node.ops[0]), ()):
            yield Change("compare", node, f"({left} {new} {right})")


def _operator(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield an operation with another operator, and one that is not done."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = f"({text(node.left)})", f"({text(node.right)})"
        yield Change("operator", node, f"({left} {_OPERATORS[type(node.op)]} {right})")
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            yield Change("condition dropped", node, right)
            yield Change("condition dropped", node, left)
        else:
            yield Change("term dropped", node, left)
    if isinstance(node, ast.BoolOp):
        texts = [f"({text(value)})" for value in node.values]
        other = " or " if isinstance(node.op, ast.And) else " and "
        yield Change("operator", node, f"({other.join(texts)})")
        for place in range(len(texts)):
            rest = texts[:place] + texts[place + 1 :]
            same = " and " if isinstance(node.op, ast.And) else " or "
            yield Change("condition dropped", node, f"({same.join(rest)})")


def _constant(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a number that is off by one, and the other truth value."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield Change("constant", node, str(not node.value))
        elif isinstance(node.value, int):
            yield Change("constant", node, str(node.value + 1))
            if node.value:
                yield Change("constant", node, str(node.value - 1))


def _negation(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield what is negated without the negation."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not | ast.USub):
        yield Change("negation", node, f"({text(node.operand)})")


def _branch(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a condition that is always or never met, and a choice the wrong way round."""
    if isinstance(node, ast.If | ast.While):
        if isinstance(node, ast.If):
            yield Change("condition", node.test, "True")
        yield Change("condition", node.test, "False")
    if isinstance(node, ast.IfExp):
        texts = [f"({text(one)})" for one in (node.orelse, node.test, node.body)]
        yield Change("choice", node, "({} if {} else {})".format(*texts))


def _extremum(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield the least for the most, and the other way round."""
    others = {"min": "max", "max": "min", "any": "all", "all": "any"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in others:
        yield Change("extremum", node.func, others[node.func.id])


def _statement(node: ast.AST, text: Text) -> Iterator[Change]:
    """Yield a statement that is not there; assertions, which check and do nothing, stay."""
    if not isinstance(node, ast.stmt) or "Assert(" in text(node)[:40]:
        return
    if isinstance(node, ast.AugAssign):
        yield Change("statement", node, "pass")
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if "super().__init__" not in text(node):
            yield Change("statement", node, "pass")


#: In this order a file's faults are listed.
RULES: tuple[Rule, ...] = (
    _comparison,
    _operator,
    _constant,
    _negation,
    _branch,
    _extremum,
    _statement,
)
