"""One question to one tool: the files it is given, how it is called, how its answer is read."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mnv2.sim.peers.result import LayerSaid

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """A row of the table before it is answered.

    Attributes
    ----------
    name : str
        Of the row, its folder and its option, such as ``zigzag-own``.
    tool, label : str
        Name of the tool, and what distinguishes this row of it.
    package : str
        Name of the package for pip.
    array, memory, mapping : str
        Description of what it is told: its multipliers, its memories, the loops they unroll.
    untold : str
        What it cannot be told, which is why its answer differs.
    multipliers : int
        Number of multipliers that it is told of.
    files : dict of str to bytes
        Files that are written into its folder, by name.
    command : tuple of str
        Run in that folder, with the environment's programs first; ``python`` is its Python.
    read : function of Path
        From the folder to a tuple of `LayerSaid`; raises `ToolFailed`.
    slow : bool
        Whether it takes minutes.
    """

    name: str
    tool: str
    label: str
    package: str
    array: str
    memory: str
    mapping: str
    untold: str
    multipliers: int
    files: Mapping[str, bytes] = field(hash=False, repr=False)
    command: tuple[str, ...]
    read: Callable[[Path], tuple[LayerSaid, ...]] = field(hash=False, repr=False)
    slow: bool = False

    def key(self, version: str) -> str:
        """Hash of everything that decides the answer: files, command, version of the package.

        Parameters
        ----------
        version : str

        Returns
        -------
        str
            16 hexadecimal digits.
        """
        content = hashlib.sha256(json.dumps([self.command, self.package, version]).encode())
        for name in sorted(self.files):
            content.update(name.encode() + b"\0")
            content.update(hashlib.sha256(self.files[name]).digest())
        return content.hexdigest()[:16]
