"""The identity of code: a hash of every file that a module's results depend on.

Nothing is listed by hand. The files are found by following imports, those inside functions too, so
a file that is renamed, split or newly imported is in the hash without anybody thinking of it.
"""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

__all__ = ["code_hash", "source_files"]

PACKAGE = "mnv2"
#: Tables that code reads lie in its folder; all of a folder's count.
DATA_SUFFIXES = {".css", ".js", ".json", ".sv", ".toml", ".txt", ".v", ".vlt"}


@cache
def code_hash(*modules):
    """SHA-256 of the project's code that modules depend on, as installed here.

    Parameters
    ----------
    modules : str
        Dotted names, such as ``"mnv2.sim.explore.search"``.

    Returns
    -------
    str
        64 hexadecimal digits of the names and contents of `source_files`.
    """
    digest = hashlib.sha256()
    for name, path in sorted(source_files(*modules).items()):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def source_files(*modules):
    """The project's files that modules depend on.

    Parameters
    ----------
    modules : str
        Dotted names.

    Returns
    -------
    dict of str to Path
        By dotted name of the module, or of the folder followed by the file's name for tables.
    """
    found, waiting = {}, list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _find(name)
        if path is None:
            raise ModuleNotFoundError(f"There is no module {name}")
        found[name] = path
        waiting += _imports(name, path) - found.keys()
    tables = {}
    for name, path in found.items():
        folder = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for file in path.parent.iterdir():
            if file.suffix in DATA_SUFFIXES:
                tables[f"{folder}/{file.name}"] = file
    return found | tables


def _find(name):
    """File of one of the project's modules; None if there is no module of that name."""
    if name.partition(".")[0] != PACKAGE:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # a name inside a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imports(name, path):
    """Names of the project's modules that a file imports, and of the packages around them."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    wanted = {package}
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = (
                importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                if node.level
                else node.module
            )
            wanted.add(module)
            # What is imported may be a module itself.
            wanted |= {f"{module}.{alias.name}" for alias in node.names}
    return {module for module in wanted - {PACKAGE} if _find(module)}
