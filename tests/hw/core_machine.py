"""A core in Amaranth's simulator, under passes that a test gives: no sequencer, no memory port.

Each stage of a network runs as one strip. Streams are fed from queues; every cycle is watched.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from amaranth.sim import Simulator

from mnv2.hw.config import IMAGE_CHANNELS, TAPS
from mnv2.hw.core import Core
from mnv2.hw.passes import Range, Target
from tests.hw.core_words import (
    add_parameters,
    groups,
    image_words,
    layer_range,
    map_of_words,
    map_words,
    parameter_words,
    pool_parameters,
    tap_words,
    weight_words,
)
from tests.hw.maps import Geometry, line_commands
from tests.hw.packing import pack_items, unpack_items
from tests.hw.testbench import PERIOD, bits

__all__ = ["Cycle", "Machine"]

#: What is watched in every cycle.
WATCHED = ("pointwise", "depthwise", "stall", "issuing", "issued", "quiet", "moving")


@dataclass(frozen=True)
class Cycle:
    """What the core said in a cycle; ``logits`` is None without a word of them."""

    pointwise: int
    depthwise: int
    stall: object
    issuing: int
    issued: int
    quiet: int
    moving: int
    logits: int | None


class Machine:
    """A core, its streams, and what it did in each cycle.

    Parameters
    ----------
    config : AcceleratorConfig
    seed : int
        Of the stalls and of what lanes beyond maps carry.
    stall : float
        Probability, in a cycle, that a stream does not offer its next word, or that logits are not
        taken.

    Attributes
    ----------
    cycles : list of Cycle
    held : set of str
        Streams that offer nothing: ``i_weights``, ``i_taps``, ``i_parameters``, ``i_image``,
        ``i_load``; and ``o_logits``, which are not taken.
    """

    STREAMS = ("i_weights", "i_taps", "i_parameters", "i_image", "i_load")

    def __init__(self, config, *, seed=0, stall=0.0):
        self.config, self.core, self.stall = config, Core(config), stall
        self.rng = np.random.default_rng(seed)
        self.queues = {name: deque() for name in self.STREAMS}
        self.held, self.cycles = set(), []
        self._kept = {"taps": 0, "parameters": 0}

    def run(self, testbench, *, deadline=20_000):
        """Run a coroutine function of (ctx) until it returns; others feed and watch."""
        finished = []

        async def to_its_end(ctx):
            ctx.set(self.core.loaded, 0)
            await testbench(ctx)
            finished.append(True)

        simulator = Simulator(self.core)
        simulator.add_clock(PERIOD)
        for name in self.STREAMS:
            simulator.add_testbench(self._feeder(name), background=True)
        simulator.add_testbench(self._watch, background=True)
        simulator.add_testbench(to_its_end)
        simulator.run_until(PERIOD * deadline)
        assert finished, f"Not done within {deadline} cycles"

    def _feeder(self, name):
        port, queue = getattr(self.core, name), self.queues[name]

        async def feed(ctx):
            offered = False
            while True:
                offered = offered or (
                    bool(queue) and name not in self.held and self.rng.random() >= self.stall
                )
                ctx.set(port.valid, offered)
                if offered:
                    ctx.set(bits(port.payload), queue[0])
                *_, ready = await ctx.tick().sample(port.ready)
                if offered and ready:
                    queue.popleft()
                    offered = False

        return feed

    async def _watch(self, ctx):
        core, logits = self.core, self.core.o_logits
        watched = [getattr(core, name) for name in WATCHED]
        while True:
            taken = "o_logits" not in self.held and self.rng.random() >= self.stall
            ctx.set(logits.ready, taken)
            *_, valid, payload = values = await ctx.tick().sample(
                *watched, logits.valid, bits(logits.payload)
            )
            word = payload if valid and taken else None
            self.cycles.append(Cycle(*values[2:-2], word))

    # What a test does.

    async def give(self, ctx, **payloads):
        """Offer payloads at ports, such as ``i_pass``, until all are taken."""
        waiting = {name: getattr(self.core, name) for name in payloads}
        for name, port in waiting.items():
            ctx.set(port.payload, payloads[name])
            ctx.set(port.valid, 1)
        while waiting:
            _, _, *readies = await ctx.tick().sample(*(port.ready for port in waiting.values()))
            for (name, port), ready in zip(list(waiting.items()), readies, strict=True):
                if ready:
                    ctx.set(port.valid, 0)
                    del waiting[name]

    async def until(self, ctx, condition):
        """Wait for a cycle, the next at the earliest, of which a condition on it holds."""
        await ctx.tick()
        while not condition(self.cycles[-1]):
            await ctx.tick()

    async def until_quiet(self, ctx):
        """Wait until nothing is under way."""
        await self.until(ctx, lambda cycle: cycle.quiet)

    async def load_map(self, ctx, maps, base):
        """Write the map of each frame to the map memory; returns the words."""
        words = map_words(maps, self.config, self.rng)
        placed = {"address": base + np.arange(len(words)), "word": words}
        self.queues["i_load"] += pack_items(self.core.i_load.payload.shape(), placed)
        while self.queues["i_load"]:
            await ctx.tick()
        return words

    async def read_words(self, ctx, base, count):
        """Words of the map memory: int64 [N, pixel, frame * channel]."""
        found, granted = [], False
        ctx.set(self.core.store_request, 1)
        for address in range(base, base + count):
            ctx.set(self.core.store_address, address)
            granted = False
            while not granted:
                *_, granted = await ctx.tick().sample(self.core.store_grant)
            found.append(ctx.get(bits(self.core.store_data)))
        ctx.set(self.core.store_request, 0)
        return unpack_items(self.core.store_data.shape(), found)

    async def read_map(self, ctx, shape, base):
        """Maps of all frames, int64 [frame, H, W, C]."""
        found = await self.read_words(ctx, base, self.map_size(shape))
        return map_of_words(found, shape, self.config)

    def map_size(self, shape):
        """Words of a map."""
        rows, columns, channels = shape
        return rows * groups(columns, self.config.pixels) * groups(channels, self.config.inputs)

    def fill(self, *layers):
        """Queue weights, kernels and parameters of layers."""
        for layer in layers:
            words = parameter_words(layer, self.config)
            self._kept["parameters"] += len(words["bias"])
            self._queue("i_parameters", words)
            if layer.kind == "depthwise":
                kernels = tap_words(layer.weights, self.config)
                self._kept["taps"] += len(kernels)
                self._queue("i_taps", kernels)
            else:
                self._queue("i_weights", weight_words(layer.weights, self.config))

    def _queue(self, name, words):
        self.queues[name] += pack_items(getattr(self.core, name).payload.shape(), words)

    async def until_done(self, ctx):
        """Wait until nothing is under way, then release the stage's kernels and parameters."""
        await self.until_quiet(ctx)
        for free in (self._kept, dict.fromkeys(self._kept, 0)):
            ctx.set(self.core.taps_free, free["taps"])
            ctx.set(self.core.parameters_free, free["parameters"])
            if any(free.values()):
                await ctx.tick()
        self._kept = dict.fromkeys(self._kept, 0)

    async def start_stem(self, ctx, layer, images, base):
        """Ask for a stem's pass over an image of each frame, to a map at a base."""
        rows, columns, _ = images[0].shape
        lines = Geometry(rows, columns, 1, layer.stride, bool(layer.padding[0][0]))
        words = groups(layer.output_channels, self.config.inputs)
        groups_ = lines.output_groups(self.config.pixels)
        ctx.set(self.core.settings.stem, layer_range(layer))
        self._queue("i_image", image_words(images, self.config, self.rng))
        self.fill(layer)
        command = {
            "stem": 1,
            "target": Target.MAP,
            "range": Range.STEM,
            "rewind": 1,
            "free_weights": 1,
            "rows": lines.output_rows,
            "groups": groups_,
            "input_words": groups(IMAGE_CHANNELS * TAPS, self.config.inputs),
            "output_words": words,
            "output": base,
            "output_base": base,
            "output_end": base + lines.output_rows * groups_ * words,
        }
        (line,) = line_commands(lines, self.config.pixels, layer.input_zero_point)
        await self.give(ctx, i_pass=command, i_line=line)

    async def start_fill(self, ctx, block, shape, base):
        """Ask for the pass from a block's input map to its depthwise outputs."""
        command, line = self.fill_commands(ctx, block, shape, base)
        await self.give(ctx, i_pass=command, i_line=line)

    def fill_commands(self, ctx, block, shape, base):
        """That pass, and its rows for the line buffer; makes the settings for them."""
        rows, columns, _ = shape
        depthwise = block.depthwise
        hidden = groups(depthwise.output_channels, self.config.inputs)
        lines = Geometry(rows, columns, hidden, depthwise.stride, bool(depthwise.padding[0][0]))
        settings = self.core.settings
        if block.expand is not None:
            ctx.set(settings.expand, layer_range(block.expand))
        ctx.set(settings.depthwise, layer_range(depthwise))
        ctx.set(settings.project, layer_range(block.project))
        ctx.set(settings.depthwise_parameters, 0 if block.expand is None else hidden)
        if block.add is not None:
            ctx.set(settings.add, add_parameters(block.add))
            ctx.set(settings.residual_base, base)
            ctx.set(settings.residual_end, base + self.map_size(shape))
            ctx.set(self.core.residual_input, base)
        self.fill(*block.layers)
        command = {
            "copy": block.expand is None,
            "target": Target.QUEUE,
            "range": Range.EXPAND,
            "rewind": 1,
            "free_weights": 1,
            "rows": rows,
            "groups": lines.groups(self.config.pixels),
            "output_words": hidden,
            **self._input(shape, base),
        }
        (line,) = line_commands(lines, self.config.pixels, depthwise.input_zero_point)
        return command, line

    def _input(self, shape, base):
        """Members of a pass that reads a map."""
        return {
            "input_words": groups(shape[2], self.config.inputs),
            "input": base,
            "input_base": base,
            "input_end": base + self.map_size(shape),
        }

    async def start_project(self, ctx, block, shape, base):
        """Ask for the pass from depthwise outputs to the block's output, of a shape."""
        hidden = groups(block.depthwise.output_channels, self.config.inputs)
        command = {
            "from_strip": 1,
            "target": Target.MAP if block.add is None else Target.RESIDUAL,
            "range": Range.PROJECT,
            "free_weights": 1,
            "rows": shape[0],
            "groups": groups(shape[1], self.config.pixels),
            "input_words": hidden,
            "output_words": groups(shape[2], self.config.inputs),
            "parameters": hidden if block.expand is None else 2 * hidden,
            "input_end": 2**16 - 1,
            "output": base,
            "output_base": base,
            "output_end": base + self.map_size(shape),
        }
        await self.give(ctx, i_pass=command)

    async def start_alone(self, ctx, layer, shape, base, *, pool=None, output=0):
        """Ask for a head's pass, to the pool, or for a classifier's."""
        words = groups(layer.output_channels, self.config.inputs)
        ctx.set(self.core.settings.project, layer_range(layer))
        if pool is not None:
            tail = shape[1] - self.config.pixels * (groups(shape[1], self.config.pixels) - 1)
            ctx.set(self.core.settings.tail, tail)
            ctx.set(self.core.settings.pool, layer_range(pool))
            ctx.set(self.core.settings.pool_parameters, pool_parameters(pool))
        self.fill(layer)
        command = {
            "target": Target.LOGITS if pool is None else Target.POOL,
            "range": Range.PROJECT,
            "rewind": 1,
            "free_weights": 1,
            "rows": shape[0],
            "groups": groups(shape[1], self.config.pixels),
            "output_words": words,
            "output": output,
            "output_base": output,
            "output_end": output + words,
            **self._input(shape, base),
        }
        await self.give(ctx, i_pass=command)

    def logits(self, classes):
        """Words of logits until now: (accumulators, values), int64 [frame, class] each."""
        words = [cycle.logits for cycle in self.cycles if cycle.logits is not None]
        found = unpack_items(self.core.o_logits.payload.shape(), words)

        def by_frame(values):
            lanes = values.reshape(-1, self.config.frames, self.config.inputs)
            return lanes.transpose(1, 0, 2).reshape(self.config.frames, -1)[:, :classes]

        return by_frame(found["accumulators"]), by_frame(found["logits"])
