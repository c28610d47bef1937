"""A compilation's progress: object files of the sources that will be compiled."""

import time

from mnv2.sim.rtl.compile_progress import count_objects, object_counts


def test_counts(tmp_path):
    assert object_counts(tmp_path) == (0, 0)
    for name in ("Vtop.cpp", "Vtop___024root.cpp", "other.cpp", "Vtop.o", "verilated.o"):
        (tmp_path / name).touch()
    assert object_counts(tmp_path) == (1, 2)
    # Verilator joins small designs into one file.
    (tmp_path / "Vtop__ALL.cpp").touch()
    assert object_counts(tmp_path) == (0, 1)
    (tmp_path / "Vtop__ALL.o").touch()
    assert object_counts(tmp_path) == (1, 1)


def test_is_told_while_the_work_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("mnv2.sim.rtl.compile_progress.LOOK_SECONDS", 0.02)
    told = []
    (tmp_path / "Vtop.cpp").touch()
    with count_objects(tmp_path, lambda *counts: told.append(counts)):
        time.sleep(0.3)
        (tmp_path / "Vtop.o").touch()
        time.sleep(0.3)
    assert told[0] == (0, 1)
    assert told[-1] == (1, 1)
    seen = len(told)
    time.sleep(0.1)
    assert len(told) == seen
