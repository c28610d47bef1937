"""Arrival times from SDF, worked out by hand; loops and other units are refused."""

import pytest

from mnv2.sim.place.delays import Hop, find_arrivals, read_delays

#: A register, a LUT, a register whose enable the same LUT drives, and a constant's pin.
SDF = r"""(DELAYFILE
  (TIMESCALE 1ps)
  (CELL
    (CELLTYPE "top")
    (INSTANCE )
    (DELAY
      (ABSOLUTE
        (INTERCONNECT \$gbuf\$clk/CLKO a\[0\]/CLK (0:0:0) (0:0:0))
        (INTERCONNECT \$gbuf\$clk/CLKO b/CLK (0:0:0) (0:0:0))
        (INTERCONNECT \$gbuf\$clk/CLKO memory/CLKA (0:0:0) (0:0:0))
        (INTERCONNECT a\[0\]/Q \\lut/A (100:150:700) (100:150:600))
        (INTERCONNECT memory/DOA0 \\lut/B (10:20:30) (10:20:30))
        (INTERCONNECT \\lut/F b/DI (5:6:50) (5:6:40))
        (INTERCONNECT \\lut/F b/CE (5:6:400) (5:6:410))
        (INTERCONNECT pin/O b/M (5:6:9000) (5:6:9000))
      )
    )
  )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE a\[0\])
    (DELAY (ABSOLUTE
        (IOPATH CLK Q (329:362:395) (329:362:395))
    ))
    (TIMINGCHECK
      (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (213:222:232))
    )
  )
  (CELL
    (CELLTYPE "DP16KD")
    (INSTANCE memory)
    (DELAY (ABSOLUTE
        (IOPATH CLKA DOA0 (3000:3500:4000) (3000:3500:4000))
    ))
  )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE \\lut)
    (DELAY (ABSOLUTE
        (IOPATH A F (153:166:180) (153:166:180))
        (IOPATH B F (153:166:237) (153:166:237))
    ))
  )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE b)
    (TIMINGCHECK
      (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (213:222:232))
      (SETUPHOLD (posedge CE) (posedge CLK) (7:8:9) (113:114:116))
      (SETUPHOLD (posedge M) (posedge CLK) (0:0:0) (196:213:231))
    )
  )
)
"""


def test_arrivals():
    """Through the memory 4000 + 30 + 237, over the wire to the enable 410 more, and its setup."""
    arrivals = find_arrivals(read_delays(SDF.splitlines()))
    assert arrivals.endpoints == {"b/DI": 4317, "b/CE": 4686}
    begin, hops = arrivals.path("b/CE")
    assert begin == "memory/DOA0"
    assert hops == [
        Hop("memory/DOA0", 4000, False),
        Hop("\\lut/B", 30, True),
        Hop("\\lut/F", 237, False),
        Hop("b/CE", 410, True),
    ]


def test_latest_path_is_chosen():
    slower = SDF.replace("(3000:3500:4000)", "(300:350:400)")
    arrivals = find_arrivals(read_delays(slower.splitlines()))
    assert arrivals.endpoints["b/DI"] == 395 + 700 + 180 + 50
    assert arrivals.path("b/DI")[0] == "a[0]/Q"


def test_loop_is_refused():
    loop = SDF.replace(
        r"(INTERCONNECT \\lut/F b/DI (5:6:50) (5:6:40))",
        r"(INTERCONNECT \\lut/F \\lut/A (5:6:50) (5:6:40))",
    )
    with pytest.raises(ValueError, match="loop of logic"):
        find_arrivals(read_delays(loop.splitlines()))


def test_other_units_are_refused():
    with pytest.raises(ValueError, match=r"picoseconds, not \(TIMESCALE 1ns\)"):
        read_delays(SDF.replace("1ps", "1ns").splitlines())
