"""Verilog is generated once for each content."""

import dataclasses

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mnv2.sim.rtl import verilog


class Adder(wiring.Component):
    """Adds a constant."""

    made = 0

    def __init__(self, *, addend):
        Adder.made += 1
        self.addend = addend
        super().__init__({"i": In(8), "o": Out(9)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.i + self.addend)
        return m


@dataclasses.dataclass(frozen=True)
class Options:
    """Some frozen parameters."""

    lanes: int = 4


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    return tmp_path


def test_same_text_each_time():
    first = verilog.convert(Adder(addend=3), name="adder")
    assert first == verilog.convert(Adder(addend=3), name="adder")
    assert "module adder(" in first
    assert "src =" not in first


def test_second_generation_makes_nothing():
    first = verilog.generate(Adder, name="adder", addend=3)
    made = Adder.made
    assert verilog.generate(Adder, name="adder", addend=3) == first
    assert Adder.made == made


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text[:90], lambda _: ""])
def test_damaged_text_is_generated_again(cache, damage):
    first = verilog.generate(Adder, name="adder", addend=3)
    (path,) = (cache / "verilog").iterdir()
    whole = path.read_text()
    path.write_text(damage(whole))
    assert verilog.generate(Adder, name="adder", addend=3) == first
    assert path.read_text() == whole


def test_parameters_and_name_are_part_of_the_content():
    texts = {
        verilog.generate(Adder, name=name, addend=addend)
        for name in ("a", "b")
        for addend in (1, 2)
    }
    assert len(texts) == 4


def test_frozen_record_is_a_parameter(cache):
    def make(*, options):
        return Adder(addend=options.lanes)

    assert verilog.generate(make, options=Options(4)) != verilog.generate(make, options=Options(5))


def test_parameter_without_stable_representation():
    with pytest.raises(
        TypeError, match=r"Parameters of a cached component must be plain values, not <object"
    ):
        verilog.generate(Adder, addend=object())
