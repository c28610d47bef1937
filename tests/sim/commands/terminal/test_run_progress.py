"""Progress of runs in RTL: what the bars say, by the work done."""

from types import SimpleNamespace

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.commands.terminal.run_progress import BlocksBar, FrameBar
from mnv2.sim.mapping.ideal import ProgramStep, program_steps


def test_frame_is_by_ideal_cycles():
    progress = FrameBar()
    with progress:
        progress.starting([ProgramStep("stem and block1", 300), ProgramStep("block2", 100)])
        progress.built()
        (task,) = progress._bar.tasks
        assert (task.completed, task.total) == (0, 400)
        assert task.description == "Simulating stem and block1, cycle 0"
        progress.reached(1, 12_345)
        assert task.completed == 300
        assert task.description == "Simulating block2, cycle 12,345"
        progress.reached(2, 20_000)
        assert task.completed == 400
        progress.repeating(90_000)
        progress.built()
        progress.reached(30, 45_000)
        assert (task.completed, task.total) == (45_000, 90_000)
        assert task.description == "Simulating back-to-back frames, cycle 45,000"


def test_name_stands_in_front():
    progress = FrameBar()
    with progress:
        progress.name_run("Seed 3, 1 of 8")
        progress.starting([ProgramStep("block2", 100)])
        progress.built()
        (task,) = progress._bar.tasks
        assert task.description == "Seed 3, 1 of 8: Simulating block2, cycle 0"


def test_blocks_are_by_macs():
    blocks = [SimpleNamespace(name="block1", macs=30), SimpleNamespace(name="block2", macs=10)]
    progress = BlocksBar()
    with progress:
        progress.starting(blocks)
        progress.built()
        progress.finished(blocks[1], 1234, 1, 2)
        (task,) = progress._bar.tasks
        assert (task.completed, task.total) == (10, 40)
        assert task.description == "1 of 2 simulated, block2 1,234 cycles"
    assert progress.simulation_seconds > 0


def test_descriptors_are_those_of_the_program():
    descriptors = program_steps(mobilenet_v2(), PRESETS["base"])
    assert [one.name for one in descriptors][:2] == ["stem and block1", "block2"]
    assert len(descriptors) == 19
    assert descriptors[0].ideal_cycles == 25_088 + 28_672
    assert sum(one.ideal_cycles for one in descriptors) == 738_976
