"""How far a compilation is: the object files that are there, of those that there will be."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["count_objects", "object_counts"]

#: Seconds between two looks at the folder.
LOOK_SECONDS = 0.5


def object_counts(folder: Path) -> tuple[int, int]:
    """Object files of a folder of Verilator's, and sources of it that become one each.

    Where Verilator joins its sources into one, that one counts in their place.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    (int, int)
        Done, and total; both 0 before there are sources.
    """
    sources = {path.stem for path in folder.glob("Vtop*.cpp")}
    if "Vtop__ALL" in sources:
        sources = {"Vtop__ALL"}
    done = sum((folder / f"{name}.o").is_file() for name in sources)
    return done, len(sources)


@contextlib.contextmanager
def count_objects(folder: Path, compiled: Callable[[int, int], None] | None) -> Iterator[None]:
    """Call a function with `object_counts` while the enclosed compilation runs, from a thread.

    Parameters
    ----------
    folder : Path
    compiled : function of (int, int), or None
        None looks at nothing.
    """
    if compiled is None:
        yield
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            done, total = object_counts(folder)
            if total:
                compiled(done, total)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
