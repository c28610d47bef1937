"""The line buffer against windows cut from a padded map by numpy."""

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.sim import Simulator

from hw.line_buffer import LineBuffer
from tests.hw.maps import Geometry, line_commands, map_words, output_words, pack, unpack, windows

CYCLE = 1e-8


def run(line_buffer, runs, rng, *, stall=0.0, deadline=20_000):
    """Take in maps; returns the cycle of each command, each input and each output with its payload.

    Parameters
    ----------
    runs : list of (command, words)
        ``words`` are packed.
    stall : float
        Probability that a side waits in a cycle.
    """
    dut = line_buffer
    outputs, input_cycles, command_cycles = [], [], []
    expected = sum(count for _, _, count in runs)

    async def send(ctx, port, set_payload, payloads, cycles):
        cycle = 0
        for payload in payloads:
            while rng.random() < stall:
                await ctx.tick()
                cycle += 1
            set_payload(ctx, payload)
            ctx.set(port.valid, 1)
            ready = False
            while not ready:
                *_, ready = await ctx.tick().sample(port.ready)
                cycle += 1
            cycles.append(cycle - 1)
            ctx.set(port.valid, 0)

    async def send_commands(ctx):
        await send(ctx, dut.i_command, lambda ctx, value: ctx.set(dut.i_command.payload, value),
                   [command for command, _, _ in runs], command_cycles)

    async def send_words(ctx):
        await send(ctx, dut.i, lambda ctx, value: ctx.set(dut.i.payload.as_value(), value),
                   [word for _, words, _ in runs for word in words], input_cycles)

    async def receive(ctx):
        held, cycle = None, 0
        while len(outputs) < expected:
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            *_, valid, window, word, address = await ctx.tick().sample(
                dut.o.valid, dut.o.payload.window.as_value(), dut.o.payload.word,
                dut.o.payload.address)
            assert held is None or (valid and held == (window, word, address)), "o changed in a stall"
            held = (window, word, address) if valid and not ready else None
            if valid and ready:
                outputs.append((cycle, word, address, window))
            cycle += 1
        # Nothing is left behind, and the unit comes to rest.
        ctx.set(dut.o.ready, 1)
        for _ in range(40):
            *_, valid = await ctx.tick().sample(dut.o.valid)
            assert not valid, "more windows than expected"
        assert not ctx.get(dut.busy)

    async def stop(ctx):
        await ctx.tick().repeat(deadline)
        raise AssertionError(f"{len(outputs)} of {expected} windows within {deadline} cycles")

    simulator = Simulator(dut)
    simulator.add_clock(CYCLE)
    for testbench in (send_commands, send_words, receive):
        simulator.add_testbench(testbench)
    simulator.add_testbench(stop, background=True)
    simulator.run()
    return command_cycles, input_cycles, outputs


def check(geometries, rng, *, channels, pixels, tile_words, bits=8, stall=0.0, depth=None):
    """Take in random maps one after the other and compare every window."""
    depth = depth or max(geometry.groups(pixels) * geometry.words for geometry in geometries)
    dut = LineBuffer(channels=channels, pixels=pixels, tile_words=tile_words, depth=depth,
                     activation_bits=bits)
    lanes = dict(channels=channels, pixels=pixels, tile_words=tile_words)
    runs, expected = [], []
    for geometry in geometries:
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        padding = int(rng.integers(low, high + 1))
        activation = rng.integers(low, high + 1, (geometry.rows, geometry.columns,
                                                  geometry.words * channels))
        words = map_words(geometry, activation, filler=rng, **lanes)
        outputs = output_words(geometry, windows(geometry, activation, padding), **lanes)
        for command, command_words, command_outputs in zip(
                line_commands(geometry, pixels, padding), words, outputs, strict=True):
            runs.append((command, [pack(word, bits) for word in command_words],
                         len(command_outputs)))
            expected.append(command_outputs)
    command_cycles, input_cycles, outputs = run(dut, runs, rng, stall=stall)

    position = 0
    for index, command_outputs in enumerate(expected):
        for step, word, address, window in command_outputs:
            cycle, got_word, got_address, got_window = outputs[position]
            assert (got_word, got_address) == (word, address), f"command {index}, step {step}"
            got = unpack(got_window, bits, (pixels, channels, 9))[:len(window)]
            np.testing.assert_array_equal(got, window.reshape(*window.shape[:2], 9),
                                          f"command {index}, step {step}, word {word}")
            position += 1
            if stall == 0:
                # One step a cycle from the first on, which follows the command.
                assert cycle == command_cycles[index] + 1 + step + LineBuffer.latency
    return runs, command_cycles, input_cycles, outputs


SIZES = [(1, 1), (2, 2), (3, 5), (4, 7), (5, 8), (3, 14), (4, 15), (5, 6)]
KERNELS = [(1, True), (2, True), (2, False)]


def geometries(sizes=SIZES, words=(1,)):
    """Maps of several sizes under every stride and padding that has an output."""
    maps = [Geometry(rows, columns, words[k % len(words)], stride, pad_start)
            for k, (rows, columns) in enumerate(sizes) for stride, pad_start in KERNELS]
    return [geometry for geometry in maps if geometry.output_rows > 0 and geometry.output_columns > 0]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("channels", "pixels"), [(1, 1), (4, 1), (1, 2), (1, 7)])
def test_windows_of_every_geometry(channels, pixels, stall):
    rng = np.random.default_rng(1)
    check(geometries(), rng, channels=channels, pixels=pixels, tile_words=1, stall=stall)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("tile_words", [1, 2, 4])
def test_tiles_of_channel_words(tile_words, stall):
    # 1, 3, 5 and 6 words leave partial last tiles.
    rng = np.random.default_rng(2)
    check(geometries([(3, 5), (4, 6), (3, 2), (2, 4)], words=(3, 1, 5, 6)), rng,
          channels=2, pixels=2, tile_words=tile_words, stall=stall)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("pixels", "tile_words"), [(1, 1), (2, 2), (7, 4)])
def test_strips_of_rows(pixels, tile_words, stall):
    # The upper rows of a strip's first windows came with the strip before.
    rng = np.random.default_rng(3)
    strips = [Geometry(7, 5, 3, 1, True, (1, 3, 1, 2)), Geometry(7, 5, 3, 2, True, (1, 1, 2)),
              Geometry(8, 6, 5, 2, False, (2, 1, 1)), Geometry(6, 9, 2, 1, True, (5, 1)),
              Geometry(8, 8, 1, 2, True, (1, 2, 1))]
    check(strips, rng, channels=1, pixels=pixels, tile_words=tile_words, stall=stall)


@pytest.mark.parametrize("bits", [4, 5, 8])
def test_activation_bits(bits):
    rng = np.random.default_rng(4)
    check(geometries([(3, 5), (4, 4)]), rng, channels=4, pixels=2, tile_words=1, bits=bits, stall=0.3)


def test_base_lanes():
    rng = np.random.default_rng(5)
    check([Geometry(3, 9, 5), Geometry(4, 14, 2, 2)], rng, channels=4, pixels=7, tile_words=4, stall=0.2)


def test_latency():
    # From the last word of a window, not counted from the steps that only supply padding.
    rng = np.random.default_rng(6)
    geometry = Geometry(4, 4, 1, 2, True)
    _, _, inputs, outputs = check([geometry], rng, channels=1, pixels=1, tile_words=1)
    completing = [row * 4 + column for row in (1, 3) for column in (1, 3)]
    assert [outputs[k][0] - inputs[word] for k, word in enumerate(completing)] == [2] * 4
    assert LineBuffer.latency == 2


def test_one_step_a_cycle():
    rng = np.random.default_rng(7)
    maps = [Geometry(6, 8, 2, 1), Geometry(6, 8, 2, 2)]
    _, commands, inputs, outputs = check(maps, rng, channels=1, pixels=2, tile_words=2)
    steps = 7 * 5 * 2
    # The second command waits for the last step of the first to leave stage 1.
    assert commands[1] - commands[0] == steps + 2
    # Stride 1 gives a window in each step but those of the first row and the first group.
    assert len(outputs) == 6 * 4 * 2 + 3 * 2 * 2
    second = [cycle for cycle in inputs if cycle > commands[1]]
    # Without padding below there is not one idle cycle.
    assert second == list(range(second[0], second[0] + 6 * 4 * 2))


@pytest.mark.parametrize(("name", "value", "error", "message"), [
    ("channels",        0,     ValueError, "Channels must be a positive integer, not 0"),
    ("pixels",          "two", TypeError,  "Pixels must be a positive integer, not 'two'"),
    ("tile_words",      True,  TypeError,  "Tile words must be a positive integer, not True"),
    ("depth",           -4,    ValueError, "Depth must be a positive integer, not -4"),
    ("address_bits",    0,     ValueError, "Address bits must be a positive integer, not 0"),
    ("activation_bits", 9,     ValueError, "Activation bits must be an integer from 4 to 8, not 9"),
])
def test_bad_parameters(name, value, error, message):
    parameters = dict(channels=1, pixels=1, tile_words=1, depth=4)
    with pytest.raises(error, match=f"^{message}$"):
        LineBuffer(**{**parameters, name: value})


def test_conversion():
    dut = LineBuffer(channels=2, pixels=2, tile_words=2, depth=16)
    text = verilog.convert(dut, name="line_buffer", emit_src=False)
    assert text == verilog.convert(dut, name="line_buffer", emit_src=False)
