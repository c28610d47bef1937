"""A read master, its slave and its readers in Amaranth's simulator."""

import random

from tests.hw.axi_slave import AxiSlave
from tests.hw.testbench import run

__all__ = ["Bench", "random_commands"]


class Bench:
    """A read master, its slave, and what each channel is to do and did.

    Parameters
    ----------
    commands : list of list of (int, int)
        Address and beats of each command of each channel.
    stalls : list of float
        Probability that the reader of a channel waits, by channel; 1 never reads.
    """

    def __init__(self, dut, commands, *, stalls=None, seed=1, size=1 << 16, **slave):
        self.dut, self.commands = dut, commands
        self.stalls = stalls or [0.0] * dut.channels
        self.rng = random.Random(seed)
        self.memory = bytearray(self.rng.randbytes(size))
        self.slave = AxiSlave(
            dut.bus, data_bits=dut.data_bits, memory=self.memory, rng=self.rng, **slave
        )
        self.beats = [[] for _ in commands]
        self.cycles = [[] for _ in commands]
        self.command_cycles = [[] for _ in commands]
        self.received = [0 for _ in commands]

    def expected(self, channel):
        """Beats of a channel: data and last."""
        size, beats = self.dut.data_bits // 8, []
        for address, count in self.commands[channel]:
            beats += [
                (
                    int.from_bytes(self.memory[start : start + size], "little"),
                    start == address + (count - 1) * size,
                )
                for start in range(address, address + count * size, size)
            ]
        return beats

    def _sender(self, channel):
        async def send(ctx):
            port, cycle = self.dut.i[channel], 0
            for address, beats in self.commands[channel]:
                ctx.set(port.payload, {"address": address, "beats": beats})
                ctx.set(port.valid, 1)
                ready = False
                while not ready:
                    *_, ready = await ctx.tick().sample(port.ready)
                    cycle += 1
                self.command_cycles[channel].append(cycle - 1)
                ctx.set(port.valid, 0)

        return send

    def _receiver(self, channel):
        async def receive(ctx):
            port, cycle, held = self.dut.o[channel], 0, None
            while True:
                ready = self.rng.random() >= self.stalls[channel]
                ctx.set(port.ready, ready)
                *_, valid, beat, r_ready, abort = await ctx.tick().sample(
                    port.valid, port.payload, self.dut.bus.rready, self.dut.abort
                )
                assert r_ready, "rready fell"
                beat = (int(beat.data), bool(beat.last))
                assert held is None or abort or (valid and beat == held), "o changed in a stall"
                held = beat if valid and not ready else None
                if valid and ready:
                    self.beats[channel].append(beat)
                    self.cycles[channel].append(cycle)
                cycle += 1

        return receive

    async def _count(self, ctx):
        """Count the beats that the master says it received, each the cycle after it."""
        arrived = False
        while True:
            *_, received, valid = await ctx.tick().sample(self.dut.received, self.dut.bus.rvalid)
            assert received.bit_count() == arrived
            for channel in range(self.dut.channels):
                self.received[channel] += received >> channel & 1
            arrived = valid

    def run(self, check, deadline=20_000):
        """Run until ``check``, a testbench, has ended."""
        others = [self.slave.read, self._count]
        for channel in range(self.dut.channels):
            others += [self._sender(channel), self._receiver(channel)]
        run(self.dut, check, others=others, cycles=deadline)

    def run_all(self, **options):
        """Run until all the beats of all channels came; check data and counters."""
        total = [sum(count for _, count in commands) for commands in self.commands]

        async def check(ctx):
            while [len(beats) for beats in self.beats] != total:
                await ctx.tick()
            await ctx.tick().repeat(5)
            assert not ctx.get(self.dut.busy)
            assert not ctx.get(self.dut.error)
            assert self.received == total

        self.run(check, **options)
        for channel in range(self.dut.channels):
            assert self.beats[channel] == self.expected(channel)
        assert self.slave.read_beats == sum(total)


def random_commands(rng, channels, data_bits, burst_beats, *, count=4, size=1 << 16):
    """Commands of each channel: over the end of a page, of 0 to 2 beats, and random ones."""
    beat_bytes = data_bits // 8
    return [
        [
            (4096 * (1 + channel) - 3 * beat_bytes, burst_beats + 5),
            (beat_bytes * channel, channel % 3),
        ]
        + [
            (beat_bytes * rng.randrange(size // beat_bytes - 60), rng.randrange(60))
            for _ in range(count)
        ]
        for channel in range(channels)
    ]
