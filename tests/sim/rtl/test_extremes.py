"""Sizes that need the upper bits of addresses and counts, with the memory below 4 GiB's end.

One machine has them all: more than 2**15 words of maps, whose outputs lie at the upper end; rings
of no power of two that are filled several times; one pixel a word.
"""

import numpy as np
import pytest

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.mapping.block_program import build_block_program
from mnv2.sim.mapping.network_program import build_network_program, unpack_logits
from mnv2.sim.mapping.packing import pack_image, unpack_map
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.simulate import build_accelerator, simulate
from tests.sim.rtl.machines import block_task, descriptors, model_and_tensors, network_of

CONFIG = AcceleratorConfig(
    outputs=9,
    inputs=3,
    pixels=1,
    packing="none",
    accumulator_bits=32,
    residual_lanes=3,
    map_words=40_000,
    strip_words=5000,
    line_words=1100,
    weight_words=2300,
    tap_words=1100,
    parameter_words=2100,
    queue_words=7,
    data_bits=64,
    outstanding=3,
    patience_cycles=3000,
)
#: The memory's 8 MiB end where the addresses do.
BASE = 0xFF80_0000
MEMORY = MemoryModel(latency=11)

#: Input shape, expansion, output channels, stride, padding.
BLOCKS = {
    "254 columns": ((5, 254, 4), 2, 5, 2, "pytorch"),
    "4,000 rows": ((4000, 1, 3), 1, 3, 1, "pytorch"),
    "4,001 rows, stride 2": ((4001, 3, 3), 2, 3, 2, "tensorflow"),
}


@pytest.fixture(scope="module")
def build():
    return build_accelerator(CONFIG, base=BASE, asserts=True)


def run(build, program, **options):
    places = place_run(program.memory_bytes, program.picture_bytes, program.logits_bytes, base=BASE)
    if program.logits_bytes:
        options["output"] = places.logits, places.logits + program.logits_bytes
    return simulate(
        build, program, places=places, origin=BASE, memory=MEMORY, deadline=1_000_000, **options
    ).output


@pytest.mark.parametrize("name", BLOCKS)
def test_block(build, name):
    task = block_task(CONFIG, 1, *BLOCKS[name])
    program = build_block_program(task.block, task.quantized, task.activation, CONFIG)
    (record,) = descriptors(program)
    assert record.output_end > 2**15
    np.testing.assert_array_equal(
        unpack_map(run(build, program), program.output_shape, CONFIG), task.expected
    )


def test_rings_come_round(build):
    """Two blocks of more than 2,048 words of parameters each."""
    network = network_of([(102, 30, 1, 1)] * 2, 1, stem=30)
    model, tensors = model_and_tensors(CONFIG, network, 2)
    program = build_network_program(model, CONFIG)
    blocks = [record for record in descriptors(program) if not record.work.value]
    words = {
        name: [getattr(record, name) for record in blocks]
        for name in ("hidden_words", "parameter_words")
    }
    assert sum(words["hidden_words"]) > CONFIG.tap_words
    assert min(words["parameter_words"][1:]) > 2048
    assert sum(words["parameter_words"]) > CONFIG.parameter_words
    data = run(build, program, pictures=[pack_image(tensors["input"], CONFIG)])
    accumulators, logits = unpack_logits(data, program, CONFIG)
    np.testing.assert_array_equal(logits, tensors["classifier"].reshape(-1))
    np.testing.assert_array_equal(accumulators, tensors["logits_accumulator"].reshape(-1))
