"""Bits that are always 0, in the text of a module."""

import pytest
from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mnv2.sim.rtl.live_bits import LiveBits, declared_bits
from mnv2.sim.rtl.verilog import convert

BODY = """
  input clk;
  wire clk;
  input [7:0] x;
  wire [7:0] x;
  input [1:0] place;
  wire [1:0] place;
  wire [7:0] low;
  wire [11:0] cut;
  wire [11:0] either;
  wire [7:0] sum;
  reg [7:0] kept = 8'h03;
  reg [7:0] \\$1 ;
  reg [7:0] shifted = 8'h00;
  reg [7:0] \\$2 ;
  reg [7:0] moving = 8'h00;
  wire [7:0] driven;
  wire [3:0] left;
  wire [3:0] right;
  wire [3:0] upper;
  wire [11:0] extended;
  assign low = { 4'h0, x[3:0] };
  assign cut = { x[1:0], 8'h00, x [5:4] };
  assign either = place[0] ? { 4'h0, low } : place[1] ? 12'h800 : cut;
  assign sum = low + low;
  assign driven[3:0] = 4'h0;
  assign { left, right } = { 3'h0, x[2:0], 2'h0 };
  assign extended = $signed(x);
  always @(posedge clk)
    moving[place*2 +: 2] <= x[1:0];
  always @(posedge clk)
    kept <= \\$1 ;
  always @(posedge clk)
    shifted <= \\$2 ;
  always @* begin
    \\$1  = kept;
    if (place[0]) begin
      \\$1  = low;
    end
  end
  always @* begin
    casez (place)
      2'h1:
          \\$2  = { shifted[6:0], 1'h1 };
      default:
          \\$2  = 8'h00;
    endcase
  end
  \\top.part  part (
    .clk(clk),
    .o({ driven[7:4], upper })
  );
"""


@pytest.mark.parametrize(
    ("expression", "mask"),
    [
        ("x", 0xFF),
        ("low", 0x0F),
        ("low[5:2]", 0x03),
        ("cut", 0xC03),
        ("either", 0xC0F),
        ("{ 1'h0, cut }", 0xC03),
        ("$signed(low)", 0x0F),
        ("12'h800", 0x800),
        # Through a register, with what it begins with.
        ("kept", 0x0F),
        # Round a register, bit by bit.
        ("shifted", 0xFF),
        ("{ left, right }", 0x1C),
        ("extended", 0xFFF),
        # Not followed: an adder, an instance, a part whose place is a signal.
        ("sum", 0xFF),
        ("driven", 0xFF),
        ("moving", 0xFF),
    ],
)
def test_mask(expression, mask):
    assert LiveBits(BODY).mask(expression) == mask


def test_an_expression_that_is_not_followed_has_no_mask():
    assert LiveBits(BODY).mask("low ^ cut") is None
    assert LiveBits(BODY).mask("nothing") is None


def test_widths():
    bits = declared_bits(BODY)
    assert (bits["clk"], bits["x"], bits["cut"], bits["\\$1"]) == (1, 8, 12, 8)


class Stored(wiring.Component):
    """A word of a memory, of which a part is written with zeros."""

    i: In(4)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = cells = memory.Memory(shape=8, depth=4, init=[])
        write, read = cells.write_port(), cells.read_port()
        m.d.comb += [write.en.eq(1), write.data.eq(self.i << 2), self.o.eq(read.data)]
        return m


def test_words_of_a_memory_may_be_anything():
    body = convert(Stored()).partition(";\n")[2]
    assert LiveBits(body).mask("o") == 0xFF
