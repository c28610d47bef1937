"""Files that inputs are made of: pictures, and arrays of numpy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.images import load_image
from mnv2.sim.pictures.photographs import find_picture
from mnv2.sim.pictures.resizing import Resizing

__all__ = [
    "InputFile",
    "is_npy",
    "load_npy",
    "path_of",
    "picture_of",
    "read_input_file",
    "read_picture",
    "resize_picture",
]

NPY_MAGIC = b"\x93NUMPY"
#: Characters of numpy's own message that are shown; it may quote the header of a hostile file.
DETAIL_CHARACTERS = 120


@dataclass(frozen=True, eq=False)
class InputFile:
    """A file that an input is made of.

    Attributes
    ----------
    path : Path
    picture : PIL.Image.Image or None
        The picture, decoded, in RGB; None for an .npy, which is read when its model is known.
    """

    path: Path
    picture: Image.Image | None = None

    __repr__ = short_repr


def read_input_file(path):
    """Decode the file of an input, before anything that takes time is done for it.

    Parameters
    ----------
    path : path
        A picture in any format that Pillow reads, or an .npy.

    Returns
    -------
    InputFile

    Raises
    ------
    UserError
        If it is a picture that cannot be decoded; an .npy is checked when its model is known.
    """
    path = Path(path)
    return InputFile(path, None if is_npy(path) else load_image(path))


def read_picture(name):
    """Read the picture or the .npy that the user names.

    Parameters
    ----------
    name : str
        Path of a file, or the name of a bundled photograph such as ``chelsea``.

    Returns
    -------
    InputFile

    Raises
    ------
    UserError
        If there is neither, or the picture cannot be decoded.

    Examples
    --------
    >>> import mnv2
    >>> source = mnv2.read_picture("chelsea")
    >>> source.picture.size
    (451, 300)
    """
    return read_input_file(find_picture(name))


def path_of(source):
    """Path of an InputFile, or of what names one."""
    return source.path if isinstance(source, InputFile) else Path(source)


def picture_of(source):
    """The decoded picture of an InputFile, or of a path."""
    if isinstance(source, InputFile) and source.picture is not None:
        return source.picture
    return load_image(path_of(source))


def resize_picture(source, resizing: Resizing, rows, columns):
    """Pixels of a picture, uint8 [rows, columns, 3]; an error names the file."""
    try:
        return resizing.apply(picture_of(source), rows, columns)
    except UserError as error:
        # Errors of the file itself name it already.
        if str(path_of(source)) in str(error):
            raise
        raise UserError(f"{path_of(source)}: {error}") from None


def is_npy(path):
    """Whether a file is an .npy, or is called so."""
    if path.suffix.lower() == ".npy":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(NPY_MAGIC)) == NPY_MAGIC
    except OSError:
        return False  # opening it as a picture says why


def load_npy(path, tensor):
    """The array of an .npy, of the type and shape of a Tensor.

    The file is mapped, so that its header is checked before memory is taken for it.

    Raises
    ------
    UserError
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"The input {path} must be a file")
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise UserError(f"The input {path} cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, OverflowError, SyntaxError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The input {path} must be an .npy of numbers: {detail[:DETAIL_CHARACTERS]}"
        ) from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"The input {path} must be an .npy of one array, not an archive")
    if array.dtype != tensor.dtype or array.shape != tensor.shape:
        raise UserError(
            f"The input {path} must be {tensor.dtype} {list(tensor.shape)} for "
            f"{tensor.label}, not {array.dtype} {list(array.shape)}"
        )
    return np.array(array)
