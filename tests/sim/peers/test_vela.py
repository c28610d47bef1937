"""Vela is told of the accelerator's port and bytes, and its two tables are read together."""

import configparser
from pathlib import Path

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.peers.result import Answer, ToolFailed
from mnv2.sim.peers.vela import (
    dram_bytes_per_cycle,
    nearest_accelerators,
    read_reports,
    system_text,
)

RECORDED = Path(__file__).parent / "recorded"


def recorded():
    return [(RECORDED / name).read_text() for name in ("vela_per-layer.csv", "vela_summary.csv")]


@pytest.mark.parametrize(
    ("multipliers", "wanted"),
    [
        (448, [("u65", 512), ("u85", 512)]),
        (128, [("u85", 128)]),
        (1792, [("u85", 2048)]),
        (96, [("u85", 128)]),
        (300, [("u65", 256), ("u85", 256)]),
    ],
)
def test_nearest_accelerators(multipliers, wanted):
    assert nearest_accelerators(multipliers) == wanted


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("family", ["u65", "u85"])
def test_system_has_the_port_and_the_bytes(name, family):
    config = PRESETS[name]
    told = configparser.ConfigParser()
    told.read_string(system_text(config, family, 100))
    system, mode = told["System_Config.Mnv2"], told["Memory_Mode.Mnv2"]
    moved = 16 * int(system.get("Dram_ports_used", "1")) * float(system["Dram_clock_scale"])
    assert moved == dram_bytes_per_cycle(config, family) <= config.data_bytes
    assert system["Dram_read_latency"] == "100"
    assert config.on_chip_bytes - 16 < int(mode["arena_cache_size"]) <= config.on_chip_bytes


def test_a_port_wider_than_its_own_is_cut():
    assert dram_bytes_per_cycle(PRESETS["base"], "u65") == 16
    assert dram_bytes_per_cycle(PRESETS["large"], "u65") == 16
    assert dram_bytes_per_cycle(PRESETS["large"], "u85") == 32


def test_recorded_answer():
    answer = Answer(read_reports(*recorded()))
    network = mobilenet_v2()
    names = {layer.name for layer in network.layers}
    # Every layer is found by its name; its others are additions, and halves of the pool.
    assert names <= {layer.name for layer in answer.layers}
    assert answer.cycles == 1_862_555
    assert answer.dram_bytes == 9_057_632
    assert answer.cycles_of({block.depthwise.name for block in network.blocks}) == 460_581


def test_rows_must_add_up_to_the_sum():
    layers, summary = recorded()
    lines = layers.splitlines()
    with pytest.raises(ToolFailed, match="are not its sum, 1,862,555"):
        read_reports("\n".join(lines[:-1]), summary)


def test_what_is_no_report_fails():
    layers, summary = recorded()
    for texts in (("", summary), (layers, ""), (layers.replace("Op Cycles", "Cycles"), summary)):
        with pytest.raises(ToolFailed):
            read_reports(*texts)
