"""7 series: pins, block RAM, shared LUTs, arrivals; a unit where the program is on the PATH."""

import json
import shutil

import pytest

from mnv2.sim.cost.devices import find_device
from mnv2.sim.place import kept, placement
from mnv2.sim.place.delays import find_arrivals, read_delays, settle_endpoints
from mnv2.sim.place.floor_plan import find_tiles
from mnv2.sim.place.flow import XC7
from mnv2.sim.place.kept import keep_result
from mnv2.sim.place.nextpnr import _Follower
from mnv2.sim.place.paths import worst_paths
from mnv2.sim.place.place_files import write_place
from mnv2.sim.place.place_tables import render_place
from mnv2.sim.place.placement import PlaceRequest, place_accelerator
from mnv2.sim.place.target import find_target
from mnv2.sim.place.xilinx import PARTS, prepare_netlist, write_pins
from mnv2.sim.synthesis.owners import Owners
from tests.sim.place.small import LEAST, small_netlist

PROGRAM = "nextpnr-himbaechel-xilinx"


def cell(kind, bel="", **connections):
    """A cell as Yosys and nextpnr write it."""
    return {
        "type": kind,
        "attributes": {"NEXTPNR_BEL": bel},
        "port_directions": {port: "output" if port[0] == "O" else "input" for port in connections},
        "connections": connections,
    }


def test_netlist_is_given_pins_and_buffers():
    ports = {
        "clk": {"direction": "input", "bits": [2]},
        "i": {"direction": "input", "bits": [3]},
        "o": {"direction": "output", "bits": [4]},
    }
    # As Yosys leaves a block RAM before its check: four enables where there are two.
    memory = cell("RAMB18E1", WEA=[5, 5, 5, 5], DIADI=[6] * 64, CLKARDCLK=[2])
    widths = {"ADDRARDADDR", "ADDRBWRADDR", "DIBDI", "DOADO", "DOBDO", "DIPADIP", "DIPBDIP"}
    memory["connections"] |= {port: [7] * 40 for port in (*widths, "DOPADOP", "DOPBDOP", "WEBWE")}
    netlist = {"ports": ports, "cells": {"m": memory}, "netnames": {"n": {"bits": [2, 9, "0"]}}}
    text = json.dumps({"modules": {"top": netlist}}).encode()
    module = json.loads(prepare_netlist(text))["modules"]["top"]
    found = module["cells"]
    widths = {port: len(bits) for port, bits in found["m"]["connections"].items()}
    # AMD UG473, table 1-8.
    assert (widths["WEA"], widths["WEBWE"], widths["DIADI"], widths["DIPADIP"]) == (2, 4, 16, 2)
    assert (widths["ADDRARDADDR"], widths["DOPBDOP"], widths["CLKARDCLK"]) == (14, 2, 1)
    (pad,) = module["ports"]["clk"]["bits"]
    assert found["clk$pin"]["type"] == "IBUF"
    assert found["clk$pin"]["connections"]["I"] == [pad]
    assert found["clk$clock"]["type"] == "BUFG"
    assert found["clk$clock"]["connections"]["I"] == found["clk$pin"]["connections"]["O"]
    assert found["clk$clock"]["connections"]["O"] == [2]
    assert found["i$pin"]["connections"]["O"] == [3]
    assert (found["o$pin"]["type"], found["o$pin"]["connections"]["I"]) == ("OBUF", [4])
    new = [pad, *found["clk$pin"]["connections"]["O"]]
    new += [*module["ports"]["i"]["bits"], *module["ports"]["o"]["bits"]]
    assert len(set(new)) == 4
    assert min(new) > 9


def test_every_port_has_a_pin():
    for part in PARTS.values():
        assert list(part.pins) == ["clk", "rst", "i", "o"]
        assert len(set(part.pins.values())) == 4
        assert f"set_property LOC {part.pins['clk']} [get_ports clk]\n" in write_pins(part)


def test_functions_that_share_a_lut_count_once():
    cells = {
        "a": cell("SLICE_LUTX", "X54Y47/SLICE_X20Y1.A6LUT", O6=[1]),
        "b": cell("SLICE_LUTX", "X54Y47/SLICE_X20Y1.A5LUT", O5=[2]),
        "c": cell("SLICE_LUTX", "X54Y47/SLICE_X20Y1.B6LUT", O6=[3]),
        "d": cell("SLICE_LUTX", "X54Y47/SLICE_X21Y1.A6LUT", O6=[4]),
        "f": cell("SLICE_FFX", "X54Y48/SLICE_X20Y2.AFF"),
    }
    owners = Owners({"cells": {}, "netnames": {}})
    found = find_tiles(cells, owners, XC7)
    assert found["units"] == {"wrapper": {"luts": 3, "flip_flops": 1}}
    assert found["tiles"] == {"wrapper": [[54, 47], [54, 48]]}


#: A LUT between two registers, whose wire to A5 was routed and is written as an estimate, since
#: the inputs were permuted; of nextpnr 0.11.1, with shorter names.
SDF = r"""
  (TIMESCALE 1ps)
        (INTERCONNECT buffer/O first/CK (0:916:916) (0:916:916))
        (INTERCONNECT buffer/O second/CK (0:550:550) (0:550:550))
        (INTERCONNECT first/Q lut/A5 (0:1000:1000) (0:1000:1000))
        (INTERCONNECT lut/O6 second/D (20:20:20) (20:20:20))
    (INSTANCE first)
        (IOPATH CK Q (300:325:350) (300:325:350))
      (SETUPHOLD (posedge D) (posedge CK) (100:100:100) (200:200:200))
    (INSTANCE lut)
        (IOPATH A5 O6 (100:112:125) (100:112:125))
    (INSTANCE second)
        (IOPATH CK Q (300:325:350) (300:325:350))
      (SETUPHOLD (posedge D) (posedge CK) (100:100:100) (200:200:200))
"""


def test_arrivals_are_those_that_nextpnr_reports():
    """From the edge at the clock's source: what the clock takes to the endpoint is no delay."""
    delays = read_delays(SDF.splitlines())
    arrivals = find_arrivals(delays)
    assert arrivals.endpoints == {"second/D": 350 + 1000 + 125 + 20 + 100}
    assert settle_endpoints(delays, arrivals, {}) is arrivals
    net = {"endpoints": [{"cell": "second", "port": "D", "delay": [0.9, 1.85]}]}
    settled = settle_endpoints(delays, arrivals, {"detailed_net_timings": [net]})
    assert settled.endpoints == {"second/D": 1850 - 550 + 100}
    owners = Owners({"cells": {}, "netnames": {}})
    (path,) = worst_paths(settled, owners, flow=XC7)
    assert path["nanoseconds"] == 1.4
    assert path["wires"] == pytest.approx(1.3 - 0.475, abs=0.006)
    assert path["logic"] == {"LUT6": 1}
    assert settle_endpoints(delays, arrivals, {"detailed_net_timings": []}).endpoints == {}


def test_steps_of_the_placer_and_the_router():
    """Lines of nextpnr-himbaechel-xilinx 0.11.1 with its static placer and router2."""
    told = []
    follow = _Follower(lambda *step: told.append(step))
    for line in (
        "Info: iter=170 steplen=0.635316 a=87.113312 penalty=[0.00, 0.00, 0.00, 0.00]\n",
        "Info: Max frequency for clock 'clk': 44.00 MHz (FAIL at 100.00 MHz)\n",
        "Info:     iter=1 wires=10922 overused=307 overuse=329 archfail=NA\n",
        "Info:     iter=2 wires=11074 overused=81 overuse=83 archfail=NA\n",
        "Info:     iter=10 wires=11133 overused=0 overuse=0 archfail=0\n",
        "Info: Max frequency for clock 'clk': 188.11 MHz (PASS at 100.00 MHz)\n",
    ):
        follow(line)
    assert told[1] == ("placing", 0, 0, "iteration 170")
    assert [step[:3] for step in told[2:]] == [
        ("routing", 0, 307),
        ("routing", 226, 307),
        ("routing", 307, 307),
    ]
    assert follow.placed_megahertz == 44.0


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM}")
def test_unit_is_placed_and_said_to_be_optimistic(tmp_path, monkeypatch, capsys):
    from rich.console import Console

    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(placement, "convert_accelerator", lambda config: small_netlist())
    monkeypatch.setattr(kept, "OPTIMISTIC", tmp_path / "optimistic.json")
    target = find_target(find_device("XC7Z010"))
    report = place_accelerator(PlaceRequest(LEAST, target, 1), lambda *step: None)
    result = report.result
    # The longest path found in what nextpnr wrote is as long as its own figure.
    assert result["paths"][0]["nanoseconds"] == pytest.approx(1e3 / result["megahertz"], abs=0.006)
    uses = {use.resource: (use.used, use.available) for use in report.uses}
    assert uses["flip-flops"] == (report.synthesis["cells"]["FDRE"] + 1, 35200)
    luts, available = uses["LUTs"]
    assert available == 17600
    assert luts < result["resources"]["SLICE_LUTX"]["used"] < 2 * luts
    assert uses["DSPs"] == (0, 80)
    assert uses["block RAM, 18 kbit"] == (0, 120)
    assert report.clocks == {1: result["megahertz"]}
    assert write_place(report, tmp_path) == ["place.json", "place.png"]
    written = json.loads((tmp_path / "place.json").read_text())
    assert written["timing"].startswith("optimistic: nextpnr has no delays of a DSP48E1")
    Console(width=200).print(render_place(report))
    shown = capsys.readouterr().out
    assert f"{result['megahertz']:.1f} MHz (optimistic) on AMD Zynq-7000 XC7Z010" in shown
    assert "Every clock and delay here is optimistic" in shown
    keep_result(report, "least")
    (entry,) = json.loads((tmp_path / "optimistic.json").read_text()).values()
    assert entry["timing"].startswith("optimistic")
