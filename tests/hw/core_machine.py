"""A core in Amaranth's simulator: its streams are fed from queues, every cycle is watched."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from mnv2.hw.core import Core
from mnv2.hw.passes import Stall
from tests.hw.core_words import groups, map_of_words, map_words
from tests.hw.packing import pack_items, unpack_items
from tests.hw.testbench import bits, run

__all__ = ["Cycle", "Machine"]

#: What is watched in every cycle.
WATCHED = ("pointwise", "depthwise", "stall", "issuing", "issued", "quiet", "moving")
#: Cycles in which nothing moves after which a test ends; none waits as long on purpose.
PATIENCE = 400


@dataclass(frozen=True)
class Cycle:
    """Outputs of the core in a cycle; ``logits`` is None if there is no word of them."""

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
        self._moved = 0  # cycles until something moved last

    def run(self, testbench, *, deadline=4000):
        """Run a coroutine function of (ctx) until it returns; others feed and watch."""
        others = [self._feeder(name) for name in self.STREAMS]
        run(self.core, testbench, others=[*others, self._watch], cycles=deadline, stuck=self._stuck)

    def _stuck(self):
        """A sentence on what the core waits for, if nothing has moved for long."""
        if len(self.cycles) < self._moved + PATIENCE:
            return ""
        last = self.cycles[-1]
        left = [f"{len(queue)} of {name}" for name, queue in self.queues.items() if queue]
        return (
            f"Nothing has moved since cycle {self._moved}: stall {Stall(last.stall).name}, "
            f"issuing {last.issuing}, issued {last.issued}, quiet {last.quiet}, "
            f"words not taken: {', '.join(left) or 'none'}"
        )

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
                    self._moved = len(self.cycles)

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
            self.cycles.append(cycle := Cycle(*values[2:-2], word))
            if cycle.pointwise or cycle.depthwise or cycle.moving or word is not None:
                self._moved = len(self.cycles)

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

    def queue(self, name, words):
        self.queues[name] += pack_items(getattr(self.core, name).payload.shape(), words)

    def logits(self, classes):
        """Words of logits until now: (accumulators, values), int64 [frame, class] each."""
        words = [cycle.logits for cycle in self.cycles if cycle.logits is not None]
        found = unpack_items(self.core.o_logits.payload.shape(), words)

        def by_frame(values):
            lanes = values.reshape(-1, self.config.frames, self.config.inputs)
            return lanes.transpose(1, 0, 2).reshape(self.config.frames, -1)[:, :classes]

        return by_frame(found["accumulators"]), by_frame(found["logits"])
