"""The cache: a folder of results that can be made again, kept between runs."""

import contextlib
import os
from pathlib import Path

from mnv2.sim.errors import UserError

__all__ = ["cache_dir", "cache_folder", "place_matplotlib"]


def cache_dir() -> Path:
    """Folder of the cache: ``MNV2_CACHE`` if set, else the user's cache folder.

    Returns
    -------
    Path
        Absolute; it may not exist yet.

    Raises
    ------
    UserError
        If this user has no folder of their own.
    """
    try:
        chosen = os.environ.get("MNV2_CACHE")
        if chosen:
            return Path(chosen).expanduser().resolve()
        import platformdirs

        return Path(platformdirs.user_cache_dir("mnv2")).expanduser().resolve()
    except RuntimeError:
        raise UserError(
            "This user has no home folder to keep the cache in: set MNV2_CACHE to a folder"
        ) from None


def cache_folder(name: str) -> Path:
    """A folder of the cache that exists.

    Parameters
    ----------
    name : str
        What is kept in it, such as ``"build"``.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        If it cannot be made or written.
    """
    folder = cache_dir() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise UserError(
            f"The cache folder {folder} cannot be written: set MNV2_CACHE to one that can"
        )
    return folder


def place_matplotlib() -> None:
    """Have matplotlib keep its list of fonts in the cache, where it has no home folder to write.

    It has an effect only before matplotlib is loaded.
    """
    try:
        writable = os.access(Path.home(), os.W_OK | os.X_OK)
    except RuntimeError:
        writable = False
    if not writable and "MPLCONFIGDIR" not in os.environ:
        with contextlib.suppress(UserError):
            os.environ["MPLCONFIGDIR"] = str(cache_dir() / "matplotlib")
