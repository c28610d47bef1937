"""The whole accelerator in Verilator, on several configurations: blocks and networks as golden."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import ACCUMULATOR_BITS, STREAMS
from mnv2.hw.program import Work
from mnv2.sim.errors import SimulationError
from mnv2.sim.mapping.block_program import build_block_program
from mnv2.sim.mapping.ideal import ideal_block_cycles
from mnv2.sim.mapping.network_program import build_network_program, place_network
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.mapping.tiling import tile_block
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_blocks import run_block_task
from mnv2.sim.rtl.run_network import run_network
from mnv2.sim.rtl.simulate import build_accelerator, simulate
from tests.sim.rtl.machines import (
    MACHINES,
    block_task,
    descriptors,
    model_and_tensors,
    network_of,
    shorten_strips,
    spilled_maps,
)

FAST = MemoryModel(latency=2)
SLOW = MemoryModel(latency=100, stall_percent=30, seed=5)
STARVING = MemoryModel(latency=40, bytes_per_cycle=3, stall_percent=10, seed=6)

#: Input shape, expansion, output channels, stride, padding.
BLOCKS = [
    ((1, 1, 3), 6, 5, 1, "pytorch"),  # one pixel
    ((1, 1, 3), 2, 5, 2, "tensorflow"),
    ((7, 9, 8), 1, 12, 1, "pytorch"),  # no expansion
    ((6, 5, 20), 3, 20, 1, "pytorch"),  # residual
    ((34, 40, 12), 6, 9, 2, "tensorflow"),  # more than one strip
    ((5, 13, 7), 1, 7, 1, "pytorch"),  # residual without expansion
    ((9, 9, 13), 4, 30, 2, "pytorch"),  # odd sizes
    ((10, 6, 13), 2, 17, 2, "pytorch"),  # even sizes, both paddings
    ((10, 6, 13), 2, 17, 2, "tensorflow"),
    ((2, 19, 1), 5, 1, 1, "pytorch"),  # one channel
]


@pytest.fixture(scope="module", params=list(MACHINES))
def machine(request):
    """A configuration and its simulation."""
    config = MACHINES[request.param]
    return config, build_accelerator(config, asserts=True)


@pytest.fixture(scope="module")
def tiny():
    return MACHINES["tiny"], build_accelerator(MACHINES["tiny"], asserts=True)


def check_blocks(machine, shapes, memory):
    config, build = machine
    for number, shape in enumerate(shapes):
        run_block_task(build, block_task(config, number + 1, *shape), config, memory)


@pytest.mark.parametrize("memory", [FAST, SLOW], ids=["fast", "slow"])
def test_blocks_equal_golden(tiny, memory):
    check_blocks(tiny, BLOCKS, memory)


def test_many_strips(machine):
    """Blocks that no strip memory here holds in one go, with both strides."""
    config, build = machine
    # As many words on each machine.
    width, channels = 13 * config.pixels, 2 * config.inputs
    shapes = [
        ((23, width, channels), 9, channels, 1, "pytorch"),
        ((38, 2 * width, channels), 9, channels + 1, 2, "pytorch"),
        ((37, 2 * width - 1, channels), 9, channels - 1, 2, "pytorch"),
    ]
    for number, shape in enumerate(shapes):
        task = block_task(config, number + 1, *shape)
        assert tile_block(task.block, config).strips >= 3
        run_block_task(build, task, config, [STARVING, SLOW, FAST][number])


@pytest.mark.parametrize("memory", [FAST, STARVING], ids=["fast", "starving"])
@pytest.mark.parametrize(
    ("table", "size", "padding"),
    [
        ([(1, 8, 1, 1), (6, 16, 2, 2), (3, 20, 2, 1)], 33, "pytorch"),
        ([(1, 11, 1, 2), (4, 9, 1, 2), (2, 24, 1, 1)], 18, "tensorflow"),
        ([(6, 5, 1, 1)], 1, "tensorflow"),
    ],
)
def test_small_networks_equal_golden(machine, table, size, padding, memory):
    config, build = machine
    if size == 1 and config.accumulator_bits != ACCUMULATOR_BITS:
        size = 3  # a pool of one pixel scales by 1, which takes a left shift
    network = network_of(table, size, padding=padding, stem=11, head=37, classes=21)
    model, tensors = model_and_tensors(config, network, size)
    run = run_network(model, tensors, config=config, memory=memory, asserts=True)
    assert not build.waves
    np.testing.assert_array_equal(run.logits, tensors["classifier"].reshape(-1))
    np.testing.assert_array_equal(run.accumulators, tensors["logits_accumulator"].reshape(-1))
    assert set(run.maps) == {"pool"} | {block.name for block in network.blocks}
    np.testing.assert_array_equal(run.maps["pool"], tensors["pool"])
    for block in network.blocks:
        np.testing.assert_array_equal(run.maps[block.name], tensors[block.output_name])


def test_image_that_is_not_square(tiny):
    config, _ = tiny
    model, tensors = model_and_tensors(config, network_of([(2, 8, 1, 2), (1, 8, 1, 1)], (5, 46)), 8)
    run_network(model, tensors, config=config, memory=SLOW, asserts=True)


def test_mobilenet(tiny):
    """The narrowest MobileNetV2, all 17 blocks of it."""
    config, _ = tiny
    network = mobilenet_v2(0.35, 96, classes=50)
    model, tensors = model_and_tensors(config, network, 9)
    run = run_network(model, tensors, config=config, memory=MemoryModel(latency=100), asserts=True)
    assert len(run.layers) == 20
    assert run.cycles == sum(layer.cycles for layer in run.layers)


@pytest.mark.parametrize(("name", "least"), [("narrow", 2), ("padded", 1)])
def test_spilled_maps_equal_golden(name, least):
    config = MACHINES[name]
    build = build_accelerator(config, asserts=True)
    network = network_of([(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], 45)
    assert {True, False} == set(place_network(network, config).spilled)
    model, tensors = model_and_tensors(config, network, 10)
    for memory in (FAST, STARVING):
        maps = spilled_maps(build, model, tensors["input"], config, memory)
        assert len(maps) >= least
        for tensor, found in maps.items():
            np.testing.assert_array_equal(found, tensors[tensor], tensor)


@pytest.mark.parametrize(
    ("rows", "table", "traffic"),
    [
        (
            2007,
            [(1, 4, 2, 1), (2, 3, 1, 2), (1, 3, 1, 1)],
            [(0, 1, 1), (1, 1, 1), (1, 0, 0), (0, 1, 1)],
        ),
        (1203, [(1, 4, 3, 1), (2, 3, 1, 2)], [(0, 0, 1), (0, 1, 1), (1, 0, 1), (0, 1, 0)]),
    ],
)
def test_short_strips_wait_for_their_results(rows, table, traffic):
    """A word is not stored, nor room for one loaded, before the pipeline is done with it."""
    config = MACHINES["narrow"]
    build = build_accelerator(config, asserts=True)
    # Maps of one column and one word: a strip is over before its first result is written.
    network = network_of(table, (rows, 2), stem=4)
    model, tensors = model_and_tensors(config, network, 10)
    blocks = [
        (one.load, one.store, one.residual)
        for one in descriptors(build_network_program(model, config))
        if one.work == Work.BLOCK
    ]
    assert blocks[:4] == traffic
    for memory in (FAST, STARVING):
        for name, found in spilled_maps(
            build, model, tensors["input"], config, memory, shorten_strips
        ).items():
            np.testing.assert_array_equal(found, tensors[name], name)


def test_busy_cycles_are_the_ideal_ones(machine):
    """Each step and each window is issued once: what is not busy is a stall with a cause."""
    config, build = machine
    for memory in (FAST, SLOW):
        task = block_task(config, 11, (11, 10, 9), 3, 9, 1)
        program = build_block_program(task.block, task.quantized, task.activation, config)
        result = simulate(build, program, memory=memory, deadline=500_000)
        (row,) = result.counters
        counters = row["block"]
        busy = counters["pointwise"] + counters["depthwise"]
        stalls = sum(n for name, n in counters.items() if name.startswith("stall_"))
        assert busy == ideal_block_cycles(task.block, config)
        assert (
            counters["depthwise"]
            == np.prod(tile_block(task.block, config).output_shape[:2])
            * tile_block(task.block, config).hidden_shape[2]
        )
        assert busy + stalls == counters["cycles"] == result.cycles
        assert not any(row["stem"].values())


def test_bytes_are_those_of_the_streams(machine):
    """Each stream is read once, and nothing else: the RTL and the memory count the same."""
    config, build = machine
    task = block_task(config, 12, (8, 9, 10), 2, 11, 2)
    program = build_block_program(task.block, task.quantized, task.activation, config)
    result = simulate(build, program, memory=SLOW, deadline=500_000)
    counters = result.counters[0]["block"]
    read = sum(counters[f"read_{kind}"] for kind in STREAMS) * config.data_bytes
    assert read == result.read_bytes
    assert result.write_bytes == program.output_bytes
    assert counters["write"] == -(-program.output_bytes // config.data_bytes)
    words = {
        "activations": int(np.prod(tile_block(task.block, config).input_shape)),
        "taps": -(-20 // config.inputs),
    }
    for kind, count in words.items():
        assert counters[f"read_{kind}"] == config.streams[kind].beats(count)


def simulate_network(build, model, image, config):
    """A network from image to logits."""
    program = build_network_program(model, config)
    places = place_run(program.memory_bytes, program.picture_bytes, program.logits_bytes)
    return simulate(
        build,
        program,
        places=places,
        pictures=[pack_image(image, config)],
        output=(places.logits, places.end),
        memory=SLOW,
        deadline=500_000,
    )


def test_without_counters(tiny):
    """The same output after as many cycles; all counters read 0, and descriptors are counted."""
    config, build = tiny
    network = network_of([(1, 8, 1, 1), (3, 8, 2, 2)], 20)
    model, tensors = model_and_tensors(config, network, 3)
    uncounted = replace(config, counters=False)
    counting, result = (
        simulate_network(one, model, tensors["input"], made)
        for one, made in (
            (build, config),
            (build_accelerator(uncounted, asserts=True), uncounted),
        )
    )
    program = build_network_program(model, config)
    assert (result.output, result.cycles, result.ends) == (
        counting.output,
        counting.cycles,
        counting.ends,
    )
    assert len(result.counters) == len(program.works(1))
    assert not any(
        value for row in result.counters for part in row.values() for value in part.values()
    )
    assert any(counting.counters[0]["block"].values())


def test_seeds_change_cycles_not_results(tiny):
    config, build = tiny
    task = block_task(config, 13, (9, 8, 8), 3, 8, 1)
    program = build_block_program(task.block, task.quantized, task.activation, config)
    runs = [
        simulate(build, program, memory=MemoryModel(stall_percent=40, seed=seed), deadline=500_000)
        for seed in (1, 1, 2)
    ]
    assert runs[0].cycles == runs[1].cycles != runs[2].cycles
    assert runs[0].output == runs[1].output == runs[2].output


def test_narrow_bandwidth_binds(tiny):
    """The cycles are not fewer than the bytes allow, and not many more."""
    config, build = tiny
    task = block_task(config, 14, (2, 2, 48), 6, 48, 1)
    program = build_block_program(task.block, task.quantized, task.activation, config)
    result = simulate(
        build, program, deadline=500_000, memory=MemoryModel(latency=2, bytes_per_cycle=2)
    )
    moved = result.read_bytes + result.write_bytes
    assert moved / 2 <= result.cycles <= 1.1 * moved / 2
    assert result.counters[0]["block"]["stall_weights"] > result.cycles / 2


def test_deadline(tiny):
    config, build = tiny
    task = block_task(config, 15, (9, 8, 8), 3, 8, 1)
    program = build_block_program(task.block, task.quantized, task.activation, config)
    with pytest.raises(SimulationError, match="did not end within") as caught:
        simulate(build, program, deadline=300)
    log = Path(re.search(r"\(log: (.+)\)$", str(caught.value))[1])
    assert "did not end within" in log.read_text()
    shutil.rmtree(log.parents[1])


def test_wrong_element_is_named(tiny):
    config, build = tiny
    task = block_task(config, 16, (5, 6, 8), 2, 9, 1)
    expected = task.expected.copy()
    right = int(expected[3, 4, 7])
    expected[3, 4, 7] = wrong = right ^ 1
    with pytest.raises(
        Mismatch,
        match=(
            r"block16: 1 of 270 elements, first at row 3, column 4, channel 7, where the RTL gives "
            rf"{right} and golden {wrong}; repeat with --blocks 16 --seed 77 --waves"
        ),
    ):
        run_block_task(build, replace(task, expected=expected), config, MemoryModel(seed=77))


def test_wrong_logit_is_named(tiny):
    config, _ = tiny
    model, tensors = model_and_tensors(config, network_of([(2, 8, 1, 2)], 9), 17)
    wrong = tensors["logits_accumulator"].copy()
    wrong[0, 0, 6] += 1
    with pytest.raises(Mismatch, match="accumulators: 1 of 10 elements, first at row 6"):
        run_network(
            model, tensors | {"logits_accumulator": wrong}, config=config, memory=FAST, asserts=True
        )
