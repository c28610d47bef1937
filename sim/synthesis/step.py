"""A step whose result is kept: done once, by one process at a time."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["missing_step"]

_PREFIX = "unfinished-"


@contextlib.contextmanager
def missing_step(result: Path) -> Iterator[Path | None]:
    """Hold a step's folder while its result is made.

    A second process waits for the first, and finds the result. What a killed one left unfinished
    is removed.

    Parameters
    ----------
    result : Path
        The file that is there when the step is done; its folder is made.

    Yields
    ------
    Path or None
        A temporary folder to work in; None where the result is there.
    """
    folder = result.parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if result.is_file():
            yield None
            return
        for left in folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX) as temporary:
            yield Path(temporary)
