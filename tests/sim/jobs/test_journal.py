"""The journal survives a kill, and no sweep writes into another's."""

import json
import os

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs.journal import JOURNAL_FILE, Journal, check_new_folder, read_journal

CONFIGURATION = {"pictures": "abc", "request": {"limit": None}}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "sweep"
    with Journal.create(folder, CONFIGURATION) as journal:
        journal.append({"point": "1"})
        journal.append({"point": "2"})
    return folder


def test_entries_come_back(folder):
    assert read_journal(folder) == (CONFIGURATION, [{"point": "1"}, {"point": "2"}])
    with Journal.resume(folder, CONFIGURATION) as journal:
        journal.append({"point": "3"})
    assert [entry["point"] for entry in read_journal(folder)[1]] == ["1", "2", "3"]


def test_tuples_are_no_change(tmp_path):
    configuration = {"request": {"sizes": (96, 128)}}
    with Journal.create(tmp_path / "work", configuration):
        pass
    with Journal.resume(tmp_path / "work", configuration) as journal:
        assert journal.entries == []


@pytest.mark.parametrize("cut", [1, 5, 14])
def test_line_that_a_kill_cut_short_is_dropped(folder, cut):
    path = folder / JOURNAL_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_journal(folder)[1] == [{"point": "1"}]
    with Journal.resume(folder, CONFIGURATION) as journal:
        assert journal.entries == [{"point": "1"}]
        journal.append({"point": "3"})
    lines = path.read_text().splitlines()
    assert [json.loads(line).get("point") for line in lines] == [None, "1", "3"]


def test_another_sweep_is_refused(folder):
    before = (folder / JOURNAL_FILE).read_bytes()
    with pytest.raises(UserError, match="holds other work: it differs in pictures"):
        Journal.resume(folder, {**CONFIGURATION, "pictures": "xyz"})
    assert (folder / JOURNAL_FILE).read_bytes() == before


def test_two_at_a_time_are_refused(folder):
    with (
        Journal.resume(folder, CONFIGURATION),
        pytest.raises(UserError, match="Another process is at work"),
    ):
        Journal.resume(folder, CONFIGURATION)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no journal\n",
        b'{"configuration": {}}\n',
        b'{"configuration": {"a": 1}, "hash": "0"}\n',
        b"[1]\n",
    ],
)
def test_what_is_no_journal_is_refused(folder, content):
    (folder / JOURNAL_FILE).write_bytes(content)
    with pytest.raises(UserError, match="is not a journal, or is damaged"):
        read_journal(folder)


def test_damage_within_is_refused(folder):
    path = folder / JOURNAL_FILE
    path.write_bytes(path.read_bytes().replace(b'{"point": "1"}', b'{"point": "1"'))
    with pytest.raises(UserError, match="damaged"):
        Journal.resume(folder, CONFIGURATION)


def test_folder_without_a_journal(tmp_path):
    with pytest.raises(UserError, match="Nothing to resume"):
        read_journal(tmp_path)


def test_folders_that_are_not_new(folder, tmp_path):
    with pytest.raises(UserError, match="holds earlier work: resume it by --resume"):
        Journal.create(folder, CONFIGURATION)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("")
    with pytest.raises(UserError, match="holds other files"):
        check_new_folder(tmp_path / "precious")
    with pytest.raises(UserError, match="is a file, not a folder"):
        check_new_folder(tmp_path / "precious" / "file")
    check_new_folder(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_journal_that_was_never_begun_is_none(tmp_path):
    """A kill before the first line leaves nothing that keeps the folder from being used."""
    (tmp_path / f".{JOURNAL_FILE}").write_bytes(b'{"config')
    with Journal.create(tmp_path, CONFIGURATION):
        pass
    assert read_journal(tmp_path) == (CONFIGURATION, [])


def test_entry_is_on_the_disk_before_it_counts(folder, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(real(descriptor)))
    with Journal.resume(folder, CONFIGURATION) as journal:
        journal.append({"point": "3"})
        assert len(synced) == 1


def test_entry_that_does_not_fit_the_disk(folder, monkeypatch):
    """The part that was written is dropped by the next process."""
    real = os.write
    with Journal.resume(folder, CONFIGURATION) as journal:
        monkeypatch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[:5]))
        with pytest.raises(UserError, match="the disk is full"):
            journal.append({"point": "3"})
        monkeypatch.undo()
        assert [entry["point"] for entry in journal.entries] == ["1", "2"]
    assert [entry["point"] for entry in read_journal(folder)[1]] == ["1", "2"]


def test_other_files_than_options_need_a_new_start(folder):
    """Options that are left out do not help where the code or the pictures are other ones."""
    with pytest.raises(UserError, match="differs in pictures; start anew in another folder"):
        Journal.resume(folder, {**CONFIGURATION, "pictures": "other"})
    with pytest.raises(UserError, match="differs in limit; --resume without other options"):
        Journal.resume(folder, {**CONFIGURATION, "request": {"limit": 3}})
