"""The model equals the RTL: every counter of every row, on several machines, networks, memories."""

import subprocess
import sys
from dataclasses import replace

import pytest

from golden.network import mobilenet_v2
from hw.config import PRESETS
from sim.errors import UserError
from sim.mapping.placement import place_network
from sim.model import core, machine
from sim.model.comparison import compare
from sim.model.predict import predict_network
from sim.rtl.run_network import run_network
from sim.rtl.simulate import MemoryModel
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

#: Tables of blocks, image, padding: strips, spilled maps, one pixel, no square.
NETWORKS = [
    ([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 33, "pytorch"),
    ([(1, 11, 1, 2), (4, 9, 1, 2), (2, 24, 1, 1)], 18, "tensorflow"),
    ([(6, 5, 1, 1)], 1, "tensorflow"),
    ([(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], 45, "pytorch"),
    ([(2, 8, 1, 2), (1, 8, 1, 1)], (5, 46), "pytorch"),
]
#: Near, far, and slower than a beat a cycle.
MEMORIES = [MemoryModel(latency=2), MemoryModel(latency=137),
            MemoryModel(latency=40, bytes_per_cycle=3)]


def network(number):
    table, size, padding = NETWORKS[number]
    return network_of(table, size, padding=padding, stem=11, head=37, classes=21)


def predict(made, config, memory):
    return predict_network(made, config, latency=memory.latency,
                           bytes_per_cycle=memory.bytes_per_cycle)


@pytest.fixture(scope="module")
def run():
    """Measured rows of a network on a machine; each is run once."""
    rows = {}

    def run(name, number, memory):
        key = name, number, memory
        if key not in rows:
            config = MACHINES[name]
            model, tensors = model_and_tensors(config, network(number), 5)
            rows[key] = run_network(model, tensors, config=config, memory=memory,
                                    asserts=True).layers
        return rows[key]

    return run


@pytest.mark.parametrize("memory", MEMORIES, ids=["near", "far", "slow"])
@pytest.mark.parametrize("number", range(len(NETWORKS)))
@pytest.mark.parametrize("name", list(MACHINES))
def test_equals_the_rtl(run, name, number, memory):
    made = network(number)
    predicted = predict(made, MACHINES[name], memory)
    found = compare(made, MACHINES[name], predicted, run(name, number, memory))
    assert not found.differences()


def test_machines_spill_maps_and_keep_them():
    spilled = {place_network(network(number), config).spilled
               for config in MACHINES.values() for number in range(len(NETWORKS))}
    assert {True, False} == {one for row in spilled for one in row}


@pytest.mark.parametrize("change", ["_RESULT", "_POOL", "_ADD"])
def test_a_cycle_more_in_a_pipeline_is_seen(run, monkeypatch, change):
    made, config, memory = network(0), MACHINES["tiny"], MEMORIES[1]
    monkeypatch.setattr(core, change, getattr(core, change) + 1)
    found = compare(made, config, predict(made, config, memory), run("tiny", 0, memory))
    assert found.differences()


@pytest.mark.parametrize("changes", [{"queue_words": 7}, {"outstanding": 2}, {"burst_beats": 8},
                                     {"strip_words": 600}, {"data_bits": 128}])
def test_another_machine_is_seen(run, changes):
    made, config, memory = network(0), MACHINES["tiny"], MEMORIES[1]
    other = replace(config, **changes)
    found = compare(made, config, predict(made, other, memory), run("tiny", 0, memory))
    assert found.differences()


def test_pauses_of_the_memory_are_not_predicted(run):
    memory = MemoryModel(latency=137, stall_percent=30, seed=5)
    made, config = network(0), MACHINES["tiny"]
    rows = run("tiny", 0, memory)
    assert sum(row.cycles for row in rows) > sum(
        row.cycles for row in predict(made, config, memory))


@pytest.mark.parametrize("name", list(MACHINES))
def test_bursts_and_cycles_agree(name, monkeypatch):
    """Of the two ports, the one steps bursts and passes over rests, the other steps cycles."""
    config = MACHINES[name]
    made   = mobilenet_v2(0.35, 96, classes=50) if name == "tiny" else network(0)
    by_bursts = predict_network(made, config, latency=60)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_network(made, config, latency=60) == by_bursts


def test_the_real_network_on_base():
    """As tests.sim.rtl.test_frame measures it: 3.8 MB, 2 % more than the ideal cycles."""
    layers = predict_network(mobilenet_v2(), PRESETS["base"])
    assert [layer.name for layer in layers] == [
        "stem", *(f"block{number}" for number in range(1, 18)), "head", "classifier"]
    assert sum(layer.cycles for layer in layers) == 769_393
    assert sum(layer.dram_bytes for layer in layers) == 3_802_552
    assert all(layer.predicted for layer in layers)


def test_what_does_not_fit_is_a_sentence():
    with pytest.raises(UserError, match="line_words is 64: change it with --set"):
        predict_network(mobilenet_v2(), replace(PRESETS["base"], line_words=64))


def test_no_simulator_is_loaded():
    program = (
        "import sys\n"
        "from golden.network import mobilenet_v2\n"
        "from hw.config import PRESETS\n"
        "from sim.model.predict import predict_network\n"
        "predict_network(mobilenet_v2(0.35, 96), PRESETS['base'])\n"
        "loaded = {'amaranth', 'cocotb', 'sim.rtl', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n")
    subprocess.run([sys.executable, "-c", program], check=True)
