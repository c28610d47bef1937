"""A pass is stepped through in the order of its loops, with the addresses of each step."""

from dataclasses import dataclass

import numpy as np
import pytest

from mnv2.hw.pass_walk import PassWalk
from mnv2.hw.passes import PassCommand
from mnv2.sim.rtl.verilog import convert
from tests.hw.testbench import run

TILE_WORDS, WEIGHT_RING = 3, 37


@dataclass(frozen=True)
class Step:
    """Outputs of the walk at one step, and whether it frees weights."""

    step: int
    first_step: bool
    last_step: bool
    pixel_begins: bool
    pixel_done: bool
    first_pixels: bool
    last_group: bool
    last_pixels: bool
    input_address: int | None
    output_address: int
    residual_address: int
    weight: int | None
    weights_needed: int | None
    index_end: int
    tile: tuple
    frees: int


def walk_model(command, residual, weights):
    """Steps of a pass, as loops; ``weights`` is (address, words before it), changed in place."""
    words, total = command["output_words"], command["rows"] * command["groups"]
    tiles = [(offset, min(TILE_WORDS, words - offset)) for offset in range(0, words, TILE_WORDS)]
    stem, copy = command["stem"], command["copy"]
    index_words = words if command["from_strip"] else command["input_words"]

    def ring(first, base, end, each, pixel):
        return base + (first - base + pixel * each) % (end - base)

    order = (
        [(pixel, tile) for pixel in range(total) for tile in tiles]
        if stem
        else [(pixel, tile) for tile in tiles for pixel in range(total)]
    )
    pass_begin = tile_begin = list(weights)
    if command["rewind"]:
        weights[:] = pass_begin[:] = tile_begin[:] = [pass_begin[0], 0]
    for pixel, (offset, count) in order:
        last_tile = offset + count == words
        if stem:
            weights[:] = [
                (pass_begin[0] + offset // TILE_WORDS * command["input_words"]) % WEIGHT_RING,
                pass_begin[1] + offset // TILE_WORDS * command["input_words"],
            ]
        elif pixel == 0:
            tile_begin = list(weights)
        else:
            weights[:] = tile_begin
        steps = count if copy else command["input_words"]
        last_pixels = pixel == total - 1
        for step in range(steps):
            last = step == steps - 1
            done = last and (not stem or last_tile)
            frees = 0
            if done and last_pixels and command["free_weights"] and not copy:
                frees = weights[1] + 1
            yield Step(
                step=step,
                first_step=step == 0,
                last_step=last,
                pixel_begins=step == 0 and offset == 0,
                pixel_done=done,
                first_pixels=pixel == 0,
                last_group=pixel % command["groups"] == command["groups"] - 1,
                last_pixels=last_pixels,
                input_address=None
                if stem
                else step
                + (offset if copy else 0)
                + ring(
                    command["input"],
                    command["input_base"],
                    command["input_end"],
                    command["input_words"],
                    pixel,
                ),
                output_address=offset
                + ring(
                    command["output"], command["output_base"], command["output_end"], words, pixel
                ),
                residual_address=offset + ring(*residual, words, pixel),
                weight=None if copy else weights[0],
                weights_needed=None if copy else weights[1] + 1,
                index_end=command["index"] + (pixel + 1) * index_words,
                tile=(
                    offset,
                    count,
                    words - offset - count,
                    offset == 0,
                    last_tile,
                    steps - 1,
                    steps == 1,
                    command["parameters"] + offset,
                    command["parameters"] + offset + count,
                ),
                frees=frees,
            )
            if not copy:
                weights[:] = [(weights[0] + 1) % WEIGHT_RING, weights[1] + 1 - frees]


def random_command(rng, kind, rewind):
    words, inputs = (int(rng.integers(1, 8)) for _ in range(2))
    rows, groups = (int(rng.integers(1, 4)) for _ in range(2))
    if kind == "copy":
        words = inputs

    def place(each):
        size = int(rng.integers(1, 6))
        base = int(rng.integers(0, 50))
        return {
            "base": base,
            "end": base + size * each,
            "first": base + int(rng.integers(0, size)) * each,
        }

    source, target = place(inputs), place(words)
    return {
        "copy": kind == "copy",
        "stem": kind == "stem",
        "from_strip": kind == "strip",
        "free_weights": bool(rng.integers(0, 2)),
        "rewind": rewind,
        "rows": rows,
        "groups": groups,
        "input_words": inputs,
        "output_words": words,
        "parameters": int(rng.integers(0, 40)),
        "input": source["first"],
        "input_base": source["base"],
        "input_end": source["end"],
        "index": int(rng.integers(0, 1000)),
        "output": target["first"],
        "output_base": target["base"],
        "output_end": target["end"],
    }, place(words)


@pytest.mark.parametrize("seed", range(12))
def test_steps_are_those_of_the_loops(seed):
    rng = np.random.default_rng(seed)
    walk = PassWalk(tile_words=TILE_WORDS, weight_ring=WEIGHT_RING)
    seen = {"tiles": 0, "frees": 0, "goes_on": 0}

    async def bench(ctx):
        base = 0  # address of the ring's oldest word
        freed_before = 0  # announced by the walk, not yet at the ring
        weights = [0, 0]
        for number in range(25):
            kind = rng.choice(["plain", "strip", "copy", "stem"])
            rewind = number == 0 or bool(rng.integers(0, 2))
            command, place = random_command(rng, kind, rewind)
            residual = place["first"], place["base"], place["end"]
            seen["goes_on"] += not rewind
            ctx.set(walk.residual_input, residual[0])
            ctx.set(walk.residual_base, residual[1])
            ctx.set(walk.residual_end, residual[2])
            ctx.set(walk.i_command.payload, PassCommand.const(command))
            ctx.set(walk.i_command.valid, 1)
            assert ctx.get(walk.ready)
            if rewind:
                weights[:] = [base, 0]

            async def tick():
                nonlocal base, freed_before
                ctx.set(walk.weights_base, base)
                free = ctx.get(walk.weights_free)
                assert free == freed_before
                freed_before = 0
                await ctx.tick()
                base = (base + free) % WEIGHT_RING

            for _ in range(3):  # taken, settled, prepared
                assert not ctx.get(walk.active)
                await tick()
                ctx.set(walk.i_command.valid, 0)
            # What changes from here on belongs to the next pass.
            ctx.set(walk.residual_input, 0)
            if rewind:
                weights[:] = [base, 0]
            steps = 0
            for expected in walk_model(command, residual, weights):
                pending = freed_before
                while rng.integers(0, 3) == 0:
                    await tick()
                    pending = 0
                assert ctx.get(walk.active)
                found = ctx.get(walk.tile)
                assert (
                    tuple(
                        getattr(found, name)
                        for name in (
                            "offset",
                            "count",
                            "after",
                            "first",
                            "last",
                            "steps_after",
                            "single_step",
                            "parameter",
                            "parameter_end",
                        )
                    )
                    == expected.tile
                )
                for name in Step.__dataclass_fields__:
                    wanted = getattr(expected, name)
                    if name in ("tile", "frees") or wanted is None:
                        continue
                    if name == "weights_needed":
                        wanted += pending  # the ring has not moved yet
                    assert ctx.get(getattr(walk, name)) == wanted, (name, number, steps)
                ctx.set(walk.advance, 1)
                await tick()
                ctx.set(walk.advance, 0)
                freed_before = expected.frees
                seen["frees"] += expected.frees > 0
                steps += 1
            seen["tiles"] += command["output_words"] > TILE_WORDS
            assert not ctx.get(walk.active)
            assert ctx.get(walk.ready)
            assert ctx.get(walk.index_next) == command["index"] + command["rows"] * command[
                "groups"
            ] * (command["output_words"] if command["from_strip"] else command["input_words"])
            while freed_before or rng.integers(0, 2):
                await tick()

    run(walk, bench)
    assert all(count >= 3 for count in seen.values()), seen


def test_converts():
    assert "module top(" in convert(PassWalk(tile_words=1, weight_ring=2))
