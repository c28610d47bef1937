"""The identity of code: a hash of every file that a module's results depend on.

Nothing is listed by hand. The files are found by following imports, those inside functions too, and
texts that name a module, such as the one that a simulator is told to load. So a file that is
renamed, split or newly imported is in the hash automatically. Nothing is imported
for that: sources are parsed.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

__all__ = ["code_hash", "part_folders", "source_files"]

PACKAGE = "mnv2"
#: Parts of the package, each a folder of its own. The package itself holds names of their functions
#: and no results.
PARTS = ("golden", "hw", "sim")
#: Endings of tables and texts that code reads from its own folder; all of a folder's count.
DATA_SUFFIXES = {".cpp", ".css", ".js", ".json", ".sv", ".toml", ".txt", ".v", ".vlt"}


@cache
def code_hash(*modules: str) -> str:
    """SHA-256 of the project's code that modules depend on, as installed here.

    Parameters
    ----------
    modules : str
        Dotted names, such as ``"mnv2.sim.explore.search"``.

    Returns
    -------
    str
        64 hexadecimal digits: `hash_files` of `source_files`.
    """
    return hash_files(source_files(*modules))


def hash_files(files: Mapping[str, Path]) -> str:
    """SHA-256 of the names and contents of files, in the order of the names."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def source_files(*modules: str, folders: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """The project's files that modules depend on.

    Parameters
    ----------
    modules : str
        Dotted names.
    folders : dict of str to Path, optional
        Folders of the parts by dotted name; default those installed here.

    Returns
    -------
    dict of str to Path
        By dotted name of the module, or of the folder followed by the file's name for tables.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module.
    """
    folders = part_folders() if folders is None else folders
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _find(name, folders)
        if path is None:
            raise ModuleNotFoundError(f"There is no module {name}")
        found[name] = path
        waiting += _imports(name, path, folders) - found.keys()
    tables = {}
    for name, path in found.items():
        folder = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for file in path.parent.iterdir():
            if file.suffix in DATA_SUFFIXES:
                tables[f"{folder}/{file.name}"] = file
    return found | tables


def part_folders() -> dict[str, Path]:
    """Folders of the parts as installed here, by dotted name."""
    folders = {}
    for part in PARTS:
        spec = importlib.util.find_spec(f"{PACKAGE}.{part}")
        assert spec is not None
        assert spec.submodule_search_locations
        folders[spec.name] = Path(next(iter(spec.submodule_search_locations)))
    return folders


def _find(name: str, folders: Mapping[str, Path]) -> Path | None:
    """File of one of the project's modules; None if there is no module of that name."""
    parts = name.split(".")
    folder = folders.get(".".join(parts[:2]))
    if folder is None:
        return None
    path = folder.joinpath(*parts[2:])
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of a file but those for type checkers alone, which decide nothing."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            children = list(node.orelse)
        waiting += children


def _imports(name: str, path: Path, folders: Mapping[str, Path]) -> set[str]:
    """Names of the project's modules that a file names, and of the packages around them."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    wanted = {name, package}
    for node in _statements(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            module = importlib.util.resolve_name(module, package)
            wanted.add(module)
            # A name that is imported may be a module itself.
            wanted |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            wanted.add(node.value)
    # Python runs the packages around a module before it.
    for module in tuple(wanted):
        while "." in module:
            module = module.rpartition(".")[0]
            wanted.add(module)
    return {module for module in wanted if _find(module, folders)}
