"""The driver in C drives the RTL: pictures equal golden, faults end in the right error."""

import shutil

import numpy as np
import pytest

import mnv2.sim.driver.bench as bench
from mnv2.hw.config import CAUSES, COUNTERS
from mnv2.sim.driver.drive import FAULTS, DrivenBench
from mnv2.sim.errors import SimulationError
from mnv2.sim.rtl.memory_model import MemoryModel
from tests.sim.driver.programs import CONFIGS, made_program, pictures_of

PICTURES = 6
#: Addresses above 4 GiB, and a program that is stuck soon.
NAME = "far"
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover")
MEMORIES = {
    "quick": MemoryModel(latency=20),
    "stalls": MemoryModel(latency=90, stall_percent=30, seed=4),
}


class Machine(DrivenBench):
    """The bench of a small network, and rules that hold for every run of it."""

    def __init__(self, name, folder):
        super().__init__(
            *made_program(name),
            CONFIGS[name],
            pictures_of(name, PICTURES),
            folder,
            options=SANITIZERS,
            asserts=True,
        )

    def insist(self, steps, memory=MEMORIES["quick"]):
        """Run steps, and insist on the error of each: pairs of step and error."""
        made = self.run([step for step, _ in steps], memory)
        assert [(step.name, step.error) for step in made] == list(steps)
        return made

    def check(self, *numbers):
        """Insist that these pictures were packed right, and that their logits are golden's."""
        for number in numbers:
            result = self.compare(number)
            assert (number, result.mismatches) == (number, 0)
            assert result.compared > 3300


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Machine(NAME, tmp_path_factory.mktemp("driver"))


BEGIN = [("probe", "OK"), ("load", "OK")]


@pytest.mark.parametrize("memory", list(MEMORIES))
@pytest.mark.parametrize("polling", [0, 1], ids=["interrupt", "polling"])
def test_three_pictures_without_a_reload(machine, memory, polling):
    steps = [*BEGIN, (f"polling={polling}", "OK"), *((f"picture={k}", "OK") for k in range(3))]
    made = machine.insist(steps, MEMORIES[memory])
    machine.check(0, 1, 2)
    cycles = [step.cycles for step in made[-3:]]
    if memory == "quick" and not polling:
        assert len(set(cycles)) == 1  # nothing is left of the picture before


def test_a_stream_of_pictures(machine):
    made = machine.insist([*BEGIN, (f"stream={PICTURES}", "OK"), ("picture=0", "OK")])
    machine.check(*range(PICTURES))
    # Frames overlap, and one or two are run after the last that was wanted.
    assert made[2].cycles < (PICTURES + 2) * made[3].cycles


def test_two_frames_abreast_in_padded_words(tmp_path):
    """Turns of two pictures, elements that cross bytes and beats, addresses of 32 bits."""
    pair = Machine("pair, padded", tmp_path)
    pair.insist([*BEGIN, *((f"picture={k}", "OK") for k in range(3)), (f"stream={PICTURES}", "OK")])
    pair.check(*range(PICTURES))


def test_turns_of_a_stream(machine):
    machine.insist(
        [
            *BEGIN,
            ("read_late=0", "OVERWRITTEN"),
            ("wait_for_a_turn_too_many", "NOT_DONE"),
            ("picture=1", "OK"),
        ]
    )
    machine.check(1)


def test_counters_by_layer(machine):
    """Cycles of all descriptors add up, and are nearly those of the whole step."""
    count = len(machine.program.works(1))
    made = machine.insist([*BEGIN, ("picture=0", "OK"), (f"counters={count}", "OK")])
    rows = np.fromfile(machine.folder / f"counters{count}.bin", "<u4").reshape(count, 2, -1)
    columns = {name: rows[:, :, k].astype(int) for k, name in enumerate(COUNTERS)}
    parts = ["pointwise", "depthwise", *(f"stall_{cause}" for cause in CAUSES)]
    np.testing.assert_array_equal(sum(columns[part] for part in parts), columns["cycles"])
    assert columns["pointwise"][:, 0].all()
    assert columns["pointwise"][:, 1].astype(bool).tolist() == [True] + (count - 1) * [False]
    total = columns["cycles"].sum()
    assert 0.8 * made[2].cycles < total < made[2].cycles


#: Faults that end on a small machine alone: soon stuck, and with rings of its own.
MORE_FAULTS = {"few_weights=124": "STUCK", "small_memory": "MEMORY_TOO_SMALL"}


@pytest.mark.parametrize("memory", list(MEMORIES))
def test_faults(machine, memory):
    """The picture that follows each is right, in one run of the bench."""
    steps = list(BEGIN)
    for number, (fault, error) in enumerate({**FAULTS, **MORE_FAULTS}.items()):
        steps += [(fault, error), (f"picture={number % 3}", "OK")]
        if fault == "small_memory":
            steps.insert(-1, ("load", "OK"))  # it had a ring that was just large enough
    machine.insist(steps, MEMORIES[memory])
    machine.check(0, 1, 2)


def test_far_memory(machine):
    """Memory that the port cannot address; the last page that it can is accepted."""
    machine.insist([*BEGIN, ("far_memory", "OUT_OF_REACH"), ("picture=0", "OK")])
    machine.check(0)


@pytest.mark.parametrize("when", [0, 700])
def test_memory_that_never_answers(machine, when):
    """The time is up, even for an abort; after a reset all is well."""
    machine.insist(
        [*BEGIN, (f"dead_memory={when}", "TIME_OUT"), *BEGIN, ("picture=0", "OK")],
    )
    machine.check(0)


def test_registers_that_do_not_answer(machine):
    machine.insist([*BEGIN, ("no_answer", "NO_ANSWER"), *BEGIN, ("picture=1", "OK")])
    machine.check(1)


def test_a_host_that_forgets(machine):
    machine.insist(
        [
            ("probe", "OK"),
            ("without_program", "NO_PROGRAM"),
            ("without_rings", "NO_RINGS"),
            ("load", "OK"),
            ("picture=2", "OK"),
        ]
    )
    machine.check(2)


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        # Caches that are not flushed or not dropped.
        ("flush(device, memory->data, program->image_bytes);", ""),
        ("mnv2_flush_picture(device, turn);", ""),
        ("invalidate(device, slot, program->logits_bytes);", ""),
        # Slots of another size than the driver's own.
        ("PICTURE_STRIDE, mnv2_slot_bytes(", "PICTURE_STRIDE, 2 * mnv2_slot_bytes("),
        ("LOGITS_STRIDE, mnv2_slot_bytes(", "LOGITS_STRIDE, 2 * mnv2_slot_bytes("),
        ("LOGITS_COUNT, device->logits.slots", "LOGITS_COUNT, device->logits.slots + 1"),
        # Logits that are read a turn too early.
        ("return turn - other >= 0x80000000u;", "return turn - other - 1 >= 0x80000000u;"),
    ],
)
def test_faults_of_the_driver_are_found(machine, text, replacement, tmp_path, monkeypatch):
    """The bench does not do what the driver forgets."""
    for path in bench.DRIVER.iterdir():
        if path.suffix in (".c", ".h"):
            shutil.copy(path, tmp_path)
    source = (tmp_path / "mnv2.c").read_text()
    assert source.count(text) >= 1
    before, _, after = source.rpartition(text)
    (tmp_path / "mnv2.c").write_text(before + replacement + after)
    monkeypatch.setattr(bench, "DRIVER", tmp_path)
    unused = ["-Wno-unused-function"]  # where the only call is gone
    bench.compile_host(machine.build, machine.folder, tmp_path / "host", options=unused)
    machine.clear()
    steps = ["probe", "load", f"stream={PICTURES}"]
    memory = MEMORIES["quick"].plusargs()
    try:
        made = bench.run_host(tmp_path / "host", machine.folder, steps, plusargs=memory)
    except SimulationError:
        return
    if all(step.error == "OK" for step in made):
        assert sum(machine.compare(number).mismatches for number in range(PICTURES)) > 0
