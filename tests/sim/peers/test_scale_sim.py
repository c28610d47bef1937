"""SCALE-Sim is told of the whole network, and answered as the formula on every layer recorded."""

import configparser
import csv
import io
import math
from pathlib import Path

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.peers.result import ToolFailed
from mnv2.sim.peers.scale_sim import (
    DEPTHWISE,
    configuration_text,
    layout_csv,
    read_layers,
    topology_csv,
)
from mnv2.sim.report.systolic_formula import scale_sim_cycles

RECORDED = Path(__file__).parent / "recorded"
NETWORK = mobilenet_v2()


def topology(depthwise=DEPTHWISE[0]):
    """Rows as SCALE-Sim reads them: anything after the last comma is dropped."""
    lines = topology_csv(NETWORK, depthwise).splitlines()[1:]
    rows = [line.split(",")[:-1] for line in lines]
    return [(row[0].strip(), *map(int, row[1:])) for row in rows]


def macs(row):
    """As its `topo_calc_hyperparams` counts them, without padding."""
    _, rows, columns, height, width, channels, filters, stride = row
    return (
        math.ceil((rows - height + stride) / stride)
        * math.ceil((columns - width + stride) / stride)
        * height
        * width
        * channels
        * filters
    )


def test_every_layer_is_a_row():
    rows = topology()
    layers = [layer for layer in NETWORK.layers if layer.kind != "pool"]
    assert [row[0] for row in rows] == [layer.name for layer in layers]
    assert [macs(row) for row in rows] == [layer.macs for layer in layers]
    assert sum(map(macs, rows)) == 300_774_272


def test_a_layer_marked_as_depthwise_is_one_for_each_channel():
    rows = topology(DEPTHWISE[1])
    marked = [row for row in rows if "DP" in row[0]]
    assert len(marked) == 17
    # It repeats such a row as often as there are channels, with one channel each.
    repeated = sum(macs((*row[:5], 1, *row[6:])) * row[5] for row in marked)
    others = sum(macs(row) for row in rows if row not in marked)
    assert repeated + others == 300_774_272


@pytest.mark.parametrize("depthwise", DEPTHWISE)
def test_layouts_are_those_of_the_topology(depthwise):
    told = topology_csv(NETWORK, depthwise)
    rows = [line.split(",")[:-1] for line in layout_csv(told).splitlines()[1:]]
    assert [row[0] for row in rows] == [row[0] for row in topology(depthwise)]
    repeats = [int(row[5]) for row in rows if "DP" in row[0]]
    assert repeats == [row[5] for row in topology(depthwise) if "DP" in row[0]]


def test_array_and_memories_are_the_accelerators():
    for config in PRESETS.values():
        told = configparser.ConfigParser()
        told.read_string(configuration_text(config))
        array = told["architecture_presets"]
        assert int(array["ArrayHeight"]) * int(array["ArrayWidth"]) == config.multipliers
        kilobytes = sum(
            int(array[name]) for name in ("IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB")
        )
        inside = config.buffer_bytes
        kept = sum(inside[name] for name in ("map", "line", "strip", "weights", "taps"))
        assert kept - 3 * 1024 < kilobytes * 1024 <= kept
        assert told["run_presets"]["InterfaceBandwidth"] == "CALC"


def test_bandwidth_is_told_to_all_three_ports():
    told = configparser.ConfigParser()
    told.read_string(configuration_text(PRESETS["base"], 16))
    assert told["run_presets"]["InterfaceBandwidth"] == "USER"
    assert told["architecture_presets"]["Bandwidth"] == "16"
    for name in ("Ifmap", "Filter"):
        assert told["layout"][f"{name}SRAMBankBandwidth"] == "16"
        # It refuses a bandwidth that its banks do not share evenly.
        assert told["layout"][f"{name}SRAMBankNum"] == "1"


def test_recorded_answer_is_the_formulas():
    answer = read_layers((RECORDED / "scale_sim_layers.csv").read_text())
    layers = {layer.name: layer for layer in NETWORK.layers}
    assert len(answer) == 6
    for said in answer:
        assert said.cycles == scale_sim_cycles(layers[said.name], 28, 16), said.name
    assert answer[0].dram_bytes == 305_527 + 864 + 401_423


def test_channels_of_a_layer_are_added_up():
    text = (RECORDED / "scale_sim_layers_by_channel.csv").read_text()
    channels = [row for row in csv.DictReader(io.StringIO(text)) if "Channel" in row["name"]]
    by_name = {layer.name: layer for layer in read_layers(text)}
    assert set(by_name) == {"stem", "block1.depthwise", "block1.project"}
    assert by_name["block1.depthwise"].cycles == sum(int(row["cycles"]) for row in channels)
    assert len(channels) == 32


@pytest.mark.parametrize("text", ["", "name,cycles\nstem,many\n", "name,shape,cycles\nstem,1,2\n"])
def test_what_is_no_answer_fails(text):
    with pytest.raises(ToolFailed, match="its results"):
        read_layers(text)
