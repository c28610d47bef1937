"""Results of a campaign, a line of JSON each: nothing is lost or done twice.

The first line is the configuration. A line is written with one call and reaches the disk
before its point counts as done; one that a kill cut short is dropped when the file is opened again.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import check_folder

__all__ = ["JOURNAL_FILE", "Journal", "check_new_folder", "configuration_hash", "read_journal"]

JOURNAL_FILE = "journal.jsonl"
#: Said where the journal's request is contradicted.
RESUME_UNCHANGED = "--resume without other options resumes it with its original options"
#: Its name until its first line is in it.
TEMPORARY_FILE = f".{JOURNAL_FILE}"


def configuration_hash(configuration: Mapping[str, Any]) -> str:
    """SHA-256 of a configuration's content, in any order of its keys."""
    text = json.dumps(configuration, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def check_new_folder(folder: Path) -> None:
    """Refuse a folder that holds anything; nothing is made.

    Raises
    ------
    UserError
    """
    try:
        held = {path.name for path in folder.iterdir()} if check_folder(folder) else set()
    except OSError as error:
        raise UserError(
            f"The output folder {str(folder)!r} cannot be read: {error.strerror}"
        ) from None
    if JOURNAL_FILE in held:
        raise UserError(
            f"The output folder {str(folder)!r} holds earlier work: resume it by "
            f"--resume {folder}, or choose another folder"
        )
    if held - {TEMPORARY_FILE}:
        raise UserError(
            f"The output folder {str(folder)!r} holds other files: choose another, or empty it"
        )


def read_journal(folder: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(configuration, entries) of a folder's journal, without a line that a kill cut short.

    Raises
    ------
    UserError
        If the folder has no journal, or the file is not one.
    """
    path = Path(folder) / JOURNAL_FILE
    try:
        return _parse(path, path.read_bytes())[:2]
    except OSError as error:
        raise UserError(
            f"Nothing to resume in {str(folder)!r}: {JOURNAL_FILE} cannot be read "
            f"({error.strerror})"
        ) from None


def _parse(path: Path, content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """(configuration, entries, bytes of whole lines)."""
    whole = content.rfind(b"\n") + 1
    try:
        first, *entries = [json.loads(line) for line in content[:whole].splitlines()]
        configuration = first["configuration"]
        if first["hash"] != configuration_hash(configuration):
            raise ValueError("hash")
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{str(path)!r} is not a journal, or is damaged") from None
    return configuration, entries, whole


def _changed(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the entries that differ in two configurations, and in the requests in them."""
    names: list[str] = []
    for key in sorted({*earlier, *now}):
        one, other = earlier.get(key), now.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            names += _changed(one, other)
        elif one != other:
            names.append("the lists of formats" if key == "grids" else key)
    return names


class Journal:
    """A journal that is open to be written; a context manager.

    Use `create` or `resume`.

    Attributes
    ----------
    entries : list of dict
        Whole lines after the first, in the order written.
    """

    def __init__(self, descriptor: int, entries: list[dict[str, Any]]):
        self._descriptor = descriptor
        self.entries = entries

    @classmethod
    def create(cls, folder: str | Path, configuration: Mapping[str, Any]) -> Self:
        """A new journal in a folder, which is made.

        Raises
        ------
        UserError
            If the folder holds anything, or cannot be written.
        """
        folder = Path(folder)
        check_new_folder(folder)
        temporary = folder / TEMPORARY_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            descriptor = os.open(temporary, flags, 0o666)
            _lock(descriptor, folder)
            journal = cls(descriptor, [])
            journal._write(
                {"configuration": configuration, "hash": configuration_hash(configuration)}
            )
            temporary.rename(folder / JOURNAL_FILE)
        except OSError as error:
            raise UserError(
                f"The output folder {str(folder)!r} cannot be written: {error.strerror}"
            ) from None
        return journal

    @classmethod
    def resume(cls, folder: str | Path, configuration: Mapping[str, Any]) -> Self:
        """The journal of work that was stopped, to be resumed.

        Raises
        ------
        UserError
            If the folder has none, it is of another configuration, or is being written.
        """
        path = Path(folder) / JOURNAL_FILE
        read_journal(folder)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
            _lock(descriptor, path.parent)
            earlier, entries, whole = _parse(path, path.read_bytes())
            # As JSON returns it: JSON has no tuples.
            plain = json.loads(json.dumps(configuration))
            changed = _changed(earlier, plain)
            if changed:
                os.close(descriptor)
                advice = (
                    RESUME_UNCHANGED
                    if earlier.get("request") != plain.get("request")
                    else "start anew in another folder"
                )
                raise UserError(
                    f"The folder {str(folder)!r} holds other work: it differs in "
                    f"{', '.join(changed)}; {advice}"
                )
            os.ftruncate(descriptor, whole)
        except OSError as error:
            raise UserError(
                f"The journal {str(path)!r} cannot be written: {error.strerror}"
            ) from None
        return cls(descriptor, entries)

    def append(self, entry: dict[str, Any]) -> None:
        """Write an entry, and see it on the disk."""
        self._write(entry)
        self.entries.append(entry)

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        try:
            written = os.write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise UserError(f"The journal cannot be written: {error.strerror}") from None
        if written != len(line):
            raise UserError("The journal cannot be written: the disk is full")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Keep a second process from writing the same journal."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        raise UserError(f"Another process is at work in {str(folder)!r}") from None
