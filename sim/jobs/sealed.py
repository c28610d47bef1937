"""Folders of the cache whose files can be told from damaged ones."""

import hashlib
import json
from pathlib import Path

__all__ = ["SEAL", "is_sealed", "seal_folder"]

#: Name of the file that lists a folder's files, their bytes and their hashes.
SEAL = "sealed.json"


def seal_folder(folder: Path) -> None:
    """List the files of a folder, once all are written, so that damage to them is noticed.

    Parameters
    ----------
    folder : Path
        Files in folders below it count too.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = {str(path.relative_to(folder)): _describe(path) for path in files}
    (folder / SEAL).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def is_sealed(folder: Path) -> bool:
    """Whether a folder is there and all its files are as they were when it was sealed.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool
        False too if it was never sealed.
    """
    try:
        content = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        return all(_describe(folder / name) == wanted for name, wanted in content.items())
    except (OSError, ValueError, AttributeError):
        return False


def _describe(path):
    """Hash of a file, and whether it is a program."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return [digest, bool(path.stat().st_mode & 0o100)]
