"""Files and folders that appear whole: written under a temporary name, then renamed."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from mnv2.sim.errors import UserError

__all__ = ["check_dump", "output_folder", "replaced_files", "save_arrays", "write_whole"]

#: Names that run, model and validate give their files: a folder of these alone is an earlier
#: report, which a new one may replace.
RUN_FILE = re.compile(
    r"report\.(json|csv|html)|tensors\.npz|(cycles|bytes|roofline|frame|validate|cost)\.png|"
    r"(network|block\d+)\.(vcd|fst)"
)


@contextlib.contextmanager
def replaced_files(folder):
    """Collect files that take their place in a folder when all are there, or none if that fails.

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
    folder = Path(folder).expanduser().absolute()
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"The output {str(folder)!r} is a file, not a folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder and on its disk, so that moving a file is renaming it.
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise UserError(
            f"The output folder {str(folder)!r} cannot be written: {error.strerror}."
        ) from None
    try:
        yield temporary
        try:
            folder.mkdir(exist_ok=True)
            for file in sorted(temporary.iterdir()):
                os.replace(file, folder / file.name)
        except OSError as error:
            raise UserError(
                f"The output folder {str(folder)!r} cannot be written: {error.strerror}."
            ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_whole(path, content):
    """Write bytes to a file that takes its name when all of them are there.

    Parameters
    ----------
    path : Path
        Its folder is made if it is not there.
    content : bytes

    Raises
    ------
    UserError
        If it cannot be written; what was there before stays.
    """
    path = Path(path).expanduser()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"The file {path} cannot be written: {error.strerror or error}") from None


def save_arrays(path, arrays):
    """Write an .npz under a temporary name, then rename it: whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_dump(path, what="dump"):
    """Find out before the work whether a file can be written there.

    Parameters
    ----------
    path : path
    what : str
        How messages call it.

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


@contextlib.contextmanager
def output_folder(path):
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
        A temporary folder beside it, to write into.

    Raises
    ------
    UserError
        If the folder cannot be made there, or holds something else.
    """
    path = Path(path).expanduser().absolute()
    try:
        if path.exists() and not path.is_dir():
            raise UserError(f"The output {str(path)!r} is a file, not a folder.")
        others = _files_of_others(path) if path.is_dir() else []
        if others:
            raise UserError(
                f"The output folder {str(path)!r} holds files that no run wrote, such as "
                f"{others[0]!r}: choose another, or move them away."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise UserError(
            f"The output folder {str(path)!r} cannot be written: {error.strerror}."
        ) from None
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.is_dir():
            # A folder cannot be renamed over another that is not empty.
            earlier = temporary.with_name(f"{temporary.name}.earlier")
            os.replace(path, earlier)
            os.replace(temporary, path)
            shutil.rmtree(earlier)
        else:
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _files_of_others(folder):
    """Names of what is in a folder and was not written there by a run, in order."""
    names = sorted(entry.name for entry in folder.iterdir())
    return [name for name in names if not RUN_FILE.fullmatch(name)]


def _umask():
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
