"""Small accelerators that the tests of the whole machine share, and networks run on them."""

from dataclasses import replace

import numpy as np
from amaranth.lib import data

from mnv2.golden.network import build_block, build_network
from mnv2.golden.quantized_block import run_block
from mnv2.golden.synthetic import random_activation, random_block, random_model
from mnv2.hw.config import PRESETS, RECORD_BYTES, AcceleratorConfig
from mnv2.hw.program import Descriptor, Work
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.mapping.packing import pack_image, unpack_map
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.rtl.run_blocks import BlockTask
from mnv2.sim.rtl.simulate import simulate

__all__ = [
    "MACHINES",
    "block_task",
    "descriptors",
    "model_and_tensors",
    "network_of",
    "patched",
    "shorten_strips",
    "spilled_maps",
]

#: A stuck program is aborted soon; longer than any latency here.
_PATIENCE = 3000

MACHINES = {
    # 12 outputs divide no channel count: every partial tile occurs. Sums of 32 bits may be shifted
    # left, as those of a pool of one pixel are.
    "tiny": replace(PRESETS["tiny"], accumulator_bits=32, patience_cycles=_PATIENCE),
    # One pixel a word, short bursts, and so little memory for maps that they spill.
    "narrow": AcceleratorConfig(
        outputs=16,
        inputs=4,
        pixels=1,
        map_words=900,
        strip_words=900,
        line_words=512,
        weight_words=640,
        tap_words=64,
        parameter_words=256,
        queue_words=8,
        data_bits=64,
        burst_beats=4,
        outstanding=3,
        patience_cycles=_PATIENCE,
    ),
    # A tile is one word, a beat holds several; lanes are no power of two. Accumulators as LiteRT's,
    # and a multiplier for each product.
    "wide": AcceleratorConfig(
        outputs=10,
        inputs=10,
        pixels=1,
        packing="none",
        accumulator_bits=32,
        residual_lanes=10,
        map_words=2048,
        strip_words=768,
        line_words=512,
        weight_words=160,
        tap_words=32,
        parameter_words=96,
        queue_words=2,
        data_bits=256,
        patience_cycles=_PATIENCE,
    ),
    # Widths that fill no byte; pairs of products in multipliers of 18 bits, and a pixel alone.
    "few_bits": AcceleratorConfig(
        outputs=10,
        inputs=5,
        pixels=3,
        operand_bits=18,
        residual_lanes=5,
        weight_bits=5,
        activation_bits=6,
        map_words=1024,
        strip_words=768,
        line_words=512,
        weight_words=512,
        tap_words=64,
        parameter_words=160,
        queue_words=5,
        data_bits=128,
        patience_cycles=_PATIENCE,
    ),
    # Words and beats in external memory with padding: words in two and more beats, three words of
    # an image in four, and maps that spill.
    "padded": AcceleratorConfig(
        outputs=10,
        inputs=5,
        pixels=4,
        operand_bits=25,
        accumulator_bits=24,
        weight_bits=5,
        activation_bits=6,
        map_words=300,
        strip_words=768,
        line_words=512,
        weight_words=512,
        tap_words=64,
        parameter_words=160,
        queue_words=5,
        residual_lanes=5,
        data_bits=64,
        padded_words=True,
        patience_cycles=_PATIENCE,
    ),
}


def block_task(config, seed, input_shape, expansion, channels, stride, padding="pytorch"):
    """A random block with a random input, and what golden makes of it."""
    rng = np.random.default_rng(seed)
    block = build_block(seed, input_shape, expansion, channels, stride, padding)
    bits = config.weight_bits, config.activation_bits
    quantized, _ = random_block(rng, block, *bits)
    activation = random_activation(rng, input_shape, config.activation_bits)
    tensors = run_block(quantized, activation)
    return BlockTask(block, quantized, activation, tensors[quantized.output_name])


def network_of(table, size, *, stem=8, head=32, classes=10, padding="pytorch"):
    """A network of a few blocks."""
    return build_network(
        table,
        stem_channels=stem,
        head_channels=head,
        classes=classes,
        input_size=size,
        padding=padding,
    )


def model_and_tensors(config, network, seed):
    """A random model of a network, and every tensor of a random image."""
    rng = np.random.default_rng(seed)
    model, _ = random_model(rng, network, config.weight_bits, config.activation_bits)
    return model, model.run(random_activation(rng, network.input_shape, config.activation_bits))


def descriptors(program):
    """Descriptors of a program, read back from its memory image."""
    records = program.image[: program.records * RECORD_BYTES].reshape(-1, RECORD_BYTES)
    bits = Descriptor.as_shape().size
    return [
        Descriptor.from_bits(int.from_bytes(record.tobytes(), "little") & (1 << bits) - 1)
        for record in records[1:]
    ]


def shorten_strips(program):
    """The program with the shortest strips that a descriptor allows."""
    image = program.image.copy()
    table = image[: program.records * RECORD_BYTES].reshape(-1, RECORD_BYTES)
    for record, descriptor in zip(table[1:], descriptors(program), strict=True):
        if descriptor.work.value:
            continue
        # For stride 1 the last strip has more than one row.
        rows = 1 if descriptor.stride_2 else 2 + descriptor.output_rows % 2
        assert descriptor.stride_2 or descriptor.output_rows % rows != 1
        words = rows * descriptor.output_groups * descriptor.output_words
        record[:] = patched(record, Descriptor, {"strip_rows": rows, "strip_output_words": words})
    return replace(program, image=image)


def spilled_maps(build, model, image, config, memory, change=lambda program: program):
    """Run a network, its program changed, and look at the maps that it left in external memory.

    Returns
    -------
    dict of str to int8 [H, W, C]
        By the names of the tensors.
    """
    program = change(build_network_program(model, config))
    run = place_run(program.memory_bytes, program.picture_bytes, program.logits_bytes)
    places = {}
    for block, made, spilled, record in zip(
        model.network.blocks,
        model.blocks,
        program.placement.spilled,
        [one for one in descriptors(program) if one.work == Work.BLOCK],
        strict=True,
    ):
        if spilled:
            places[made.output_name] = block, record.store_offset, record.store_bytes
    first = min(address for _, address, _ in places.values())
    output = simulate(
        build,
        program,
        places=run,
        pictures=[pack_image(image, config)],
        output=(first, program.memory_bytes),
        memory=memory,
        deadline=5_000_000,
    ).output
    return {
        name: unpack_map(output[address - first :][:size], block.output_shape, config)
        for name, (block, address, size) in places.items()
    }


def patched(record, kind, fields):
    """Bytes of a record of a program with other values in some fields."""
    layout = data.Layout.cast(kind)
    value = int.from_bytes(record.tobytes(), "little")
    for name, number in fields.items():
        field = layout[name]
        assert number < 1 << field.width
        value &= ~((1 << field.width) - 1 << field.offset)
        value |= int(number) << field.offset
    return np.frombuffer(value.to_bytes(RECORD_BYTES, "little"), np.uint8)
