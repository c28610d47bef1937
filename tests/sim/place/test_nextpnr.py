"""A unit placed and routed with the real tools: clock, paths, other speeds, kept results."""

import json
from pathlib import Path

import pytest

from mnv2.sim.cost.devices import find_device
from mnv2.sim.errors import UserError
from mnv2.sim.place.nextpnr import read_back, route
from mnv2.sim.place.target import find_target
from mnv2.sim.synthesis.process import ToolFailure
from mnv2.sim.synthesis.tools import find_nextpnr
from tests.sim.place.small import add_program, failing_nextpnr, full_disk, map_small

TARGET = find_target(find_device("ECP5-25"))


@pytest.fixture(scope="module")
def netlist(tmp_path_factory):
    """A unit's netlist as Yosys's JSON, and its owners."""
    _, content, owners = map_small(tmp_path_factory.mktemp("netlist"))
    return content, owners


def place(netlist, folder, program=None, **options):
    """Place and route the unit."""
    told = []
    seed = route(
        *netlist,
        folder,
        find_nextpnr(program),
        TARGET,
        **{"seed": 1, "speed": 8, "timeout": 600, **options},
        watch=lambda *step: told.append(step),
    )
    return seed, told


@pytest.fixture(scope="module")
def routed(netlist, tmp_path_factory):
    """The unit placed and routed, where it is kept, and the steps that were told of."""
    folder = tmp_path_factory.mktemp("routed")
    return (*place(netlist, folder), folder)


def test_longest_path_is_the_clock(routed):
    """The paths found in nextpnr's delays end where its own figure does."""
    seed, _, _ = routed
    paths = seed.result["paths"]
    assert len(paths) > 5
    assert len({(path["from_unit"], path["from_register"], path["to_unit"]) for path in paths}) == (
        len(paths)
    )
    assert paths[0]["nanoseconds"] == pytest.approx(1e3 / seed.result["megahertz"], abs=0.006)
    assert paths == sorted(paths, key=lambda path: -path["nanoseconds"])
    assert all(0 < path["wires"] < path["nanoseconds"] for path in paths)
    # Nine in ten registers are the unit's own.
    assert {path["from_unit"] for path in paths} <= {"", "queue", "wrapper"}
    assert seed.result["placed_megahertz"] > 20


def test_every_endpoint_is_counted(routed):
    seed, _, _ = routed
    result = seed.result
    assert sum(result["delays"].values()) > result["resources"]["TRELLIS_FF"]["used"]
    longest = max(map(float, result["delays"]))
    assert longest <= result["paths"][0]["nanoseconds"] < longest + 0.25


def test_units_hold_all_cells(routed):
    """Cells by unit add up to those that nextpnr packed, and each tile has a colour."""
    seed, _, _ = routed
    units = seed.result["units"].values()
    for kind, name in (("TRELLIS_COMB", "luts"), ("TRELLIS_FF", "flip_flops")):
        used = seed.result["resources"][kind]["used"]
        assert sum(unit.get(name, 0) for unit in units) == used
    tiles = [tuple(tile) for group in seed.result["tiles"].values() for tile in group]
    assert len(set(tiles)) == len(tiles) > 20


def test_steps_are_told(routed):
    _, told, _ = routed
    names = list(dict.fromkeys(step for step, *_ in told))
    assert names[0] == "packing"
    assert names[1:4] == ["placing", "refining the placement", "routing"]
    _, done, total, _ = [step for step in told if step[0] == "routing"][-1]
    assert done == total > 500


def test_same_speed_reads_back_the_same(routed, netlist):
    seed, _, folder = routed
    options = {"timeout": 600, "watch": lambda *_: None}
    tools = (netlist[1], folder, find_nextpnr(), TARGET)
    clocks = {
        speed: read_back(seed, *tools, speed=speed, **options)["megahertz"] for speed in (6, 7, 8)
    }
    # At most the 35 ps by which the sums of a slice's two carries differ.
    assert 0 <= 1e3 / clocks[8] - 1e3 / seed.result["megahertz"] < 0.037
    assert clocks[6] < clocks[7] < clocks[8]
    assert {path.name for path in folder.glob("speed-*.json")} == {
        f"speed-{speed}.json" for speed in (6, 7, 8)
    }


def test_kept_result_is_read(routed, netlist, tmp_path):
    """No tool runs again; one that would fails here."""
    seed, _, folder = routed
    broken = add_program(
        tmp_path / "nextpnr-ecp5",
        "import sys\nprint('\"nextpnr-ecp5\" (Version 0.9)')\n"
        "sys.exit('--version' not in sys.argv)",
    )
    again, told = place(netlist, folder, str(broken))
    assert again.result == seed.result
    assert told == []
    with pytest.raises(ToolFailure):
        place(netlist, tmp_path / "new", str(broken))


def test_failure_keeps_the_log_and_no_result(netlist, tmp_path):
    program = failing_nextpnr(tmp_path / "nextpnr-ecp5", [3])
    with pytest.raises(ToolFailure, match="failed: ERROR: Failed to route arc 3 of net n"):
        place(netlist, tmp_path / "kept", str(program), seed=3)
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"lock", "nextpnr.log"}
    assert "Routing 12 arcs" in (tmp_path / "kept" / "nextpnr.log").read_text()


def test_device_that_is_too_small(netlist, tmp_path):
    """nextpnr says so itself, in its last words."""
    huge = json.loads(netlist[0])
    cells = huge["modules"]["top"]["cells"]
    multiplier = {
        "hide_name": 0,
        "type": "MULT18X18D",
        "parameters": {},
        "attributes": {},
        "port_directions": {"P0": "output"},
        "connections": {"P0": [1 << 24]},
    }
    for number in range(29):
        cells[f"multiplier{number}"] = {**multiplier, "connections": {"P0": [(1 << 24) + number]}}
    with pytest.raises(ToolFailure, match="no BELs remaining to implement cell type 'MULT18X18D'"):
        place((json.dumps(huge).encode(), netlist[1]), tmp_path)


def test_report_that_is_cut_short(netlist, tmp_path):
    """By a full disk that nextpnr does not notice, or by itself: no result is kept."""
    program = add_program(
        tmp_path / "nextpnr-ecp5",
        "import sys\nprint('\"nextpnr-ecp5\" (Version 0.9)')\n"
        "if '--report' in sys.argv:\n    open('report.json', 'w').write('{\"fmax\": {')",
    )
    with full_disk(), pytest.raises(UserError, match=r"cannot be written \(File too large\)"):
        place(netlist, tmp_path / "kept", str(program))
    with pytest.raises(ToolFailure, match="left no whole report.json of one clock"):
        place(netlist, tmp_path / "kept", str(program))
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"lock", "nextpnr.log"}


def test_target_clock_is_stated(routed):
    seed, _, _ = routed
    assert TARGET.flow.options[:2] == ("--freq", "100")
    assert "PASS at 100.00 MHz" in Path(seed.log).read_text()
