"""A run is given up by what the cycle model says of it, not by what is usual."""

import pytest

from mnv2.sim.cycles.predict import predict_frames
from mnv2.sim.mapping.ideal import ideal_block_cycles, program_steps
from mnv2.sim.rtl.deadline import block_deadline, network_deadline
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, block_task, model_and_tensors, network_of

CONFIG = MACHINES["narrow"]
NETWORK = network_of([(1, 8, 1, 1), (4, 16, 2, 2)], (12, 12), head=128, classes=300)
#: Less than the accelerator's patience, and far more than the memory of any board.
SLOW = MemoryModel(latency=2900)
#: What a run was given before: twenty times the cycles of the array, and a million.
USUAL = 20 * sum(step.ideal_cycles for step in program_steps(NETWORK, CONFIG)) + 1_000_000


def predicted(memory, turns=1):
    """Cycles of a run, as the model says."""
    return predict_frames(
        NETWORK,
        CONFIG,
        turns,
        latency=memory.latency,
        bytes_per_cycle=memory.bytes_per_cycle,
        stall_percent=memory.stall_percent,
        seed=memory.seed,
        part=memory.part,
        part_clock_hz=memory.part_clock_hz,
    ).ends[-1]


@pytest.mark.parametrize(
    ("memory", "turns"),
    [
        (MemoryModel(), 1),
        (MemoryModel(), 3),
        (SLOW, 1),
        (MemoryModel(latency=100_000), 1),
        (MemoryModel(bytes_per_cycle=1, stall_percent=70, seed=3), 1),
        (MemoryModel(part="sdr-133x16", part_clock_hz=133e6), 1),
    ],
)
def test_deadline_is_a_tenth_more_than_predicted(memory, turns):
    cycles = predicted(memory, turns)
    assert 1.1 * cycles <= network_deadline(NETWORK, CONFIG, memory, turns) <= 1.1 * cycles + 20_000


def test_memory_of_others_has_the_usual_deadline():
    assert network_deadline(NETWORK, CONFIG, None) == USUAL


def test_slow_memory_is_waited_for():
    """More cycles than were usual: the run ends, when it should."""
    model, tensors = model_and_tensors(CONFIG, NETWORK, 3)
    assert predicted(SLOW) > USUAL
    run = run_network(model, tensors, config=CONFIG, memory=SLOW, asserts=True)
    assert run.cycles == predicted(SLOW)


def test_block_has_time_for_each_burst_alone():
    """No model predicts a block alone."""
    block = NETWORK.blocks[1]
    task = block_task(CONFIG, 1, block.input_shape, 4, 16, 2)
    ideal = ideal_block_cycles(task.block, CONFIG)
    kept = 2 * 60_000
    usual = block_deadline(ideal, kept, CONFIG, MemoryModel())
    # Bursts of 32 bytes twice over, one a page, and a thousand; beats, and bytes at 8 a cycle.
    bursts = 2 * (kept // 32) + kept // 4096 + 1000
    assert usual == 20 * ideal + bursts * (2 * 100 + 64) + 2 * (kept // 8) + 1_000_000
    slow = block_deadline(ideal, kept, CONFIG, SLOW)
    assert slow - usual == bursts * 2 * (2900 - 100)
    paused = block_deadline(ideal, kept, CONFIG, MemoryModel(stall_percent=90))
    assert paused > 50 * (usual - 1_000_000)
    most = MemoryModel(latency=100_000, bytes_per_cycle=1, stall_percent=99)
    assert block_deadline(ideal, 1 << 26, CONFIG, most) == 2**31 - 1
