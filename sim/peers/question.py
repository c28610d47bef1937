"""One question to one tool: the files it is given, how it is called, how its answer is read."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """A row of the table before it is answered.

    Attributes
    ----------
    name : str
        Of the row, its folder and its option, such as ``zigzag-own``.
    tool, label : str
        As people call it, and what this row of it is.
    package : str
        As pip calls it.
    array, memory, mapping : str
        What it is told, in words: its multipliers, its memories, which loops they unroll.
    untold : str
        What it cannot be told, in words: why its answer is another.
    multipliers : int
        How many it is told of.
    files : dict of str to bytes
        What is laid into its folder, by name.
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
    read: Callable = field(hash=False, repr=False)
    slow: bool = False

    def key(self, version):
        """Hash of all that decides the answer: files, command, version of the package.

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
