"""The core under passes that the tests give: every kind of pass as golden, and its waits."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.synthetic import random_activation
from mnv2.hw.core import Core
from mnv2.hw.passes import Stall
from tests.hw.core_cases import (
    ALL,
    CONFIGS,
    NETWORK,
    UPPER,
    block_of,
    check_output,
    model_of,
    run_whole,
)
from tests.hw.core_stages import Stages
from tests.hw.core_words import groups
from tests.hw.harness import check_conversion, unpack_items
from tests.hw.testbench import bits


def check_map(found, tensors, name):
    """Compare maps of all frames with golden's."""
    for frame, of in enumerate(tensors):
        np.testing.assert_array_equal(found[frame], of[name], f"{name}, frame {frame}")


@pytest.mark.parametrize(
    ("name", "stall"), [("one frame", 0.0), *((name, 0.3) for name in CONFIGS)]
)
def test_every_kind_of_pass_equals_golden(name, stall):
    config = CONFIGS[name]
    model, images = model_of(config)
    tensors = [model.run(image, exact_loops=True) for image in images]
    machine = Stages(config, seed=2, stall=stall)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
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


def test_waits_until_what_is_missing_comes():
    """Each stream in turn gives nothing: the array stops for that cause, then goes on."""
    config = CONFIGS["one frame"]
    block, quantized, inputs, outputs = block_of(config, 1)
    machine = Stages(config)
    missing = {
        "i_weights": Stall.WEIGHTS,
        "i_parameters": Stall.PARAMETERS,
        "i_taps": Stall.PARAMETERS,
        "loaded": Stall.ACTIVATIONS,
    }

    async def testbench(ctx):
        await machine.load_map(ctx, inputs, 0)
        for held, cause in missing.items():
            machine.held.add(held)
            ctx.set(machine.core.loaded, 0 if held == "loaded" else ALL)
            await machine.start_fill(ctx, quantized, block.input_shape, 0)
            await ctx.tick().repeat(120)
            waiting = machine.cycles[-20:]
            assert not any(cycle.pointwise or cycle.depthwise for cycle in waiting)
            assert all(cycle.issuing and not cycle.quiet for cycle in waiting)
            assert {cycle.stall for cycle in waiting} == {cause}
            machine.held.clear()
            ctx.set(machine.core.loaded, ALL)
            await machine.until_quiet(ctx)
            await machine.start_project(ctx, quantized, block.output_shape, UPPER)
            await machine.until_done(ctx)
            await check_output(ctx, machine, block, outputs)

    machine.run(testbench)


def test_waits_for_an_image():
    config = CONFIGS["two frames"]
    model, images = model_of(config)
    machine = Stages(config)
    machine.held.add("i_image")

    async def testbench(ctx):
        await machine.start_stem(ctx, model.stem, images, 0)
        await ctx.tick().repeat(60)
        assert {cycle.stall for cycle in machine.cycles[-20:]} == {Stall.ACTIVATIONS}
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
    machine = Stages(config)
    machine.held.add("o_logits")
    activation = random_activation(np.random.default_rng(6), NETWORK.classifier.input_shape)
    inputs = groups(layer.input_channels, config.inputs)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        await machine.load_map(ctx, [activation], 0)
        await machine.start_alone(ctx, layer, NETWORK.classifier.input_shape, 0)
        await ctx.tick().repeat(200)
        # The words of two tiles wait; the third stops at the step that would end it.
        assert sum(cycle.pointwise for cycle in machine.cycles) == 3 * inputs - 1
        assert {cycle.stall for cycle in machine.cycles[-20:]} == {Stall.RESIDUAL}
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
    block, quantized, inputs, outputs = block_of(config, 1)
    machine = Stages(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        await machine.load_map(ctx, inputs, 0)
        command, line = machine.fill_commands(ctx, quantized, block.input_shape, 0)
        await machine.give(ctx, i_pass=command)
        await ctx.tick().repeat(120)
        assert {cycle.stall for cycle in machine.cycles[-20:]} == {Stall.LINE_BUFFER}
        assert not any(cycle.moving for cycle in machine.cycles)
        await machine.give(ctx, i_line=line)
        await machine.until_quiet(ctx)
        await machine.start_project(ctx, quantized, block.output_shape, UPPER)
        await machine.until_quiet(ctx)
        await check_output(ctx, machine, block, outputs)

    machine.run(testbench)


def test_storing_takes_the_cycles_that_are_left():
    """Inputs of blocks are stored while the blocks run; neither disturbs the other."""
    config = CONFIGS["two frames"]
    machine, granted = Stages(config), []

    async def store(ctx, words, rng):
        """Store random words until nothing is under way, and check them."""
        core, quiet = machine.core, False
        while not quiet:
            asks, address = rng.random() < 0.7, int(rng.integers(len(words)))
            ctx.set(core.store_request, asks)
            ctx.set(core.store_address, address)
            *_, grant, quiet = await ctx.tick().sample(core.store_grant, core.quiet)
            if grant:
                found = unpack_items(core.store_data.shape(), [ctx.get(bits(core.store_data))])
                np.testing.assert_array_equal(found[0], words[address])
            granted.append((asks, grant))
        ctx.set(core.store_request, 0)

    async def testbench(ctx):
        rng = np.random.default_rng(9)
        ctx.set(machine.core.loaded, ALL)
        # Copied, and expanded; both are added to their inputs.
        for index in (0, 1):
            block, quantized, inputs, outputs = block_of(config, index)
            words = await machine.load_map(ctx, inputs, 0)
            await machine.start_fill(ctx, quantized, block.input_shape, 0)
            await store(ctx, words, rng)
            await machine.start_project(ctx, quantized, block.output_shape, UPPER)
            await store(ctx, words, rng)
            await machine.until_done(ctx)
            await check_output(ctx, machine, block, outputs)

    machine.run(testbench)
    assert all(asks for asks, grant in granted if grant)
    # Some were refused, to steps, copies or the residual adder.
    assert sum(asks and not grant for asks, grant in granted) > 20
    assert sum(grant for _, grant in granted) > 50


def test_clear_forgets_what_the_rings_held():
    config = CONFIGS["one frame"]
    block, quantized, inputs, outputs = block_of(config, 1)
    machine = Stages(config)

    async def testbench(ctx):
        ctx.set(machine.core.loaded, ALL)
        # Another block's words, which nothing uses.
        machine.fill(*block_of(config, 2)[1].layers)
        while any(machine.queues.values()):
            await ctx.tick()
        await machine.clear(ctx)
        await machine.load_map(ctx, inputs, 0)
        await run_whole(ctx, machine, block, quantized)
        await check_output(ctx, machine, block, outputs)

    machine.run(testbench)


@pytest.mark.parametrize("port", ["i_pass", "i_line"])
def test_a_command_that_is_offered_is_under_way(port):
    """From the cycle on in which it is offered."""
    machine = Stages(CONFIGS["one frame"])

    async def testbench(ctx):
        core = machine.core
        await ctx.tick().repeat(3)
        assert (ctx.get(core.quiet), ctx.get(core.issued)) == (1, 1)
        ctx.set(getattr(core, port).valid, 1)
        assert (ctx.get(core.quiet), ctx.get(core.issued)) == (0, port == "i_line")

    machine.run(testbench)


def test_conversion():
    check_conversion(lambda: Core(CONFIGS["one frame"]))
