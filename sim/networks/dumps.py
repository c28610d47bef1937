"""Dumps: .npz files of tensors by name, as runs write them, read as untrusted input."""

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import save_arrays

__all__ = ["DUMP_FILE", "read_dump", "write_dump"]

#: Name of the dump in the output folder of a run.
DUMP_FILE = "tensors.npz"

#: Bytes of all tensors of a dump together, at most.
MAXIMUM_BYTES = 4 << 30


def read_dump(path):
    """Tensors of a dump, in the order in which they were written.

    Parameters
    ----------
    path : path
        An .npz file, or the output folder of a run.

    Returns
    -------
    dict of str to array
        Integers, booleans or floats.

    Raises
    ------
    UserError
        If the file cannot be read, is not an .npz, is damaged, or holds anything but numbers.

    Examples
    --------
    >>> import mnv2
    >>> import numpy as np
    >>> np.savez("tensors.npz", stem=np.zeros((2, 2, 8), np.int8))
    >>> mnv2.read_dump("tensors.npz")["stem"].shape
    (2, 2, 8)
    """
    path = Path(path).expanduser()
    if path.is_dir():
        if not (path / DUMP_FILE).is_file():
            raise UserError(
                f"The folder {path} must hold {DUMP_FILE}, as a run writes it, but there is none"
            )
        path /= DUMP_FILE
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_members(archive, path)
    except OSError as error:
        raise UserError(f"The dump {path} cannot be read: {error.strerror or error}") from None
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        MemoryError,
        zlib.error,
    ) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"The dump {path} must be an .npz file of tensors: {detail}") from None


def write_dump(path, tensors):
    """Write tensors by name to an .npz, whole or not at all.

    Raises
    ------
    UserError
        If the file cannot be written; nothing is left half-written.
    """
    try:
        save_arrays(path, tensors)
    except OSError as error:
        raise UserError(f"The dump {path} cannot be written: {error.strerror or error}") from None


def _read_members(archive, path):
    """Every array of an open archive."""
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    if size > MAXIMUM_BYTES:
        raise UserError(f"The dump {path} holds {size:,} bytes, more than {MAXIMUM_BYTES:,}")
    tensors = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        with archive.open(member) as file:
            tensors[name] = _read_array(file, member.file_size, name)
    if not tensors:
        raise ValueError("it holds none")
    return tensors


def _read_array(file, size, name):
    """One array; its header is held to the size of the member before memory is taken."""
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(
        npy.read_magic(file)
    )
    if read_header is None:
        raise ValueError(f"{name} is of an unknown version of .npy")
    shape, fortran_order, dtype = read_header(file)
    if dtype.kind not in "biuf":
        raise UserError(f"The tensor {name} must be of integers or floats, not {dtype}")
    if file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{name} is not as long as its header says")
    array = np.frombuffer(file.read(), dtype)
    return array.reshape(shape, order="F") if fortran_order else array.reshape(shape)
