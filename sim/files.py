"""Files that appear together."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from sim.errors import UserError

__all__ = ["replaced_files", "write_whole"]


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
