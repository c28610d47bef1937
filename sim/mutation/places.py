"""Places of a source at which something could be wrong, and what."""

import ast
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Change", "Mutant", "Rule", "find_mutants"]


@dataclass(frozen=True)
class Change:
    """Fault that a rule makes of a node: another text for it, or for a node inside.

    Attributes
    ----------
    kind : str
        The kind of fault, such as ``"compare"``.
    node : ast.AST
        The node that is replaced.
    new : str
        Its new text.
    """

    kind: str
    node: ast.expr | ast.stmt
    new: str


#: A function of a node and of the source's ``text(node)`` that yields changes.
Rule = Callable[[ast.AST, Callable[[ast.AST], str]], Iterable[Change]]


@dataclass(frozen=True)
class Mutant:
    """A fault at a place of a file.

    Attributes
    ----------
    file : str
        Relative to the checkout, such as ``"hw/ring.py"``.
    function : str
        Dotted name of the function or class around it; empty at the top of the file.
    kind, old, new : str
        Kind of fault, the text that is replaced, and what replaces it.
    number : int
        How many changes of the same texts come before it in the function.
    begin, end : int
        Characters of the file that are replaced, one past the end.
    """

    file: str
    function: str
    kind: str
    old: str
    new: str
    number: int
    begin: int
    end: int

    @property
    def name(self) -> str:
        """Ten hexadecimal digits that stay the same while the lines around it change."""
        parts = [self.file, self.function, self.kind, self.old, self.new, str(self.number)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]

    def plant(self, text: str) -> str:
        """The file's text with the fault in it.

        Raises
        ------
        ValueError
            If the text is not that in which the place was found.
        """
        if text[self.begin : self.end] != self.old:
            raise ValueError(f"{self.file} must hold {self.old!r} at character {self.begin}")
        return text[: self.begin] + self.new + text[self.end :]


def find_mutants(file: str, text: str, rules: Iterable[Rule]) -> list[Mutant]:
    """Every fault that rules find in a file, in the order of its nodes.

    Parameters
    ----------
    file : str
        Name for the mutants.
    text : str
        The source.
    rules : iterable of Rule

    Returns
    -------
    list of Mutant
        All of different names.
    """
    source = _Source(text)
    found: dict[str, Mutant] = {}
    seen: dict[tuple[str, ...], int] = {}
    for function, node in _nodes(ast.parse(text), ()):
        for change in itertools.chain.from_iterable(rule(node, source.text_of) for rule in rules):
            old = source.text_of(change.node)
            if change.new == old:
                continue
            key = (".".join(function), change.kind, old, change.new)
            number = seen[key] = seen.get(key, -1) + 1
            mutant = Mutant(file, *key, number, *source.span(change.node))
            found[mutant.name] = mutant
    return list(found.values())


class _Source:
    """A text and the places of its nodes."""

    def __init__(self, text: str):
        self._text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0, *itertools.accumulate(map(len, self._lines))]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First character of a node, and one past its last."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._place(node.lineno, node.col_offset),
            self._place(node.end_lineno, node.end_col_offset),
        )

    def text_of(self, node: ast.AST) -> str:
        """The text of a node as it is written."""
        begin, end = self.span(node)
        return self._text[begin:end]

    def _place(self, line: int, column: int) -> int:
        """The character at a line and a column, which the parser counts in bytes."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)


def _nodes(node: ast.AST, function: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.AST]]:
    """Yield every node that decides what the code does, with the names around it."""
    for child in ast.iter_child_nodes(node):
        if _says_only(child, node):
            continue
        yield function, child
        inner = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = (*function, child.name)
        yield from _nodes(child, inner)


def _says_only(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a node only says something: to people, to type checkers, or where nothing works."""
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Assert | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.arguments):
        return True
    if isinstance(node, ast.keyword):
        return node.arg in ("name", "src_loc_at", "metavar", "help")
    if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        return node is parent.returns or node in parent.decorator_list
    if isinstance(parent, ast.ClassDef):
        return node in parent.decorator_list
    if isinstance(parent, ast.AnnAssign) and node is parent.annotation:
        return isinstance(parent.target, ast.Attribute) or parent.value is not None
    if isinstance(node, ast.Assign):
        return any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets)
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
