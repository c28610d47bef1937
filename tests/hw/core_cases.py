"""Small cores, a network that they run stage by stage, and what golden says of it."""

from dataclasses import replace

import numpy as np

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.network import build_network
from mnv2.golden.quantized_block import run_block
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import AcceleratorConfig

__all__ = [
    "ALL",
    "CONFIGS",
    "NETWORK",
    "UPPER",
    "block_of",
    "check_output",
    "model_of",
    "run_whole",
]

SMALL = AcceleratorConfig(
    packing="none",
    accumulator_bits=32,
    outputs=9,
    inputs=3,
    pixels=2,
    residual_lanes=3,
    map_words=256,
    strip_words=128,
    line_words=64,
    weight_words=128,
    tap_words=32,
    parameter_words=64,
    queue_words=8,
)
NARROW = {"accumulator_bits": 24}

#: Configurations by name; an odd number of pixels leaves one without a partner.
CONFIGS = {
    "one frame": SMALL,
    "pairs of pixels": replace(SMALL, packing="pixels", pixels=3, **NARROW),
    "two frames": replace(SMALL, frames=2, multipliers_in_luts=True),
    "outputs in LUTs": replace(SMALL, lut_outputs=5),
    "two frames, pairs of pixels": replace(SMALL, frames=2, packing="pixels", accumulator_bits=28),
    "pairs of frames": replace(SMALL, frames=2, packing="frames", pixels=1, **NARROW),
    "pairs of frames, one rounding": replace(
        SMALL, frames=2, packing="frames", requantize="single", **NARROW
    ),
    "several packed sums": replace(
        SMALL, outputs=12, inputs=6, pixels=2, packing="pixels", residual_lanes=12, queue_words=4
    ),
    "25-bit operands": replace(SMALL, packing="pixels", operand_bits=25, **NARROW),
    "4-bit activations": replace(
        SMALL, packing="pixels", operand_bits=18, activation_bits=4, weight_bits=6, **NARROW
    ),
}
#: A stem, a block of copied words, one with a residual, one of stride 2, head, pool, classifier.
NETWORK = build_network(
    [(1, 7, 1, 1), (2, 7, 1, 1), (2, 8, 1, 2)],
    stem_channels=5,
    head_channels=20,
    classes=20,
    input_size=(5, 9),
)
#: Where outputs of blocks begin in the map memory.
UPPER = 128
#: Words of a map that has arrived as a whole.
ALL = 2**24 - 1


def model_of(config, seed=1):
    """A random model in the arithmetic of a configuration, and an image for each frame."""
    rng = np.random.default_rng(seed)
    arithmetic = Arithmetic(17, "single") if config.requantize == "single" else LITERT
    model, image = random_model(
        rng, NETWORK, config.weight_bits, config.activation_bits, arithmetic
    )
    others = [
        random_activation(rng, NETWORK.input_shape, config.activation_bits)
        for _ in range(config.frames - 1)
    ]
    return model, [image, *others]


def block_of(config, index, seed=3):
    """A block of the network in integers, its shapes, an input and its output for each frame."""
    model, _ = model_of(config, seed)
    rng = np.random.default_rng(seed)
    block, quantized = NETWORK.blocks[index], model.blocks[index]
    inputs = [
        random_activation(rng, block.input_shape, config.activation_bits)
        for _ in range(config.frames)
    ]
    outputs = [run_block(quantized, one, exact_loops=True)[block.output_name] for one in inputs]
    return block, quantized, inputs, outputs


async def run_whole(ctx, machine, block, quantized):
    """Both passes of a block from its input at the memory's start, to its upper half."""
    await machine.start_fill(ctx, quantized, block.input_shape, 0)
    await machine.until_quiet(ctx)
    await machine.start_project(ctx, quantized, block.output_shape, UPPER)
    await machine.until_done(ctx)


async def check_output(ctx, machine, block, outputs):
    """Compare the block's output with golden's."""
    found = await machine.read_map(ctx, block.output_shape, UPPER)
    np.testing.assert_array_equal(found, outputs)
