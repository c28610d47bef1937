"""A copy of the checkout, in which a fault is planted at a time."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mnv2.sim.mutation.places import Mutant

__all__ = ["Tree"]

_FOLDERS = ("golden", "hw", "sim", "tests")
_FILES = ("pyproject.toml",)
#: What holds the copy's first lines of Python, and what is planted now.
_START, _PLANTED = "start", "planted.json"


class Tree:
    """A copy of the checkout that Python runs in place of what is installed.

    It is made at first use, and used again by whoever opens it next: what an interrupted user has
    planted is taken out.

    Parameters
    ----------
    root : Path
        The checkout.
    folder : Path
        Where the copy is, or will be.
    """

    def __init__(self, root: Path, folder: Path):
        self.folder = folder
        if not (folder / _START).is_dir():
            self._copy(root)
        self._take_out()

    def environment(self) -> dict[str, str]:
        """This process's variables, with those that make Python find the copy.

        Sources are compiled each time: a fault may be as long as what it replaces, and be written
        in the same second.
        """
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder / _START),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }

    @contextlib.contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """Have a fault in the copy inside the context."""
        path = self.folder / mutant.file
        text = path.read_text(encoding="utf-8")
        faulty = mutant.plant(text)
        (self.folder / _PLANTED).write_text(json.dumps([mutant.file, text]), encoding="utf-8")
        path.write_text(faulty, encoding="utf-8")
        try:
            yield
        finally:
            self._take_out()

    def _copy(self, root: Path) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in _FOLDERS:
            shutil.copytree(
                root / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in _FILES:
            shutil.copy(root / name, self.folder / name)
        # Last, as the mark that all is there.
        start = self.folder / f".{_START}"
        start.mkdir()
        shutil.copy(Path(__file__).with_name("redirect.py"), start / "sitecustomize.py")
        shutil.copy(Path(__file__).with_name("runner.py"), start)
        start.rename(self.folder / _START)

    def _take_out(self) -> None:
        planted = self.folder / _PLANTED
        if planted.exists():
            with contextlib.suppress(ValueError):  # cut short: nothing was planted yet
                file, text = json.loads(planted.read_text(encoding="utf-8"))
                (self.folder / file).write_text(text, encoding="utf-8")
            planted.unlink()
