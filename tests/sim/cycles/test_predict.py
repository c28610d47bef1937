"""The model equals the RTL: every counter of every row, on several machines, networks, memories."""

import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from mnv2.golden.network import build_network, mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.configuration import load_setting
from mnv2.sim.cycles import core_state, machine
from mnv2.sim.cycles import predict as predict_module
from mnv2.sim.cycles.plan import plan_network
from mnv2.sim.cycles.port import pauses
from mnv2.sim.cycles.predict import predict_frames, predict_network
from mnv2.sim.cycles.timing import core_timing
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.memory.parts import load_parts
from mnv2.sim.memory.timing import TICKS, timing_of
from mnv2.sim.prediction.layers import compare_layers
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.cycles.random_systems import (
    random_case,
    random_system,
    unequal_figures,
    with_options,
)
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

#: Tables of blocks, image, padding: strips, spilled maps, few pixels, no square.
NETWORKS = [
    ([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 33, "pytorch"),
    ([(1, 11, 1, 2), (4, 9, 1, 2), (2, 24, 1, 1)], 18, "tensorflow"),
    ([(6, 5, 1, 1)], 3, "tensorflow"),
    ([(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], 45, "pytorch"),
    ([(2, 8, 1, 2), (1, 8, 1, 1)], (5, 46), "pytorch"),
]
#: Near, far, and slower than a beat a cycle.
MEMORIES = [
    MemoryModel(latency=2),
    MemoryModel(latency=137),
    MemoryModel(latency=40, bytes_per_cycle=3),
]
#: They pause at random, one with bandwidth to spare and one without.
PAUSING = [
    MemoryModel(latency=60, stall_percent=25, seed=3),
    MemoryModel(latency=30, stall_percent=40, seed=8, bytes_per_cycle=9),
]


#: By their part: one that binds and one that does not, refresh in every frame, short rows, a port
#: of its own, an access that is longer than a beat, and pauses.
PARTS = [
    MemoryModel(part="ddr3-800x16", part_clock_hz=200e6),
    MemoryModel(part="sdr-133x16", part_clock_hz=90e6),
    MemoryModel(part="lpddr4-2133x32", part_clock_hz=333e6),
    MemoryModel(part="ps-hp-port", part_clock_hz=150e6),
    MemoryModel(part="ddr4-2400x64", part_clock_hz=900e6),
    MemoryModel(part="ddr3-1600x64", part_clock_hz=77.3e6, stall_percent=20, seed=6),
]


def network(number):
    table, size, padding = NETWORKS[number]
    return network_of(table, size, padding=padding, stem=11, head=37, classes=21)


def predict(made, config, memory):
    return predict_network(made, config, **asdict(memory))


@pytest.fixture(scope="module")
def run():
    """Measured rows of a network on a machine; each is run once."""
    rows = {}

    def run(name, number, memory):
        key = name, number, memory
        if key not in rows:
            config = MACHINES[name]
            model, tensors = model_and_tensors(config, network(number), 5)
            rows[key] = run_network(
                model, tensors, config=config, memory=memory, asserts=True
            ).layers
        return rows[key]

    return run


@pytest.mark.parametrize("memory", MEMORIES, ids=["near", "far", "slow"])
@pytest.mark.parametrize("number", range(len(NETWORKS)))
@pytest.mark.parametrize("name", list(MACHINES))
def test_equals_the_rtl(run, name, number, memory):
    made = network(number)
    predicted = predict(made, MACHINES[name], memory)
    found = compare_layers(made, MACHINES[name], predicted, run(name, number, memory))
    assert not found.differences()


@pytest.mark.parametrize("memory", PAUSING, ids=["wide", "narrow"])
@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("name", list(MACHINES))
def test_equals_the_rtl_of_a_memory_that_pauses(run, name, number, memory):
    made = network(number)
    predicted = predict(made, MACHINES[name], memory)
    found = compare_layers(made, MACHINES[name], predicted, run(name, number, memory))
    assert not found.differences()


@pytest.mark.parametrize("memory", PARTS, ids=lambda memory: memory.part)
@pytest.mark.parametrize("number", [0, 1, 4])
@pytest.mark.parametrize("name", list(MACHINES))
def test_equals_the_rtl_of_a_part(run, name, number, memory, monkeypatch):
    made = network(number)
    predicted = predict(made, MACHINES[name], memory)
    found = compare_layers(made, MACHINES[name], predicted, run(name, number, memory))
    assert not found.differences()
    # And with every cycle of the port stepped.
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict(made, MACHINES[name], memory) == predicted


@pytest.mark.parametrize(
    "change",
    [
        {"refresh_interval": TICKS},
        {"refresh": TICKS},
        {"activate": TICKS},
        {"precharge": TICKS},
        {"column": TICKS},
        {"request": TICKS},
        {"response": TICKS},
        {"access": TICKS // 16},
    ],
    ids=str,
)
def test_a_cycle_more_of_a_part_is_seen(run, monkeypatch, change):
    made, config, memory = network(4), MACHINES["narrow"], PARTS[1]
    right = timing_of(memory.part, memory.part_clock_hz)
    wrong = replace(right, **{name: getattr(right, name) + more for name, more in change.items()})
    monkeypatch.setattr(predict_module, "timing_of", lambda *_: wrong)
    found = compare_layers(made, config, predict(made, config, memory), run("narrow", 4, memory))
    assert found.differences()


@pytest.mark.parametrize(
    ("change", "part"), [("read_to_write", 3), ("write_to_read", 3), ("recovery", 0)]
)
def test_a_turn_that_costs_nothing_is_seen(run, monkeypatch, change, part):
    """Maps spill: what is written is read again, with each part at other moments."""
    made, config, memory = network(3), MACHINES["narrow"], PARTS[part]
    wrong = replace(timing_of(memory.part, memory.part_clock_hz), **{change: 0})
    monkeypatch.setattr(predict_module, "timing_of", lambda *_: wrong)
    found = compare_layers(made, config, predict(made, config, memory), run("narrow", 3, memory))
    assert found.differences()


@pytest.mark.parametrize("stall_percent", [0, 30])
def test_bandwidth_is_kept_from_the_reset_on(run, stall_percent):
    """A beat takes 32 cycles: what the memory kept until the program's start is seen all along."""
    made, config = network(2), MACHINES["wide"]
    memory = MemoryModel(latency=2, bytes_per_cycle=1, stall_percent=stall_percent)
    found = compare_layers(made, config, predict(made, config, memory), run("wide", 2, memory))
    assert not found.differences()


@pytest.mark.parametrize("seed", [3, 14])
def test_random_systems_equal_the_rtl(seed):
    """Two of those that scripts/random-systems runs by the dozen."""
    assert not unequal_figures(random_system(seed))


def test_machines_spill_maps_and_keep_them():
    spilled = {
        place_network(network(number), config).spilled
        for config in MACHINES.values()
        for number in range(len(NETWORKS))
    }
    assert {True, False} == {one for row in spilled for one in row}


def test_one_pixel_equals_the_rtl():
    made, config, memory = network_of([(6, 5, 1, 1)], 1), MACHINES["tiny"], MEMORIES[0]
    model, tensors = model_and_tensors(config, made, 5)
    rows = run_network(model, tensors, config=config, memory=memory, asserts=True).layers
    found = compare_layers(made, config, predict(made, config, memory), rows)
    assert not found.differences()


@pytest.mark.parametrize("change", ["result", "mean", "fetch", "add"])
def test_a_cycle_more_in_a_pipeline_is_seen(run, monkeypatch, change):
    made, config, memory = network(0), MACHINES["tiny"], MEMORIES[1]
    right = core_timing(config)
    wrong = replace(right, **{change: getattr(right, change) + 1})
    monkeypatch.setattr(core_state, "core_timing", lambda config: wrong)
    found = compare_layers(made, config, predict(made, config, memory), run("tiny", 0, memory))
    assert found.differences()


@pytest.mark.parametrize(
    "changes",
    [
        {"queue_words": 7},
        {"outstanding": 2},
        {"burst_beats": 8},
        {"strip_words": 600},
        {"data_bits": 128},
    ],
)
def test_another_machine_is_seen(run, changes):
    made, config, memory = network(0), MACHINES["tiny"], MEMORIES[1]
    other = replace(config, **changes)
    found = compare_layers(made, config, predict(made, other, memory), run("tiny", 0, memory))
    assert found.differences()


@pytest.mark.parametrize(
    "changes", [{"seed": 4}, {"stall_percent": 24}, {"stall_percent": 0}, {"latency": 61}]
)
def test_another_memory_is_seen(run, changes):
    made, config, memory = network(1), MACHINES["tiny"], PAUSING[0]
    found = compare_layers(
        made, config, predict(made, config, replace(memory, **changes)), run("tiny", 1, memory)
    )
    assert found.differences()


def test_pauses_a_cycle_late_are_seen(run, monkeypatch):
    made, config, memory = network(1), MACHINES["tiny"], PAUSING[0]
    monkeypatch.setattr(pauses, "START_CYCLE", pauses.START_CYCLE + 1)
    found = compare_layers(made, config, predict(made, config, memory), run("tiny", 1, memory))
    assert found.differences()


@pytest.mark.parametrize("seed", range(24))
def test_what_is_skipped_of_a_part_changes_nothing(seed, monkeypatch):
    """Bursts against every cycle of the port, of both sides, which share the part."""
    config, made, _ = random_case(seed)
    config = with_options(config, seed)
    names = list(load_parts())
    memory = {"part": names[seed % len(names)], "part_clock_hz": 1e6 * (40 + 31 * seed)}
    quick = predict_frames(made, config, 1 + seed % 2, **memory)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_frames(made, config, 1 + seed % 2, **memory) == quick


def test_what_is_skipped_while_maps_are_loaded_and_stored_changes_nothing(monkeypatch):
    """A part that is faster than the port: what is written late decides on what is read."""
    setting = load_setting("pynq-z2")
    memory = {"part": setting.board.memory, "part_clock_hz": setting.board.clock_hz}
    quick = predict_network(mobilenet_v2(), setting.config, **memory)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_network(mobilenet_v2(), setting.config, **memory) == quick


@pytest.mark.parametrize("seed", range(32))
def test_what_is_skipped_changes_nothing(seed, monkeypatch):
    """Closed forms and repeated states against every step of the core and cycle of the port."""
    config, made, latency = random_case(seed)
    config = with_options(config, seed)
    frames = 1 + seed % 2
    memory = {"latency": latency}
    if seed % 4 > 1:
        memory |= {"stall_percent": 1 + 7 * seed % 60, "seed": seed}
    quick = predict_frames(made, config, frames, **memory)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_frames(made, config, frames, **memory) == quick


#: What each shortcut leaves to stepping, seen where bandwidth is shared or pauses are rare: the
#: parameters of a pass in `pointwise_pass`, pauses between steady bursts, and the longest history
#: of bursts that repeats.
CORNERS = {
    "parameters": (*random_case(9100), {"bytes_per_cycle": 2}),
    "pauses": (
        replace(PRESETS["small"], data_bits=64),
        mobilenet_v2(0.35, 96),
        2,
        {"stall_percent": 1, "seed": 2},
    ),
    "history": (replace(PRESETS["tiny"], data_bits=64), mobilenet_v2(0.35, 96), 20, {}),
}


@pytest.mark.parametrize("corner", list(CORNERS))
def test_what_is_skipped_changes_nothing_in_a_corner(corner, monkeypatch):
    config, made, latency, memory = CORNERS[corner]
    quick = predict_network(made, config, latency=latency, **memory)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    monkeypatch.setattr(machine, "MOST_OUTSTANDING", 0)
    assert predict_network(made, config, latency=latency, **memory) == quick


def test_an_image_that_is_late_before_the_line_buffer_needs_it(monkeypatch):
    """The core waits for it, not for the line buffer, where padding is stepped over meanwhile."""
    config, made, latency = random_case(1686)
    quick = predict_frames(made, config, 3, latency=latency)
    monkeypatch.setattr(core_state.CoreState, "skips", False)
    assert predict_frames(made, config, 3, latency=latency) == quick


def test_program_takes_as_long_as_its_rows():
    made = mobilenet_v2(0.35, 96)
    run = machine.Machine(PRESETS["base"], plan_network(made, PRESETS["base"]), 100)
    assert run.run() == sum(sum(map(sum, row)) for row in run.counts)


def test_every_row_is_there_and_marked():
    layers = predict_network(mobilenet_v2(), PRESETS["base"])
    assert [layer.name for layer in layers] == [
        "stem",
        *(f"block{number}" for number in range(1, 18)),
        "head",
        "classifier",
    ]
    assert all(layer.predicted for layer in layers)
    assert sum(layer.macs for layer in layers) == mobilenet_v2().macs


def test_what_does_not_fit_is_a_sentence():
    with pytest.raises(UserError, match="line_words is 64: change it with --set"):
        predict_network(mobilenet_v2(), replace(PRESETS["base"], line_words=64))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_channels": 4}, "but images have at most 3."),
        ({"stem_stride": 1}, "but a stem has stride 2."),
        ({"input_size": (5000, 8)}, "but a descriptor's field is 4095."),
    ],
)
def test_no_advice_where_no_option_helps(options, words):
    network = build_network(
        [(1, 8, 1, 1), (2, 8, 2, 2)],
        **({"stem_channels": 8, "head_channels": 8, "classes": 3, "input_size": 32} | options),
    )
    with pytest.raises(UserError) as caught:
        predict_network(network, PRESETS["base"])
    assert str(caught.value).endswith(words)


def test_no_simulator_is_loaded():
    program = (
        "import sys\n"
        "from mnv2.golden.network import mobilenet_v2\n"
        "from mnv2.hw.config import PRESETS\n"
        "from mnv2.sim.cycles.predict import predict_network\n"
        "predict_network(mobilenet_v2(0.35, 96), PRESETS['base'])\n"
        "loaded = {'amaranth', 'cocotb', 'mnv2.sim.rtl', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
