"""Disks without room, said with the folder that lies on them."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mnv2.sim.errors import UserError

__all__ = ["LITTLE_BYTES", "check_room", "free_bytes", "is_full", "room_in"]

#: Errors of a disk without room: none left, none left to this user, none for a file of this size.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: A disk with less than this is full: programs that fail remove some of what they have written.
LITTLE_BYTES = 1 << 16


def is_full(error: OSError) -> bool:
    """Whether an error is that of a disk without room.

    Parameters
    ----------
    error : OSError
        numpy's own say how much was written, and have no number.

    Returns
    -------
    bool
    """
    return error.errno in _FULL or (error.errno is None and "requested and" in str(error))


def free_bytes(folder: str | Path) -> int | None:
    """Bytes that this user may still write to the disk of a folder.

    Returns
    -------
    int or None
        0 where no file can be made; None where nobody knows.
    """
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    if disk.f_files and not disk.f_favail:
        return 0
    return disk.f_bavail * disk.f_frsize


def check_room(folder: str | Path, remedy: str, *, least: int = LITTLE_BYTES) -> None:
    """Say that a disk is full, once work that writes there has failed or may have.

    Parameters
    ----------
    folder : path
    remedy : str
        What the user can do, for the end of the sentence.
    least : int
        Free bytes with which it counts as full.

    Raises
    ------
    UserError
        If it is.
    """
    free = free_bytes(folder)
    if free is not None and free < least:
        raise _no_room(folder, remedy)


@contextlib.contextmanager
def room_in(folder: str | Path, remedy: str) -> Iterator[None]:
    """Turn errors of a full disk into one sentence that names the folder.

    Parameters
    ----------
    folder : path
        What is written in the body.
    remedy : str
        As for `check_room`.

    Raises
    ------
    UserError
        If the body fails with an error of a full disk.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise _no_room(folder, remedy) from None


def _no_room(folder, remedy):
    """The error of a full disk."""
    return UserError(f"No space is left in {str(folder)!r}: {remedy}")
