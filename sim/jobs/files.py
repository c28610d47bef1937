"""Files: read or refused in one sentence; written whole, under a temporary name, then renamed."""

import contextlib
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.disk import room_in

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "check_folder",
    "check_writable_file",
    "output_folder",
    "read_toml",
    "replaced_files",
    "save_arrays",
    "write_json",
    "write_whole",
]

#: Names that run, predict and validate give their files: a folder of these alone is an earlier
#: report, which a new one may replace.
RUN_FILE = re.compile(
    r"report\.(json|csv|html)|tensors\.npz|(cycles|bytes|roofline|frame|validate|cost|compare|what-if)\.png|"
    r"(network|block\d+)\.(vcd|fst)"
)


def read_toml(path: str | Path, what: str, *, missing: str | None = None) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : path
    what : str
        What messages call it.
    missing : str, optional
        The message where there is no such file, if it has one of its own.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        If it cannot be read, or is not TOML.
    """
    name = repr(str(path))
    try:
        # Some editors put a byte order mark in front.
        return tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"The {what} {name} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise UserError(f"The {what} {name} cannot be read: it is not text") from None
    except OSError as error:
        if missing is not None and isinstance(error, FileNotFoundError):
            raise UserError(missing) from None
        raise UserError(f"The {what} {name} cannot be read: {error.strerror}") from None


def write_json(path: Path, content: Any, *, allow_nan: bool = True) -> None:
    """Write values as JSON in lines, with a newline at the end; numpy's scalars as Python's.

    Parameters
    ----------
    path : Path
        In a folder that appears whole, such as that of `output_folder`.
    content : dict or list
    allow_nan : bool
        Whether numbers may be infinite or not numbers, which JSON cannot express.
    """
    text = json.dumps(content, indent=2, default=lambda value: value.item(), allow_nan=allow_nan)
    path.write_text(text + "\n", encoding="utf-8")


def check_folder(path: Path) -> bool:
    """Whether a folder is there, where results shall be written.

    Raises
    ------
    UserError
        If it is a file.
    OSError
        If this cannot be determined.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"The output {str(path)!r} is a file, not a folder")
    return path.is_dir()


@contextlib.contextmanager
def replaced_files(folder: Path) -> Iterator[Path]:
    """Collect files that are moved into a folder together once all are written, or not at all.

    Files of the same names are replaced, others stay. Enter it before the work: what would keep the
    files from being written is then found first.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Yields
    ------
    Path
        A temporary folder, to write into.

    Raises
    ------
    UserError
        If the folder cannot be made or written.
    """
    folder = Path(folder).expanduser().resolve()
    # Inside a folder that is there: it may be a disk of its own, such as a mounted volume.
    place = folder if folder.is_dir() else folder.parent
    with _temporary_folder(folder, place) as temporary:
        yield temporary
        with _folder_errors(folder):
            folder.mkdir(exist_ok=True)
            for file in sorted(temporary.iterdir()):
                os.replace(file, folder / file.name)


@contextlib.contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Make a folder that takes its name when all is in it, and vanishes if that fails.

    Enter it before the work: what would keep the result from being written is then found first.

    Parameters
    ----------
    path : Path
        Where the folder is wanted; it may exist if it holds nothing but files of an earlier run,
        which are replaced.

    Yields
    ------
    Path
        A temporary folder next to it, to write into.

    Raises
    ------
    UserError
        If the folder cannot be made there, or holds something else.
    """
    path = Path(path).expanduser().resolve()
    with _folder_errors(path):
        others = _files_of_others(path) if check_folder(path) else []
    if others:
        raise UserError(
            f"The output folder {str(path)!r} holds files that no run wrote, such as "
            f"{others[0]!r}: choose another, or move them away"
        )
    with _temporary_folder(path, path.parent) as temporary:
        yield temporary
        with _folder_errors(path):
            temporary.chmod(0o777 & ~_umask())
            if path.is_dir():
                # A folder cannot be renamed over another that is not empty.
                earlier = temporary.with_name(f"{temporary.name}.earlier")
                os.replace(path, earlier)
                os.replace(temporary, path)
                shutil.rmtree(earlier)
            else:
                os.replace(temporary, path)


@contextlib.contextmanager
def _temporary_folder(path: Path, place: Path) -> Iterator[Path]:
    """A folder in a place on the disk of another, so that moving files there is renaming them."""
    with _folder_errors(path):
        check_folder(path)
        place.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=place, prefix=f".{path.name}."))
    try:
        # What lies elsewhere on a full disk has its own sentence, and is no bare OSError.
        with room_in(path, "free some, or choose an --output on another disk"):
            yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    """Say in one sentence that a folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The output folder {str(path)!r} cannot be written: {error.strerror}"
        ) from None


def _files_of_others(folder: Path) -> list[str]:
    """Names of files in a folder that were not written there by a run, in order."""
    names = sorted(entry.name for entry in folder.iterdir())
    return [name for name in names if not RUN_FILE.fullmatch(name)]


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_whole(path: str | Path, content: bytes) -> None:
    """Write bytes to a file that takes its name when all of them are there.

    Parameters
    ----------
    path : path
        Its folder is made if it is not there.
    content : bytes

    Raises
    ------
    UserError
        If it cannot be written; what was there before stays.
    """
    path = Path(path).expanduser()
    try:
        with _temporary_file(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise UserError(f"The file {path} cannot be written: {error.strerror or error}") from None


def save_arrays(path: str | Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Write an .npz under a temporary name, then rename it: whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # A command's help is shown without loading it.
    import numpy as np

    with _temporary_file(Path(path).expanduser()) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take an array for allow_pickle


@contextlib.contextmanager
def _temporary_file(path: Path) -> Iterator[Path]:
    """Path of a file that takes its place when it was written without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable_file(path: str | Path, what: str = "dump") -> None:
    """Refuse a file that cannot be written, before the work whose result it shall hold.

    Parameters
    ----------
    path : path
    what : str
        What messages call it.

    Raises
    ------
    UserError
    """
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            raise UserError(f"The {what} {path} must be a file, and is a folder")
        if path.exists() and not path.is_file():
            # A new file takes the name: it would take the place of /dev/null itself.
            raise UserError(f"The {what} {path} must be a file, and is a device or a pipe")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(f"The {what} {path} cannot be written: {error.strerror or error}") from None
