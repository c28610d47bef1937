"""The core under passes that the tests give: every kind of pass as golden, latencies, waits."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.network import build_network
from mnv2.golden.quantized_block import run_block
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import AcceleratorConfig
from mnv2.hw.core import Core
from mnv2.hw.passes import Stall
from tests.hw.core_machine import Machine
from tests.hw.core_words import groups
from tests.hw.harness import check_conversion, unpack_items
from tests.hw.testbench import bits

SMALL = AcceleratorConfig(
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
    "two frames, pairs of pixels": replace(SMALL, frames=2, packing="pixels", accumulator_bits=28),
    "pairs of frames": replace(SMALL, frames=2, packing="frames", pixels=1, **NARROW),
    "pairs of frames, one rounding": replace(
        SMALL, frames=2, packing="frames", requantize="single", **NARROW
    ),
    "several packed sums": replace(
        SMALL, outputs=12, inputs=6, pixels=2, packing="pixels", residual_lanes=12, queue_words=4
    ),
    "25-bit operands": replace(SMALL, packing="pixels", operand_bits=25, **NARROW),
    "5-bit activations": replace(
        SMALL, packing="pixels", operand_bits=18, activation_bits=4, weight_bits=6, **NARROW
    ),
}
#: A stem, a block of copied words, one with a residual, one of stride 2, head, pool, classifier.
NETWORK = build_network(
    [(1, 7, 1, 1), (3, 7, 1, 1), (2, 8, 1, 2)],
    stem_channels=5,
    head_channels=20,
    classes=20,
    input_size=(9, 11),
)
UPPER = 128


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


def check_map(found, tensors, name):
    """Compare maps of all frames with golden's."""
    for frame, of in enumerate(tensors):
        np.testing.assert_array_equal(found[frame], of[name], f"{name}, frame {frame}")


@pytest.mark.parametrize("stall", [0.0, 0.4], ids=["free", "stalls"])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_kind_of_pass_equals_golden(name, stall):
    config = CONFIGS[name]
    model, images = model_of(config)
    tensors = [model.run(image, exact_loops=True) for image in images]
    machine = Machine(config, seed=2, stall=stall)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        base, other = 0, UPPER
        await machine.start_stem(ctx, model.stem, images, base)
        await machine.until_done(ctx)
        shape = NETWORK.stem.output_shape
        check_map(await machine.read_map(ctx, shape, base), tensors, "stem")

        for block, quantized in zip(NETWORK.blocks, model.blocks, strict=True):
            await machine.start_fill(ctx, quantized, shape, base)
            await machine.until_quiet(ctx)
            await machine.start_project(ctx, quantized, block.output_shape, other)
            await machine.until_done(ctx)
            shape, base, other = block.output_shape, other, base
            check_map(await machine.read_map(ctx, shape, base), tensors, block.output_name)

        await machine.start_alone(ctx, model.head, shape, base, pool=model.pool, output=other)
        await machine.until_done(ctx)
        shape = NETWORK.pool.output_shape
        found = await machine.read_words(ctx, other, machine.map_size(shape))
        # Only the first pixel of a mean's word is one.
        means = found[:, 0].reshape(-1, config.frames, config.inputs).transpose(1, 0, 2)
        for frame, of in enumerate(tensors):
            values = means[frame].reshape(-1)[: NETWORK.head.output_channels]
            np.testing.assert_array_equal(values, of["pool"].reshape(-1))

        await machine.start_alone(ctx, model.classifier, shape, other)
        await machine.until_quiet(ctx)
        assert not any(machine.queues.values())

    machine.run(testbench)
    accumulators, values = machine.logits(NETWORK.classes)
    for frame, of in enumerate(tensors):
        np.testing.assert_array_equal(values[frame], of["classifier"].reshape(-1))
        np.testing.assert_array_equal(accumulators[frame], of["logits_accumulator"].reshape(-1))


#: Cycles from a step that ends a tile to its first word at the requantiser's output.
RESULT = {
    "one frame": 13,
    "pairs of pixels": 13,
    "pairs of frames": 13,
    "several packed sums": 14,
}


def block_of(config, index, seed=3):
    """A block of the network in integers, its shapes, and an input for each frame."""
    model, _ = model_of(config, seed)
    rng = np.random.default_rng(seed)
    block = NETWORK.blocks[index]
    inputs = [
        random_activation(rng, block.input_shape, config.activation_bits)
        for _ in range(config.frames)
    ]
    return block, model.blocks[index], inputs


def first(cycles, condition, start=0):
    """Number of the first cycle from a start on of which a condition holds."""
    return next(n for n in range(start, len(cycles)) if condition(cycles[n]))


def last(cycles, condition):
    """Number of the last cycle of which a condition holds."""
    return max(n for n, cycle in enumerate(cycles) if condition(cycle))


@pytest.mark.parametrize("name", RESULT)
def test_latency_of_an_expansion(name):
    """From the step that ends the first tile to the line buffer, the queue included."""
    config, result = CONFIGS[name], RESULT[name]
    block, quantized, inputs = block_of(config, 1)
    machine = Machine(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        await machine.load_map(ctx, inputs, 0)
        await machine.start_fill(ctx, quantized, block.input_shape, 0)
        await machine.until_quiet(ctx)

    machine.run(testbench)
    steps = groups(block.input_shape[2], config.inputs)
    begin = first(machine.cycles, lambda cycle: cycle.pointwise)
    # The steps of a tile follow one another.
    assert all(cycle.pointwise for cycle in machine.cycles[begin : begin + steps])
    assert first(machine.cycles, lambda cycle: cycle.moving) == begin + steps - 1 + result + 1


@pytest.mark.parametrize("name", RESULT)
def test_quiet_once_the_last_result_is_written(name):
    """Depthwise outputs, a projection, an addition: neither before nor a cycle later."""
    config, result = CONFIGS[name], RESULT[name]
    marks, checked = {}, []
    for index in (1, 2):
        block, quantized, inputs = block_of(config, index)
        expected = [quantized_run(quantized, one) for one in inputs]
        machine = Machine(config)

        async def testbench(
            ctx,
            machine=machine,
            block=block,
            quantized=quantized,
            inputs=inputs,
            expected=expected,
        ):
            ctx.set(machine.core.loaded, 2**24 - 1)
            await machine.load_map(ctx, inputs, 0)
            await machine.start_fill(ctx, quantized, block.input_shape, 0)
            await machine.until_quiet(ctx)
            marks["filled"] = len(machine.cycles) - 1
            await machine.start_project(ctx, quantized, block.output_shape, UPPER)
            await machine.until_quiet(ctx)
            marks["projected"] = len(machine.cycles) - 1
            check = await machine.read_map(ctx, block.output_shape, UPPER)
            np.testing.assert_array_equal(check, expected)
            checked.append(True)

        machine.run(testbench)
        cycles = machine.cycles
        # The last window's result is written with the requantiser's latency; the count follows.
        windows = last(cycles, lambda cycle: cycle.depthwise)
        assert marks["filled"] == windows + result + 1
        steps = last(cycles, lambda cycle: cycle.pointwise)
        words = groups(block.output_shape[2], config.inputs)
        in_tile = words - (groups(words, config.tile_words) - 1) * config.tile_words
        written = steps + in_tile - 1 + result
        if quantized.add is None:
            assert marks["projected"] == written + 1
        else:
            # Through the queue, then from the fetch to the sum; more where words wait in line.
            alone = written + 1 + 11 + config.residual_cycles
            assert alone + 1 <= marks["projected"] <= alone + 1 + 2 * config.residual_cycles
        # The pass counts as issued once its last step is.
        assert first(cycles, lambda cycle: cycle.issued, marks["filled"] + 2) == steps + 1
    assert len(checked) == 2


def quantized_run(quantized, activation):
    """Output of a block in integers."""
    return run_block(quantized, activation, exact_loops=True)[quantized.output_name]


@pytest.mark.parametrize("name", ["one frame", "pairs of frames"])
def test_latency_of_logits_and_means(name):
    config, result = CONFIGS[name], RESULT[name]
    model, _ = model_of(config)
    rng = np.random.default_rng(5)
    machine, marks = Machine(config), []

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        for layer, pool in ((model.head, model.pool), (model.classifier, None)):
            shape = (NETWORK.head if pool else NETWORK.classifier).input_shape
            maps = [random_activation(rng, shape) for _ in range(config.frames)]
            await machine.load_map(ctx, maps, 0)
            start = len(machine.cycles)
            await machine.start_alone(ctx, layer, shape, 0, pool=pool, output=UPPER)
            await machine.until_quiet(ctx)
            marks.append((start, len(machine.cycles) - 1))
            await machine.until_done(ctx)

    machine.run(testbench)
    (start, end), (classifier, _) = marks
    head = machine.cycles[start : end + 1]
    steps = start + last(head, lambda cycle: cycle.pointwise)
    words = groups(NETWORK.head.output_channels, config.inputs)
    in_tile = words - (groups(words, config.tile_words) - 1) * config.tile_words
    # The last mean follows its word by the latencies of requantiser and pool.
    assert end == steps + in_tile - 1 + 9 + result + 1
    begin = first(machine.cycles, lambda cycle: cycle.pointwise, classifier)
    inputs = groups(NETWORK.head.output_channels, config.inputs)
    found = first(machine.cycles, lambda cycle: cycle.logits is not None)
    # A result and the queue.
    assert found == begin + inputs - 1 + result + 1


def test_waits_until_what_is_missing_comes():
    """Each stream in turn gives nothing: the array stops for that cause, then goes on."""
    config = CONFIGS["one frame"]
    block, quantized, inputs = block_of(config, 1)
    expected = [quantized_run(quantized, one) for one in inputs]
    for held, cause in (
        ("i_weights", Stall.WEIGHTS),
        ("i_parameters", Stall.PARAMETERS),
        ("i_taps", Stall.PARAMETERS),
        ("loaded", Stall.ACTIVATIONS),
    ):
        machine, checked = Machine(config), []
        machine.held.add(held)

        async def testbench(ctx, machine=machine, held=held, cause=cause, checked=checked):
            ctx.set(machine.core.loaded, 0 if held == "loaded" else 2**24 - 1)
            await machine.load_map(ctx, inputs, 0)
            await machine.start_fill(ctx, quantized, block.input_shape, 0)
            await ctx.tick().repeat(200)
            waiting = machine.cycles[-50:]
            assert not any(cycle.pointwise or cycle.depthwise for cycle in waiting)
            assert all(cycle.issuing and not cycle.quiet for cycle in waiting)
            assert {cycle.stall for cycle in waiting} == {cause}
            machine.held.clear()
            ctx.set(machine.core.loaded, 2**24 - 1)
            await machine.until_quiet(ctx)
            await machine.start_project(ctx, quantized, block.output_shape, UPPER)
            await machine.until_quiet(ctx)
            found = await machine.read_map(ctx, block.output_shape, UPPER)
            np.testing.assert_array_equal(found, expected)
            checked.append(True)

        machine.run(testbench)
        assert checked


def test_waits_for_an_image():
    config = CONFIGS["two frames"]
    model, images = model_of(config)
    machine = Machine(config)
    machine.held.add("i_image")

    async def testbench(ctx):
        await machine.start_stem(ctx, model.stem, images, 0)
        await ctx.tick().repeat(100)
        assert {cycle.stall for cycle in machine.cycles[-50:]} == {Stall.ACTIVATIONS}
        assert not any(cycle.pointwise for cycle in machine.cycles)
        machine.held.clear()
        await machine.until_quiet(ctx)
        found = await machine.read_map(ctx, NETWORK.stem.output_shape, 0)
        for frame, image in enumerate(images):
            np.testing.assert_array_equal(found[frame], model.stem.run(image, exact_loops=True))

    machine.run(testbench)


def test_waits_until_logits_are_taken():
    """No more words are computed than may wait, and none is lost."""
    config = replace(CONFIGS["one frame"], queue_words=6)
    model, _ = model_of(config)
    layer = model.classifier
    machine = Machine(config)
    machine.held.add("o_logits")
    activation = random_activation(np.random.default_rng(6), NETWORK.classifier.input_shape)
    inputs = groups(layer.input_channels, config.inputs)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        await machine.load_map(ctx, [activation], 0)
        await machine.start_alone(ctx, layer, NETWORK.classifier.input_shape, 0)
        await ctx.tick().repeat(200)
        # The words of two tiles wait; the third stops at the step that would end it.
        assert sum(cycle.pointwise for cycle in machine.cycles) == 3 * inputs - 1
        assert {cycle.stall for cycle in machine.cycles[-50:]} == {Stall.RESIDUAL}
        assert not machine.cycles[-1].quiet
        machine.held.clear()
        await machine.until_quiet(ctx)

    machine.run(testbench)
    accumulators, values = machine.logits(layer.output_channels)
    np.testing.assert_array_equal(
        accumulators[0], layer.accumulate(activation, exact_loops=True).reshape(-1)
    )
    np.testing.assert_array_equal(values[0], layer.run(activation, exact_loops=True).reshape(-1))


def test_waits_for_room_before_the_line_buffer():
    """Without a command the line buffer takes nothing: the queue fills, then all goes on."""
    config = CONFIGS["one frame"]
    block, quantized, inputs = block_of(config, 1)
    machine = Machine(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        await machine.load_map(ctx, inputs, 0)
        command, line = machine.fill_commands(ctx, quantized, block.input_shape, 0)
        await machine.give(ctx, i_pass=command)
        await ctx.tick().repeat(200)
        waiting = machine.cycles[-50:]
        assert {cycle.stall for cycle in waiting} == {Stall.LINE_BUFFER}
        assert not any(cycle.moving for cycle in machine.cycles)
        await machine.give(ctx, i_line=line)
        await machine.until_quiet(ctx)
        await machine.start_project(ctx, quantized, block.output_shape, UPPER)
        await machine.until_quiet(ctx)
        found = await machine.read_map(ctx, block.output_shape, UPPER)
        np.testing.assert_array_equal(found, [quantized_run(quantized, one) for one in inputs])

    machine.run(testbench)


@pytest.mark.parametrize("index", [0, 1], ids=["copied", "expanded"])
def test_storing_takes_the_cycles_that_are_left(index):
    """A block's input is stored while the block runs; neither disturbs the other."""
    config = CONFIGS["two frames"]
    block, quantized, inputs = block_of(config, index)
    machine, granted = Machine(config), []

    async def testbench(ctx):
        core, rng = machine.core, np.random.default_rng(9)
        ctx.set(core.loaded, 2**24 - 1)
        words = await machine.load_map(ctx, inputs, 0)
        for start in (
            machine.start_fill(ctx, quantized, block.input_shape, 0),
            machine.start_project(ctx, quantized, block.output_shape, UPPER),
        ):
            await start
            while True:
                asks, address = rng.random() < 0.7, int(rng.integers(len(words)))
                ctx.set(core.store_request, asks)
                ctx.set(core.store_address, address)
                *_, grant, step, quiet = await ctx.tick().sample(
                    core.store_grant, core.pointwise, core.quiet
                )
                if grant:
                    found = unpack_items(core.store_data.shape(), [ctx.get(bits(core.store_data))])
                    np.testing.assert_array_equal(found[0], words[address])
                granted.append((asks, grant, step))
                if quiet:
                    break
        ctx.set(core.store_request, 0)
        found = await machine.read_map(ctx, block.output_shape, UPPER)
        np.testing.assert_array_equal(found, [quantized_run(quantized, one) for one in inputs])

    machine.run(testbench)
    assert all(asks for asks, grant, _ in granted if grant)
    # Some were refused, to steps, copies or the residual adder.
    assert sum(asks and not grant for asks, grant, _ in granted) > 20
    assert sum(grant for _, grant, _ in granted) > 50


def test_clear_forgets_what_the_rings_held():
    config = CONFIGS["one frame"]
    block, quantized, inputs = block_of(config, 1)
    machine = Machine(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, 2**24 - 1)
        # Another block's words, which nothing uses.
        machine.fill(*block_of(config, 2)[1].layers)
        while any(machine.queues.values()):
            await ctx.tick()
        ctx.set(machine.core.clear, 1)
        await ctx.tick()
        ctx.set(machine.core.clear, 0)
        await machine.load_map(ctx, inputs, 0)
        await machine.start_fill(ctx, quantized, block.input_shape, 0)
        await machine.until_quiet(ctx)
        await machine.start_project(ctx, quantized, block.output_shape, UPPER)
        await machine.until_quiet(ctx)
        found = await machine.read_map(ctx, block.output_shape, UPPER)
        np.testing.assert_array_equal(found, [quantized_run(quantized, one) for one in inputs])

    machine.run(testbench)


@pytest.mark.parametrize("name", ["one frame", "pairs of frames, one rounding"])
def test_conversion(name):
    check_conversion(lambda: Core(CONFIGS[name]))
