"""Damage to a folder of the cache is noticed, of whatever kind."""

import pytest

from mnv2.sim.jobs.sealed import SEAL, is_sealed, seal_folder


@pytest.fixture
def folder(tmp_path):
    """A sealed folder with a program and a text in a folder."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "top.v").write_text("module top; endmodule\n")
    (tmp_path / "top").write_bytes(b"\x7fELF" + bytes(1000))
    (tmp_path / "top").chmod(0o755)
    seal_folder(tmp_path)
    return tmp_path


def test_sealed(folder):
    assert is_sealed(folder)
    # Another file is no damage.
    (folder / "other").write_text("")
    assert is_sealed(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "top").unlink(),
        lambda folder: (folder / "top").write_bytes(b""),
        lambda folder: (folder / "top").write_bytes(b"\x7fELF" + bytes(500)),
        lambda folder: (folder / "top").write_bytes(b"\x7fELF" + bytes(999) + b"1"),
        lambda folder: (folder / "top").chmod(0o644),
        lambda folder: (folder / "sources" / "top.v").write_text(""),
        lambda folder: (folder / SEAL).unlink(),
        lambda folder: (folder / SEAL).write_text(""),
        lambda folder: (folder / SEAL).write_text("[1]"),
        lambda folder: (folder / SEAL).write_bytes(b"\xff"),
    ],
    ids=[
        *("no program", "empty program", "half a program", "another byte", "no permission"),
        *("other source", "no seal", "empty seal", "seal of another kind", "seal no text"),
    ],
)
def test_damage_is_noticed(folder, damage):
    damage(folder)
    assert not is_sealed(folder)


def test_nothing_there(tmp_path):
    assert not is_sealed(tmp_path / "missing")
