"""Faults planted in what addresses, counts and refuses: each is seen by the tests of turns.

One simulation holds them all; a plusarg turns one on for good.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.hw.program import Descriptor
from mnv2.sim.errors import SimulationError
from mnv2.sim.mapping.network_program import build_network_program, unpack_logits
from mnv2.sim.mapping.packing import pack_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl import simulate
from mnv2.sim.rtl.memory_model import MemoryModel
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of
from tests.sim.rtl.test_planted_faults import plant

CONFIG = MACHINES["tiny"]
NETWORK = network_of([(1, 8, 1, 1), (3, 8, 2, 2)], 20, classes=40)
TURNS, SLOTS = 3, 2

_OFFSET = data.Layout.cast(Descriptor)["store_offset"]
_BITS = rf"block\[{_OFFSET.offset + _OFFSET.width - 1}:{_OFFSET.offset}\]"

#: Module, what is looked for in it, and what takes its place; ``fault`` is high.
FAULTS = {
    # Nothing is added to the offsets of what is written.
    "base": ("accelerator.map_port", rf"= (\S+) +\+ ({_BITS})", r"= (fault ? 32'd0 : \1 ) + \2"),
    # The ring of pictures does not begin again.
    "ring": (
        "accelerator.turns.picture_ring",
        r"assign wrap = \\begin  \| (\S+) ;",
        r"assign wrap = \\begin  | (\1 & ~fault);",
    ),
    # The logits of each turn go to the first slot.
    "slot": (
        "accelerator.turns.logits_ring",
        r"assign wrap = \\begin  \| (\S+) ;",
        r"assign wrap = \\begin  | \1 | fault;",
    ),
    # A program for another accelerator is taken.
    "hash": ("accelerator.sequencer.fetch", r"wrong <= (\S+ );", r"wrong <= \1 & ~fault;"),
    # The end raises no interrupt.
    "interrupt": (
        "accelerator.registers",
        r"\{ frame_ended, ended \}",
        r"{ frame_ended, ended & ~fault }",
    ),
}


@dataclass(frozen=True)
class Faulty(MemoryModel):
    """The memory, and which fault is on."""

    fault: str = ""

    def plusargs(self):
        # No event turns a fault off that is on once.
        number = list(FAULTS).index(self.fault) if self.fault else -1
        return [*super().plusargs(), *([f"+fault_{number}_once"] if self.fault else [])]


@pytest.fixture
def run(monkeypatch):
    """Run pictures turn after turn with a fault on; what each slot of logits holds."""
    generate = simulate.generate

    def generate_with_faults(*arguments, **parameters):
        text = generate(*arguments, **parameters)
        for number, fault in enumerate(FAULTS.values()):
            text = plant(text, number, *fault, "1'b0")
        return text

    monkeypatch.setattr(simulate, "generate", generate_with_faults)
    model, first = model_and_tensors(CONFIG, NETWORK, 3)
    second = model.run(first["input"][::-1].copy())
    expected = [one["logits_accumulator"].reshape(-1) for one in (first, second)]
    program = build_network_program(model, CONFIG)
    places = place_run(
        program.memory_bytes,
        program.picture_bytes,
        program.logits_bytes,
        base=0x5000,
        picture_slots=SLOTS,
        logits_slots=TURNS,
    )

    def run(fault="", image=program.image):
        output = simulate.simulate(
            simulate.build_accelerator(CONFIG),
            replace(program, image=image),
            places=places,
            pictures=[pack_image(one["input"], CONFIG) for one in (first, second)],
            turns=TURNS,
            output=(places.logits, places.end),
            memory=Faulty(latency=20, fault=fault),
            deadline=400_000,
        ).output
        return [
            bool(
                np.array_equal(
                    unpack_logits(
                        output[places.logits_address(turn) - places.logits :], program, CONFIG
                    )[0],
                    expected[turn % SLOTS],
                )
            )
            for turn in range(TURNS)
        ]

    run.image = program.image
    return run


def test_without_a_fault_every_slot_is_right(run):
    assert run() == [True, True, True]


@pytest.mark.parametrize(
    ("fault", "right"),
    [
        ("base", [False, False, False]),
        ("ring", [True, True, False]),
        ("slot", [True, False, False]),
    ],
)
def test_wrong_places_are_seen(run, fault, right):
    """The third turn's picture is that of the first."""
    assert run(fault) == right


def test_a_lost_interrupt_is_seen(run):
    with pytest.raises(SimulationError, match="did not end within"):
        run("interrupt")


def test_a_hash_that_is_not_compared_is_seen(run):
    other = run.image.copy()
    other[0] ^= 1
    with pytest.raises(SimulationError, match="aborted after .* cycles: CONFIGURATION"):
        run(image=other)
    assert run("hash", image=other) == [True, True, True]
