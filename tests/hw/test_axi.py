"""The AXI4 ports: names, directions, refusals and joining."""

import pytest
from amaranth import Module
from amaranth.lib.wiring import In, Out

from mnv2.hw.axi import AxiSignature, join


def test_members_of_each_access():
    read, write, both = (
        AxiSignature(data_bits=128, access=access).members for access in ("r", "w", "rw")
    )
    assert {**read, **write} == dict(both.items())
    assert not set(read) & set(write)
    assert both["wstrb"] == Out(16)
    assert both["rdata"] == In(128)


def test_without_identifiers():
    names = set(AxiSignature(data_bits=64, id_bits=0).members)
    assert not names & {"arid", "rid", "awid", "bid"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"data_bits": 32}, "Data width must be 64, 128, 256 or 512 bits, not 32"),
        ({"address_bits": 65}, "Address bits must be an integer from 12 to 64, not 65"),
        ({"id_bits": -1}, "Identifier bits must be an integer from 0 to 32, not -1"),
        ({"access": "wr"}, "Access must be 'r', 'w' or 'rw', not 'wr'"),
    ],
)
def test_refuses(parameters, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        AxiSignature(**{"data_bits": 64} | parameters)


def test_join_refuses():
    bus, read, write, wide = (
        AxiSignature(data_bits=bits, access=access).create()
        for bits, access in ((64, "rw"), (64, "r"), (64, "w"), (128, "w"))
    )
    join(Module(), bus, read, write)
    with pytest.raises(ValueError, match="^Masters must have each channel of the port exactly"):
        join(Module(), bus, read)
    with pytest.raises(ValueError, match="^Width of wdata must be 64 bits, not 128$"):
        join(Module(), bus, read, wide)
