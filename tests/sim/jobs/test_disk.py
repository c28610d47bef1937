"""A full disk is one sentence with the folder, wherever it is met."""

import errno
import re

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.jobs import disk
from tests.mounts import needs_mounts, run_on_disk

#: Prints the message of a UserError.
_GUARDED = """
from pathlib import Path
import numpy as np
from mnv2.sim.errors import UserError
folder = Path({folder!r})
try:
    {body}
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_errors_of_a_full_disk_are_known(number):
    assert disk.is_full(OSError(number, "no"))


def test_short_write_of_numpy_is_a_full_disk():
    assert disk.is_full(OSError("131072 requested and 7680 written"))


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), OSError("else")])
def test_another_error_is_none(error, tmp_path):
    assert not disk.is_full(error)
    with pytest.raises(OSError, match=re.escape(str(error))), disk.room_in(tmp_path, "free some"):
        raise error


def test_full_disk_is_said_with_its_folder(tmp_path):
    with (
        pytest.raises(UserError, match=f"^No space is left in '{tmp_path}': free some$"),
        disk.room_in(tmp_path, "free some"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_room_is_measured(tmp_path):
    free = disk.free_bytes(tmp_path)
    disk.check_room(tmp_path, "free some", least=0)
    with pytest.raises(UserError, match="No space is left in"):
        disk.check_room(tmp_path, "free some", least=2 * free + 1)
    assert disk.free_bytes(tmp_path / "missing") is None


@needs_mounts
def test_full_output(tmp_path):
    body = """
    from mnv2.sim.jobs.files import output_folder
    with output_folder(folder / "run") as temporary:
        (temporary / "report.json").write_bytes(bytes(1 << 20))
    """
    done = run_on_disk(tmp_path, "size=64k", _GUARDED.format(folder=str(tmp_path), body=body[5:]))
    assert done.stderr == ""
    assert done.stdout == (
        f"No space is left in '{tmp_path}/run': free some, or choose an --output on another disk\n"
    )


@needs_mounts
def test_full_temporary_folder(tmp_path):
    body = """
    from mnv2.sim.rtl.simulate import _run_folder
    with _run_folder() as run:
        assert run.parent == folder
        np.zeros(1 << 20, np.uint8).tofile(run / "memory.bin")
    """
    done = run_on_disk(
        tmp_path,
        "size=64k",
        _GUARDED.format(folder=str(tmp_path), body=body[5:]),
        TMPDIR=str(tmp_path),
    )
    assert done.stderr == ""
    assert done.stdout.startswith(f"No space is left in '{tmp_path}/mnv2-")
    assert done.stdout.endswith("': free some, or set TMPDIR to a folder on another disk\n")


@needs_mounts
def test_full_cache(tmp_path):
    body = """
    from mnv2.sim.rtl.build import build_simulation
    build_simulation({"empty.sv": "module empty; endmodule"}, "empty")
    """
    done = run_on_disk(
        tmp_path,
        "size=300k",
        _GUARDED.format(folder=str(tmp_path), body=body[5:]),
        MNV2_CACHE=str(tmp_path),
    )
    assert done.stderr == ""
    assert done.stdout.startswith(f"No space is left in '{tmp_path}/build")
    assert done.stdout.endswith("free some, or set MNV2_CACHE to a folder on another disk\n")


@needs_mounts
def test_cache_that_runs_no_programs(tmp_path):
    body = """
    from mnv2.sim.rtl.build import build_simulation
    build_simulation({"empty.sv": "module empty; endmodule"}, "empty")
    """
    done = run_on_disk(
        tmp_path,
        "noexec",
        _GUARDED.format(folder=str(tmp_path), body=body[5:]),
        MNV2_CACHE=str(tmp_path),
    )
    assert done.stderr == ""
    assert "is mounted without permission to run programs: set MNV2_CACHE" in done.stdout
