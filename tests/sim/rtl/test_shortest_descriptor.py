"""Descriptors that do next to nothing: the counters of one are whole before the next one ends.

From the end of one, a descriptor takes at least 22 cycles, whatever it asks for: FETCH, CHECK and
BEGIN; 3 until the first step of a pass; from that, 13 to the requantiser's output on a machine with
the fewest stages (see `tests.hw.test_core_latency`); 1 until it is written, 1 until all is quiet,
and 1 more to the end, in WRITTEN. The counters ask for `Counters.hand_over`, which is 21.
"""

import numpy as np
import pytest

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_model
from mnv2.hw.config import RECORD_BYTES, AcceleratorConfig
from mnv2.hw.counters import Counters
from mnv2.hw.program import Descriptor, Turns
from mnv2.sim.mapping.block_program import add_block_streams
from mnv2.sim.mapping.descriptors import (
    block_descriptor,
    classifier_descriptor,
    head_descriptor,
)
from mnv2.sim.mapping.packing import pack_parameters, pack_weights
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.program import ProgramBuilder
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.simulate import build_accelerator, simulate
from tests.sim.rtl.machines import patched

#: The shortest pipeline there is, and a port that brings a descriptor in two beats.
QUICK = AcceleratorConfig(
    outputs=9,
    inputs=3,
    pixels=1,
    packing="none",
    requantize="single",
    accumulator_bits=24,
    residual_lanes=3,
    map_words=64,
    strip_words=32,
    line_words=16,
    weight_words=64,
    tap_words=64,
    parameter_words=64,
    queue_words=8,
    data_bits=512,
    patience_cycles=3000,
)
NUMBER = 16


@pytest.fixture(scope="module")
def build():
    return build_accelerator(QUICK, asserts=True)


def program_of(kind):
    """As many descriptors of a kind as `NUMBER`, of a single pixel and a word in and out.

    The input is on chip, and whatever lies there: what is computed is of no interest here.
    """
    network = build_network(
        [(1, 3, 1, 1), (1, 2, 1, 1)],
        stem_channels=3,
        head_channels=3,
        classes=3,
        input_size=1,
    )
    rng = np.random.default_rng(1)
    model, _ = random_model(rng, network, arithmetic=Arithmetic(17, "single"))
    placement = place_network(network, QUICK)
    builder = ProgramBuilder(QUICK)
    logits_bytes = QUICK.streams["logits"].memory_bytes(1)
    describe = {
        "block": lambda _: block_descriptor(
            network.blocks[1], model.blocks[1], placement.tilings[1], QUICK
        ),
        "head": lambda _: head_descriptor(
            network.head, model.head, model.pool, QUICK, input_base=0, output_base=1
        ),
        "classifier": lambda _: classifier_descriptor(
            network.classifier,
            model.classifier,
            QUICK,
            input_base=0,
            store_offset=0,
            store_bytes=logits_bytes,
            turns=Turns.ALL,
            ends_turn=False,
        ),
    }[kind.split(",")[0]]
    layer = {"head": model.head, "classifier": model.classifier}.get(kind.split(",")[0])
    for _ in range(NUMBER):
        if layer is None:
            add_block_streams(builder, model.blocks[1], QUICK)
        else:
            builder.add_stream("weights", pack_weights(layer.weights, QUICK))
            builder.add_stream("parameters", pack_parameters(layer, QUICK))
        builder.add_descriptor(describe)
    program, _ = builder.build(logits_bytes=logits_bytes)
    for number in range(1, NUMBER + 1):
        record = program.image[number * RECORD_BYTES :][:RECORD_BYTES]
        fields = {"ends_turn": int(number == NUMBER)}
        if kind.endswith("not stored"):
            fields["store"] = 0
        record[:] = patched(record, Descriptor, fields)
    return program


#: Cycles of such a descriptor, from the end of the one before to its own end. No mapping makes the
#: last kind: results that go nowhere.
SHORTEST = {"block": 48, "head": 30, "classifier": 29, "classifier, not stored": 24}


@pytest.mark.parametrize("kind", SHORTEST)
def test_shortest(build, kind):
    """A program from memory as fast as the port, on the machine with the fewest stages."""
    program = program_of(kind)
    places = place_run(program.memory_bytes, 0, program.logits_bytes)
    run = simulate(
        build,
        program,
        places=places,
        output=(0, 64),
        memory=MemoryModel(latency=2),
        deadline=20_000,
    )
    apart = np.diff(run.ends)
    # One after another, each has its own counters, though they end as fast as they can.
    for row, cycles in zip(run.counters[1:], apart, strict=True):
        assert row["block"]["cycles"] == cycles
    assert set(apart) == {SHORTEST[kind]}
    assert SHORTEST[kind] >= Counters.hand_over
