"""Stages of a network as passes of a core, as the sequencer asks for them, a strip each."""

from mnv2.hw.config import IMAGE_CHANNELS, TAPS
from mnv2.hw.passes import Range, Target
from tests.hw.core_machine import Machine
from tests.hw.core_words import (
    add_parameters,
    groups,
    image_words,
    layer_range,
    parameter_words,
    pool_parameters,
    tap_words,
    weight_words,
)
from tests.hw.maps import Geometry, line_commands

__all__ = ["Stages"]


def _pads(layer):
    """Padding above and to the left of a layer's input, as `Geometry` takes it."""
    (top, _), (left, _) = layer.padding
    return bool(top), bool(left)


class Stages(Machine):
    """A core that is given golden's layers: what they need, and their passes."""

    def __init__(self, config, **options):
        super().__init__(config, **options)
        self._kept = {"taps": 0, "parameters": 0}

    def fill(self, *layers):
        """Queue weights, kernels and parameters of layers."""
        for layer in layers:
            words = parameter_words(layer, self.config)
            self._kept["parameters"] += len(words["bias"])
            self.queue("i_parameters", words)
            if layer.kind == "depthwise":
                kernels = tap_words(layer.weights, self.config)
                self._kept["taps"] += len(kernels)
                self.queue("i_taps", kernels)
            else:
                self.queue("i_weights", weight_words(layer.weights, self.config))

    async def until_done(self, ctx):
        """Wait until nothing is under way, then release the stage's kernels and parameters."""
        await self.until_quiet(ctx)
        for free in (self._kept, dict.fromkeys(self._kept, 0)):
            ctx.set(self.core.taps_free, free["taps"])
            ctx.set(self.core.parameters_free, free["parameters"])
            if any(free.values()):
                await ctx.tick()
        self._kept = dict.fromkeys(self._kept, 0)

    async def clear(self, ctx):
        """Forget what the rings hold."""
        ctx.set(self.core.clear, 1)
        await ctx.tick()
        ctx.set(self.core.clear, 0)
        self._kept = dict.fromkeys(self._kept, 0)

    async def start_stem(self, ctx, layer, images, base):
        """Ask for a stem's pass over an image of each frame, to a map at a base."""
        rows, columns, _ = images[0].shape
        lines = Geometry(rows, columns, 1, layer.stride, *_pads(layer))
        words = groups(layer.output_channels, self.config.inputs)
        groups_ = lines.output_groups(self.config.pixels)
        ctx.set(self.core.settings.stem, layer_range(layer))
        self.queue("i_image", image_words(images, self.config, self.rng))
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
        """The pass, and its rows for the line buffer; makes the settings for them."""
        rows, columns, _ = shape
        depthwise = block.depthwise
        hidden = groups(depthwise.output_channels, self.config.inputs)
        lines = Geometry(rows, columns, hidden, depthwise.stride, *_pads(depthwise))
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
