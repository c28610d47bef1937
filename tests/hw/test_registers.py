"""Registers through their AXI4-Lite port: every address, strobes, pauses, start and interrupt."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import COUNTERS, RECORDS_BITS
from mnv2.hw.registers import (
    COUNTER_OFFSET,
    COUNTER_ROW_BYTES,
    REGISTER_ADDRESS_BITS,
    Register,
    Registers,
    Status,
)
from tests.hw.harness import check_conversion

OKAY, SLVERR = 0, 2
ROWS = 32


class Host:
    """Master of the port; every wait has an end."""

    def __init__(self, ctx, dut, rng=None):
        self.ctx, self.dut, self.rng = ctx, dut, rng
        self.starts = 0

    async def _tick(self, *signals):
        _, _, start, *values = await self.ctx.tick().sample(self.dut.start, *signals)
        self.starts += start
        return values

    async def _pause(self):
        while self.rng and self.rng.random() < 0.5:
            await self._tick()

    async def read(self, address):
        """(response, data)"""
        ctx, bus = self.ctx, self.dut.bus
        await self._pause()
        ctx.set(bus.araddr, address)
        ctx.set(bus.arvalid, 1)
        for _ in range(9):
            (ready,) = await self._tick(bus.arready)
            if ready:
                break
        else:
            raise AssertionError("No read address is taken")
        ctx.set(bus.arvalid, 0)
        ctx.set(bus.araddr, 0)
        await self._pause()
        ctx.set(bus.rready, 1)
        for _ in range(9):
            valid, response, value = await self._tick(bus.rvalid, bus.rresp, bus.rdata)
            if valid:
                break
        else:
            raise AssertionError("A read is not answered")
        ctx.set(bus.rready, 0)
        return response, value

    async def write(self, address, value, strobe=0xF, data_first=False):
        """Response; address and data may come at different times."""
        ctx, bus = self.ctx, self.dut.bus
        ctx.set(bus.awaddr, address)
        ctx.set(bus.wdata, value)
        ctx.set(bus.wstrb, strobe)
        for valid in (bus.wvalid, bus.awvalid) if data_first else (bus.awvalid, bus.wvalid):
            await self._pause()
            ctx.set(valid, 1)
        for _ in range(9):
            ready, data_ready = await self._tick(bus.awready, bus.wready)
            assert ready == data_ready
            if ready:
                break
        else:
            raise AssertionError("No write is taken")
        ctx.set(bus.awvalid, 0)
        ctx.set(bus.wvalid, 0)
        await self._pause()
        ctx.set(bus.bready, 1)
        for _ in range(9):
            valid, response = await self._tick(bus.bvalid, bus.bresp)
            if valid:
                break
        else:
            raise AssertionError("A write is not answered")
        ctx.set(bus.bready, 0)
        return response


def run(test, seed=None):
    """Play a test, a coroutine function of the host, the simulator and the unit."""
    dut, finished = Registers(counter_rows=ROWS), []

    async def testbench(ctx):
        await test(Host(ctx, dut, seed and random.Random(seed)), ctx, dut)
        finished.append(True)

    async def memory(ctx):
        # Counters as their memory gives them: a cycle late, a value for each place.
        place = (0, 0)
        while True:
            ctx.set(dut.counter_value, 1000 * place[0] + place[1])
            _, _, *place = await ctx.tick().sample(dut.counter_row, dut.counter_column)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.add_testbench(memory, background=True)
    simulator.run()  # ends with the testbench, each of whose waits has an end
    assert finished


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("register", [Register.PROGRAM_ADDRESS, Register.PROGRAM_RECORDS])
def test_set_and_read_back(register, seed):
    async def test(host, ctx, dut):
        rng = random.Random(7)
        port = {
            Register.PROGRAM_ADDRESS: dut.program_address,
            Register.PROGRAM_RECORDS: dut.program_records,
        }[register]
        limit = len(port)
        held = 0
        for number in range(30):
            value, strobe = rng.getrandbits(32), rng.getrandbits(4)
            assert await host.write(register.value, value, strobe, number % 2) == OKAY
            mask = sum(0xFF << 8 * k for k in range(4) if strobe >> k & 1)
            held = (held & ~mask | value & mask) & (1 << limit) - 1
            assert await host.read(register.value) == (OKAY, held)
            assert ctx.get(port) == held
        assert host.starts == 0

    run(test, seed)


def test_every_other_address_answers_with_an_error():
    async def test(host, ctx, dut):
        readable = {r.value for r in Register} - {Register.START.value}
        writable = {r.value for r in Register} - {Register.STATUS.value, Register.FINISHED.value}
        for address in [*range(0, 0x40, 4), 0x100, COUNTER_OFFSET - 4]:
            response, value = await host.read(address)
            assert response == (OKAY if address in readable else SLVERR), hex(address)
            assert address in readable or value == 0
            if address != Register.START.value:
                assert await host.write(address, 0) == (OKAY if address in writable else SLVERR), (
                    hex(address)
                )
        assert await host.write(COUNTER_OFFSET, 1) == SLVERR
        assert await host.read(COUNTER_OFFSET + 4 * len(COUNTERS)) == (SLVERR, 0)
        # After an error all is well.
        assert await host.write(Register.PROGRAM_ADDRESS.value, 0x1000) == OKAY
        assert await host.read(Register.PROGRAM_ADDRESS.value) == (OKAY, 0x1000)
        assert host.starts == 0

    run(test)


@pytest.mark.parametrize("seed", [None, 2])
def test_counters_by_row_and_column(seed):
    async def test(host, ctx, dut):
        half = COUNTER_ROW_BYTES // 8
        assert COUNTER_OFFSET + ROWS * COUNTER_ROW_BYTES <= 1 << REGISTER_ADDRESS_BITS
        for row in (0, 1, 17, ROWS - 1):
            for column in (0, 1, len(COUNTERS) - 1, half, half + len(COUNTERS) - 1):
                address = COUNTER_OFFSET + COUNTER_ROW_BYTES * row + 4 * column
                assert await host.read(address) == (OKAY, 1000 * row + column)

    run(test, seed)


def test_start_once_per_write():
    async def test(host, ctx, dut):
        for value, strobe, starts in ((1, 0xF, 1), (0, 0xF, 1), (1, 0xE, 1), (0xFF, 1, 2)):
            assert await host.write(Register.START.value, value, strobe) == OKAY
            assert host.starts == starts
        assert await host.read(Register.ERRORS.value) == (OKAY, 0)

    run(test)


def test_start_while_running_is_refused_and_noted():
    async def test(host, ctx, dut):
        ctx.set(dut.status, Status.RUNNING)
        assert await host.write(Register.START.value, 1) == OKAY
        assert host.starts == 0
        assert await host.read(Register.ERRORS.value) == (OKAY, 1)
        assert await host.read(Register.STATUS.value) == (OKAY, Status.RUNNING.value)
        ctx.set(dut.status, Status.DONE)
        assert await host.write(Register.ERRORS.value, 0) == OKAY
        assert await host.read(Register.ERRORS.value) == (OKAY, 1)
        assert await host.write(Register.ERRORS.value, 1) == OKAY
        assert await host.read(Register.ERRORS.value) == (OKAY, 0)
        await host.write(Register.START.value, 1)
        assert host.starts == 1

    run(test)


def test_status_and_finished_are_those_of_the_moment():
    async def test(host, ctx, dut):
        for status in Status:
            ctx.set(dut.status, status)
            ctx.set(dut.finished, 2**RECORDS_BITS - 1 - status.value)
            assert await host.read(Register.STATUS.value) == (OKAY, status.value)
            assert await host.read(Register.FINISHED.value) == (
                OKAY,
                2**RECORDS_BITS - 1 - status.value,
            )

    run(test)


def test_interrupt():
    async def test(host, ctx, dut):
        async def end():
            ctx.set(dut.ended, 1)
            await ctx.tick()
            ctx.set(dut.ended, 0)

        await end()
        assert ctx.get(dut.interrupt) == 0, "It is not enabled"
        assert await host.read(Register.INTERRUPT.value) == (OKAY, 1)
        await host.write(Register.INTERRUPT_ENABLE.value, 1)
        assert ctx.get(dut.interrupt) == 1
        await host.write(Register.INTERRUPT.value, 0)
        assert ctx.get(dut.interrupt) == 1, "Only a 1 clears it"
        await host.write(Register.INTERRUPT.value, 1)
        assert ctx.get(dut.interrupt) == 0
        await end()
        assert ctx.get(dut.interrupt) == 1
        assert await host.read(Register.INTERRUPT_ENABLE.value) == (OKAY, 1)

    run(test)


def test_end_in_the_cycle_of_a_clear_is_not_lost():
    async def test(host, ctx, dut):
        bus = dut.bus
        await host.write(Register.INTERRUPT_ENABLE.value, 1)
        ctx.set(bus.awaddr, Register.INTERRUPT.value)
        ctx.set(bus.wdata, 1)
        ctx.set(bus.awvalid, 1)
        ctx.set(bus.wvalid, 1)
        ctx.set(dut.ended, 1)
        await ctx.tick()
        ctx.set(dut.ended, 0)
        ctx.set(bus.awvalid, 0)
        ctx.set(bus.wvalid, 0)
        assert ctx.get(dut.interrupt) == 1

    run(test)


def test_conversion():
    check_conversion(lambda: Registers(counter_rows=ROWS))
