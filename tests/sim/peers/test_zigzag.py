"""ZigZag is told of the whole network and of the accelerator's lanes, words and bytes."""

import json
from math import prod
from pathlib import Path

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.peers.result import ToolFailed
from mnv2.sim.peers.zigzag import (
    STOCK_ACCUMULATOR_BITS,
    accelerator,
    mapping,
    read_layers,
    stock_mapping,
    workload,
)

RECORDED = Path(__file__).parent / "recorded"
NETWORK = mobilenet_v2()


def test_workload_is_the_network():
    rows = workload(NETWORK)
    layers = [layer for layer in NETWORK.layers if layer.kind != "pool"]
    assert [row["name"] for row in rows] == [layer.name for layer in layers]
    assert [row["id"] for row in rows] == list(range(53))
    assert [prod(row["loop_sizes"]) for row in rows] == [layer.macs for layer in layers]
    assert sum(prod(row["loop_sizes"]) for row in rows) == 300_774_272
    for row in rows:
        assert row["operand_source"]["W"] == row["id"]
        assert row["operand_source"].get("I", -1) == row["id"] - 1


def test_windows_cover_the_padded_maps():
    for row in workload(NETWORK):
        sizes = dict(zip(row["loop_dims"], row["loop_sizes"], strict=True))
        for axis, relation, size, (before, after) in zip(
            "xy", row["dimension_relations"], row["pr_loop_sizes"], row["padding"], strict=True
        ):
            stride = int(relation.split("=")[1].split("*")[0])
            assert relation == f"i{axis}={stride}*o{axis}+1*f{axis}"
            outputs, taps = sizes[f"O{axis.upper()}"], sizes[f"F{axis.upper()}"]
            reached = (outputs - 1) * stride + taps
            # The last row or column of an even map is not reached at stride 2.
            assert 0 <= before + size + after - reached < stride


def test_accumulators_of_its_own_accelerators_are_narrower():
    assert {row["operand_precision"]["O"] for row in workload(NETWORK)} == {32}
    narrow = workload(NETWORK, STOCK_ACCUMULATOR_BITS)
    assert {row["operand_precision"]["O"] for row in narrow} == {16}


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].frames == 1])
def test_accelerator_has_the_lanes_words_and_bytes(name):
    config = PRESETS[name]
    told = accelerator(config)
    memories, inside = told["memories"], config.buffer_bytes
    assert prod(told["operational_array"]["sizes"]) == config.multipliers
    assert memories["maps"]["size"] == 8 * (inside["map"] + inside["strip"])
    assert memories["lines"]["size"] == 8 * inside["line"]
    assert memories["weights"]["size"] == 8 * (inside["weights"] + inside["taps"])
    assert [port["bandwidth_max"] for port in memories["dram"]["ports"]] == [config.data_bits] * 2
    assert {port["bandwidth_max"] for port in memories["maps"]["ports"]} == {config.word_bits}
    assert {port["bandwidth_max"] for port in memories["weights"]["ports"]} == {
        config.weight_word_bits
    }
    # Words of a byte: its counts of them are bytes.
    assert all(
        port["bandwidth_min"] == 8 for memory in memories.values() for port in memory["ports"]
    )


def test_lanes_unroll_what_the_accelerators_do():
    config = PRESETS["base"]
    sizes = dict(
        zip(("D1", "D2", "D3"), accelerator(config)["operational_array"]["sizes"], strict=True)
    )
    entries = {entry["name"]: entry["spatial_mapping"] for entry in mapping(NETWORK, config)}
    assert entries["default"] == {"D1": ["K, 16"], "D2": ["C, 4"], "D3": ["OX, 7"]}
    assert set(entries) == {"default", *(block.depthwise.name for block in NETWORK.blocks)}
    for lanes in entries.values():
        for dimension, unrolled in lanes.items():
            assert prod(int(loop.split(", ")[1]) for loop in unrolled) <= sizes[dimension]


def test_its_own_mapping_leaves_named_layers_free():
    fixed, free = stock_mapping(28, 16, free=["block1.depthwise"])
    assert fixed["spatial_mapping"] == {"D1": ["K, 16"], "D2": ["C, 28"]}
    assert free["name"] == "block1.depthwise"
    assert "spatial_mapping" not in free


def test_recorded_answer():
    answer = read_layers((RECORDED / "zigzag_layers.json").read_text())
    kept = json.loads((RECORDED / "zigzag_layers.json").read_text())
    assert [layer.name for layer in answer] == ["stem", "block1.depthwise", "block1.project"]
    assert [layer.cycles for layer in answer] == [row["cycles"] for row in kept]
    # The image, the weights and the map that does not fit on chip.
    assert answer[0].dram_bytes == 224 * 224 * 3 + 864 + 112 * 112 * 32


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"name": "stem", "cycles": null}]'])
def test_what_is_no_answer_fails(text):
    with pytest.raises(ToolFailed, match="its results"):
        read_layers(text)
