"""`mnv2 cost`: its tables, its files, and what it says to bad input."""

import csv
import json

import pytest
from typer.testing import CliRunner

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim import cli
from mnv2.sim.configuration import load_configuration, load_setting
from mnv2.sim.cost.devices import load_devices
from mnv2.sim.cost.resources import estimate_resources, estimate_units
from mnv2.sim.cost.synthesised import find_synthesised
from mnv2.sim.cost.unit_list import GROUPS, group_of
from mnv2.sim.cycles.predict import predict_network

SMALL = ("--width", "0.35", "--size", "96")
#: A device without pairs of 8-bit products.
ECP5 = ("--device", "ECP5-85", "--set", "packing=none")


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ("cost", *arguments), env={"COLUMNS": "160"})


def test_help_teaches():
    text = invoke("--help").stdout
    assert "mnv2 cost --config base --device ZU9EG" in text
    assert len(text.split()) > 80


def test_one_device(tmp_path):
    result = invoke(
        "--device", "zcu102", "--clock", "250", *SMALL, "--output", str(tmp_path / "out")
    )
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert "computed: fits AMD Zynq UltraScale+ ZU9EG, bound by block RAM, 18 kbit (27%)" in text
    assert "250 MHz" in text
    assert "given" in text
    assert "predicted" in text
    # What is counted and what Yosys mapped: in columns of their own.
    luts = estimate_resources(PRESETS["base"]).luts
    mapped = find_synthesised(PRESETS["base"], "xcup")["luts"]
    assert ["LUTs", f"{luts:,}", f"{mapped:,}", f"{luts / mapped - 1:+.1%}"] in [
        line.split() for line in text.splitlines()
    ]
    assert ["DSPs", "324", "324", "0"] in [line.split() for line in text.splitlines()]
    content = json.loads((tmp_path / "out/report.json").read_text())
    assert content["computed"] is True
    (device,) = content["devices"]
    assert device["fits"] is True
    assert device["clock_hz"] == 250e6
    assert device["predicted_frames_per_second"] == 250e6 / device["predicted_cycles"]
    assert device["needed_bandwidth_bytes_per_second"] == pytest.approx(
        device["predicted_dram_bytes"] * device["predicted_frames_per_second"]
    )
    family = content["families"]["xcup"]
    assert family["counted"] == vars(estimate_resources(PRESETS["base"]))
    assert family["yosys"] == find_synthesised(PRESETS["base"], "xcup")
    assert sum(content["relative_energy_by_operation"].values()) == pytest.approx(
        content["relative_energy"]
    )
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "cost.png",
        "report.csv",
        "report.json",
    ]
    with (tmp_path / "out/report.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["device"] == "ZU9EG"
    assert row["DSPs, used"] == "324"
    assert row["DSPs, available"] == "2520"


def test_all_devices(tmp_path):
    result = invoke("--config", "tiny", *SMALL, "--output", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    for name in load_devices():
        assert any(line.split()[:1] == [name] for line in lines), name
    (smallest,) = [line for line in lines if line.split()[:1] == ["iCE40UP5K"]]
    assert smallest.split()[1] == "no"
    content = json.loads((tmp_path / "out/report.json").read_text())
    assert len(content["devices"]) == len(load_devices())
    assert {device["family"] for device in content["devices"]} == {"xcup", "xc7", "ecp5", "ice40"}
    for device in content["devices"]:
        shares = [
            use["used"] / use["available"] if use["available"] else float("inf")
            for use in device["uses"].values()
            if use["used"]
        ]
        assert device["fits"] == (max(shares) <= 1)


def test_slow_memory_is_the_boards():
    """A board of 1.6 GB/s feeds a port of 16 bytes less than a beat a cycle at 200 MHz."""
    fast, slow = (
        json_of(*ECP5, "--clock", "200", "--config", "tiny", *SMALL, *more)["devices"][0]
        for more in (("--bandwidth", "64"), ())
    )
    assert slow["bytes_per_cycle"] == 8
    assert slow["predicted_cycles"] > fast["predicted_cycles"]


def test_memory_by_its_part():
    options = (*ECP5, "--clock", "100", *SMALL)
    (own,) = json_of(*options)["devices"]
    assert own["memory_part"] == "ddr3-800x16"
    effective = own["effective_bandwidth_bytes_per_second"]
    assert effective < own["peak_bandwidth_bytes_per_second"] == 1.6e9
    assert [row["name"] for row in own["bottlenecks"]][:2] == ["stem", "block1"]
    (other,) = json_of(*options, "--memory", "sdr-sdram-x16")["devices"]
    assert other["memory_part"] == "sdr-133x16"
    assert other["peak_bandwidth_bytes_per_second"] == 266e6
    assert other["predicted_cycles"] > own["predicted_cycles"]
    shown = invoke(*options, "--memory", "sdr-sdram-x16").stdout
    assert "memory, effective, GB/s" in shown
    assert "memory, peak, GB/s" in shown
    assert "MT48LC16M16A2" in shown


@pytest.mark.parametrize(
    "options",
    [("--config", "kv260"), ("--config", "KV260", "--device", "k26"), ("--device", "KV260")],
)
def test_a_board_gives_memory_and_clock(options):
    board = load_setting("kv260").board
    (one,) = json_of(*options, *SMALL)["devices"]
    assert one["device"] == board.device
    assert one["memory_part"] == board.memory
    assert one["clock_hz"] == board.clock_hz
    assert one["clock_source"] == board.clock_source
    # The cycles are those of the part, as mnv2 predict predicts them.
    config = load_configuration("base" if options[0] == "--device" else "kv260")
    layers = predict_network(
        mobilenet_v2(0.35, 96), config, part=board.memory, part_clock_hz=board.clock_hz
    )
    assert one["predicted_cycles"] == sum(layer.cycles for layer in layers)


def test_options_stand_for_a_boards():
    (one,) = json_of("--config", "kv260", "--clock", "150", "--bandwidth", "8", *SMALL)["devices"]
    assert (one["clock_hz"], one["clock_source"], one["bytes_per_cycle"]) == (150e6, "given", 8)
    (other,) = json_of("--config", "ulx3s-85f", "--device", "ECP5-45", *SMALL)["devices"]
    assert other["clock_source"].startswith("slowest unit")
    shown = " ".join(invoke("--config", "kv260", *SMALL).stdout.split())
    assert f"clock 300 MHz: {load_setting('kv260').board.clock_source};" in shown
    assert "cycles for two frames abreast, predicted with ps-hp-ddr4-2400x64" in shown


def test_share_of_a_memory_that_was_not_predicted_with():
    """Rows above 100 % say what they mean, and what predicts the waits."""
    options = ("--device", "ZU3EG", *SMALL)
    assert max(row["share"] for row in json_of(*options)["devices"][0]["bottlenecks"]) > 1
    note = "above 100 % a layer waits longer than predicted here: --memory ps-hp-lpddr4-2133x32"
    assert note in invoke(*options).stdout
    assert note not in invoke(*options, "--memory", "ps-hp-lpddr4-2133x32").stdout


def test_a_memory_that_is_no_part_has_a_peak_alone():
    options = ("--device", "UP5K", "--set", "packing=none", *SMALL)
    (one,) = json_of(*options)["devices"]
    assert one["memory_part"] is None
    assert one["bottlenecks"] == []
    assert "effective" not in invoke(*options).stdout


def json_of(*arguments):
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        result = invoke(*arguments, "--output", f"{folder}/out")
        assert result.exit_code == 0, result.output
        return json.loads(Path(folder, "out/report.json").read_text())


def test_ultra_ram_is_the_configurations():
    ultra = ["--set", "map_ram=ultra", "--set", "weight_ram=ultra"]
    plain, chosen = (
        json_of("--device", "KV260", *SMALL, *more)["devices"][0]["uses"] for more in ([], ultra)
    )
    assert chosen["DSPs"]["used"] == plain["DSPs"]["used"]
    assert "UltraRAM" not in plain or not plain["UltraRAM"]["used"]
    assert chosen["UltraRAM"]["used"] == 10 + 22
    assert chosen["block RAM, 18 kbit"]["used"] < plain["block RAM, 18 kbit"]["used"] / 3
    # A device of the family that has none is too small, one of another family is refused.
    assert not json_of("--device", "ZU9EG", *SMALL, *ultra)["devices"][0]["fits"]
    refused = invoke("--device", "Zynq-7020", "--set", "packing=none", *SMALL, *ultra)
    assert refused.exit_code == 2
    assert "AMD 7 series has no UltraRAM" in refused.stderr
    assert "use --set map_ram=block --set weight_ram=block" in refused.stderr


def test_packing_takes_fewer_dsps():
    plain, packed = (
        json_of("--device", "ZU3EG", "--set", f"packing={packing}", *SMALL)["devices"][0]["uses"]
        for packing in ("none", "pixels")
    )
    assert plain["DSPs"]["used"] - packed["DSPs"]["used"] == 16 * 4 * 3


def test_devices_that_cannot_pack_have_a_note():
    """Among all devices; one that is asked for is refused."""
    text = " ".join(invoke("--set", "packing=pixels", *SMALL).stdout.split())
    assert (
        "the multipliers of Lattice ECP5 take 18 bits, and pairs are packed into 27, so that "
        "each takes several;" in text
    )
    assert "the multipliers of AMD UltraScale+" not in text
    devices = json_of("--set", "packing=pixels", *SMALL)["devices"]
    assert {one["family"] for one in devices if one["note"]} == {"xc7", "ecp5", "ice40"}
    assert "are packed into" not in invoke("--set", "packing=none", *SMALL).stdout


def test_two_frames_abreast():
    """Frames a second and bytes are those of a frame, cycles those of both."""
    one, two = (
        json_of("--device", "ZU9EG", "--set", f"frames={frames}", *SMALL) for frames in (1, 2)
    )
    device = two["devices"][0]
    assert device["predicted_frames_per_second"] == pytest.approx(
        2 * device["clock_hz"] / device["predicted_cycles"]
    )
    assert device["needed_bandwidth_bytes_per_second"] == pytest.approx(
        device["predicted_dram_bytes"] * device["predicted_frames_per_second"]
    )
    # Weights are read once for both.
    names = ("read weights", "read parameters", "multiply-accumulate")
    weights, parameters, macs = (
        two["relative_energy_by_operation"][name] / one["relative_energy_by_operation"][name]
        for name in names
    )
    assert weights == parameters == pytest.approx(0.5)
    assert macs == pytest.approx(1)


def test_slowest_unit_limits_ecp5():
    result = invoke(*ECP5, "--config", "tiny", *SMALL)
    assert "69.6 MHz, limited by MacArray 16x4x2" in result.stdout


def test_energies_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("dram_bit = 100\n")
    plain = json_of("--device", "ZU9EG", *SMALL)["relative_energy_by_operation"]
    mine = json_of("--device", "ZU9EG", "--energies", str(path), *SMALL)[
        "relative_energy_by_operation"
    ]
    assert mine["external memory"] == pytest.approx(plain["external memory"] * 100 / 8)
    assert mine["requantise"] == plain["requantise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "ZU3GE"), "did you mean ZU3EG"),
        (("--config", "huge"), "there is no file 'huge'"),
        (("--set", "pixels=0"), "pixels must be a positive integer"),
        (("--energies", "none.toml"), "table of energies 'none.toml' cannot be read"),
        (("--devices", "/dev/null"), "'/dev/null' holds no device"),
        (("--dsp-packing",), "No such option: --dsp-packing"),
        (
            ("--set", "packing=pixels", "--device", "ECP5-85"),
            (
                "This configuration is not for ECP5-85: the multipliers of Lattice ECP5 take 18 "
                "bits, and pairs are packed into 27, so that each takes several; use "
                "--set packing=none."
            ),
        ),
        (
            ("--set", "packing=pixels", "--device", "Zynq-7020"),
            "into 27, so that each takes several; use --set operand_bits=25 or --set packing=none.",
        ),
        (
            (
                *("--set", "packing=pixels", "--set", "operand_bits=25"),
                *("--set", "activation_bits=4", "--device", "ECP5-85"),
            ),
            "into 25, so that each takes several; use --set operand_bits=18 or --set packing=none.",
        ),
        (("--devices", "none.toml"), "table of devices 'none.toml' cannot be read"),
        (("--latency", "0"), "The memory options are invalid"),
        (("--fmax", "--clock", "100", *ECP5), "give one of them"),
        (("--fmax", "--device", "ZU9EG"), "choose a --device of that family"),
    ],
)
def test_bad_input(arguments, message, tmp_path):
    result = invoke(*arguments, "--output", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_does_not_fit_leaves_the_resources():
    result = invoke("--config", "tiny", "--device", "ZU3EG")
    assert result.exit_code == 0
    assert "computed: fits AMD Zynq UltraScale+ ZU3EG" in result.stdout
    assert "The network does not run on this accelerator: block2 needs 1344 words" in result.stdout
    assert "frames/s" not in result.stdout
    content = json_of("--config", "tiny")
    assert content["misfit"].startswith("block2 needs")
    assert content["relative_energy"] is None
    assert {device["predicted_cycles"] for device in content["devices"]} == {None}


def test_every_unit_has_a_group():
    for path in estimate_units(PRESETS["base"]):
        assert group_of(path) in GROUPS
    assert group_of("core.array") == "multiplier array"
    assert group_of("core.issue.walk") == "issue"
    assert group_of("read_port.read_master.channel_3.queue") == "memory port"
    assert group_of("read_port.taps_gearbox") == "gearboxes"
    assert group_of("core") == "maps and datapath"
    assert group_of("") == "sequencer, registers"
