"""Registers through their AXI4-Lite port: every address against the table, strobes, events."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.config import COUNTERS, PRESETS
from mnv2.hw.identity import configuration_hash, constant_registers, packed_fields
from mnv2.hw.register_map import (
    ADDRESSES,
    BASE_ALIGNMENT,
    COUNTER_OFFSET,
    COUNTER_ROW_BYTES,
    REGISTER_ADDRESS_BITS,
    REGISTERS,
    Field,
    Register,
    Status,
)
from mnv2.hw.registers import Registers
from tests.hw.harness import check_conversion

OKAY, SLVERR = 0, 2
ROWS = 32
CONFIG = PRESETS["tiny"]
CONSTANTS = constant_registers(CONFIG)
#: Registers that hold what is written to them.
SETTINGS = [name for name, register in REGISTERS.items() if register.access == "rw"]
#: Pulses that a write of 1 makes.
PULSES = ("start", "stop", "abort")


class Host:
    """Master of the port; every wait has an end."""

    def __init__(self, ctx, dut, rng=None):
        self.ctx, self.dut, self.rng = ctx, dut, rng
        self.pulses = dict.fromkeys(PULSES, 0)

    async def _tick(self, *signals):
        pulses = [getattr(self.dut, name) for name in PULSES]
        _, _, *values = await self.ctx.tick().sample(*pulses, *signals)
        for name, value in zip(PULSES, values, strict=False):
            self.pulses[name] += value
        return values[len(pulses) :]

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
        for _ in range(99):
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


def run(test, seed=None, address_bits=32):
    """Play a test, a coroutine function of the host, the simulator and the unit."""
    dut = Registers(counter_rows=ROWS, address_bits=address_bits, constants=CONSTANTS)
    finished = []

    async def testbench(ctx):
        await test(Host(ctx, dut, seed and random.Random(seed)), ctx, dut)
        finished.append(True)

    async def memory(ctx):
        # A value for each place, now and then, and others while it is not ready.
        rng = random.Random(seed)
        while True:
            _, _, read, *place = await ctx.tick().sample(
                dut.counter_read, dut.counter_row, dut.counter_column
            )
            ready = read and not ctx.get(dut.counter_ready) and rng.random() < 0.3
            ctx.set(dut.counter_ready, ready)
            ctx.set(dut.counter_value, 1000 * place[0] + place[1] if ready else rng.getrandbits(32))

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.add_testbench(memory, background=True)
    simulator.run()  # ends with the testbench, each of whose waits has an end
    assert finished


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("address_bits", [32, 40, 64])
def test_settings_hold_what_is_written(address_bits, seed):
    """Bits that belong to no field, and those of an address that the port has not, read 0."""

    async def test(host, ctx, dut):
        rng = random.Random(7)
        held = {name: REGISTERS[name].reset for name in SETTINGS}
        for number in range(80):
            name = rng.choice(SETTINGS)
            value, strobe = rng.getrandbits(32), rng.getrandbits(4)
            assert await host.write(ADDRESSES[name], value, strobe, number % 2) == OKAY
            mask = sum(0xFF << 8 * k for k in range(4) if strobe >> k & 1)
            there = REGISTERS[name].mask
            if name.endswith("_HIGH"):
                there &= (1 << address_bits - 32) - 1
            held[name] = (held[name] & ~mask | value & mask) & there
            assert await host.read(ADDRESSES[name]) == (OKAY, held[name])
            for port in ("base", "picture", "logits"):
                high, low = held[f"{port}_HIGH".upper()], held[f"{port}_LOW".upper()]
                assert ctx.get(getattr(dut, port)) == high << 32 | low
        for name in (
            "frames",
            "program_records",
            "picture_stride",
            "picture_count",
            "logits_stride",
            "logits_count",
        ):
            assert ctx.get(getattr(dut, name)) == held[name.upper()]
        for name, value in held.items():
            assert await host.read(ADDRESSES[name]) == (OKAY, value)
        assert not any(host.pulses.values())

    run(test, seed, address_bits)


def test_every_address_answers_as_the_table_says():
    """All others answer with an error and do nothing."""

    async def test(host, ctx, dut):
        by_address = {register.address: register for register in REGISTERS.values()}
        for address in [*range(0, 0x100, 4), 0x400, COUNTER_OFFSET - 4]:
            register = by_address.get(address)
            readable = register is not None and register.access != "wo"
            response, value = await host.read(address)
            assert response == (OKAY if readable else SLVERR), hex(address)
            expected = 0 if register is None else CONSTANTS.get(register.name, register.reset)
            assert value == (expected if readable else 0), hex(address)
            writable = register is not None and register.access != "ro"
            assert await host.write(address, 0) == (OKAY if writable else SLVERR), hex(address)
        assert await host.write(COUNTER_OFFSET, 1) == SLVERR
        assert await host.read(COUNTER_OFFSET + 4 * len(COUNTERS)) == (SLVERR, 0)
        # After an error all is well.
        assert await host.write(ADDRESSES["BASE_LOW"], 0x1000) == OKAY
        assert await host.read(ADDRESSES["BASE_LOW"]) == (OKAY, 0x1000)
        assert not any(host.pulses.values())

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


@pytest.mark.parametrize("name", ["START", "STOP", "ABORT"])
def test_a_pulse_for_each_write_of_1(name):
    async def test(host, ctx, dut):
        for value, strobe, pulses in ((1, 0xF, 1), (0, 0xF, 1), (1, 0xE, 1), (0xFF, 1, 2)):
            assert await host.write(ADDRESSES[name], value, strobe) == OKAY
            await host._tick()
            assert host.pulses == {**dict.fromkeys(PULSES, 0), name.lower(): pulses}
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 0)

    run(test)


def test_start_while_running_is_refused_and_noted():
    async def test(host, ctx, dut):
        ctx.set(dut.status, Status.RUNNING)
        assert await host.write(ADDRESSES["START"], 1) == OKAY
        await host._tick()
        assert host.pulses["start"] == 0
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 1)
        assert await host.read(ADDRESSES["STATUS"]) == (OKAY, Status.RUNNING.value)
        ctx.set(dut.status, Status.DONE)
        assert await host.write(ADDRESSES["ERRORS"], 2) == OKAY
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 1)
        assert await host.write(ADDRESSES["ERRORS"], 1) == OKAY
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 0)
        await host.write(ADDRESSES["START"], 1)
        await host._tick()
        assert host.pulses["start"] == 1

    run(test)


def test_what_changes_by_itself_is_that_of_the_moment():
    async def test(host, ctx, dut):
        for status in Status:
            ctx.set(dut.status, status)
            ctx.set(dut.finished, 2**32 - 1 - status.value)
            ctx.set(dut.frames_done, 2**31 + status.value)
            assert await host.read(ADDRESSES["STATUS"]) == (OKAY, status.value)
            assert await host.read(ADDRESSES["FINISHED"]) == (OKAY, 2**32 - 1 - status.value)
            assert await host.read(ADDRESSES["FRAMES_DONE"]) == (OKAY, 2**31 + status.value)

    run(test)


@pytest.mark.parametrize(("event", "bit"), [("ended", 1), ("frame_ended", 2)])
def test_interrupt(event, bit):
    async def test(host, ctx, dut):
        async def happen():
            ctx.set(getattr(dut, event), 1)
            await ctx.tick()
            ctx.set(getattr(dut, event), 0)

        await happen()
        assert ctx.get(dut.interrupt) == 0, "It is not enabled"
        assert await host.read(ADDRESSES["INTERRUPT"]) == (OKAY, bit)
        await host.write(ADDRESSES["INTERRUPT_ENABLE"], 3 ^ bit)
        assert ctx.get(dut.interrupt) == 0, "The other one is enabled"
        await host.write(ADDRESSES["INTERRUPT_ENABLE"], bit)
        assert ctx.get(dut.interrupt) == 1
        await host.write(ADDRESSES["INTERRUPT"], 3 ^ bit)
        assert ctx.get(dut.interrupt) == 1, "Only a 1 in its place clears it"
        await host.write(ADDRESSES["INTERRUPT"], bit, 0xE)
        assert ctx.get(dut.interrupt) == 1, "Its byte was not strobed"
        await host.write(ADDRESSES["INTERRUPT"], bit)
        assert ctx.get(dut.interrupt) == 0
        await happen()
        assert ctx.get(dut.interrupt) == 1
        assert await host.read(ADDRESSES["INTERRUPT_ENABLE"]) == (OKAY, bit)

    run(test)


@pytest.mark.parametrize(("event", "bit"), [("ended", 1), ("frame_ended", 2)])
def test_an_event_in_the_cycle_of_a_clear_is_not_lost(event, bit):
    async def test(host, ctx, dut):
        bus = dut.bus
        await host.write(ADDRESSES["INTERRUPT_ENABLE"], 3)
        ctx.set(bus.awaddr, ADDRESSES["INTERRUPT"])
        ctx.set(bus.wdata, 3)
        ctx.set(bus.awvalid, 1)
        ctx.set(bus.wvalid, 1)
        ctx.set(getattr(dut, event), 1)
        await ctx.tick()
        ctx.set(getattr(dut, event), 0)
        ctx.set(bus.awvalid, 0)
        ctx.set(bus.wvalid, 0)
        assert ctx.get(dut.interrupt) == 1

    run(test)


def test_a_frame_that_ends_before_the_one_before_is_acknowledged_is_an_overrun():
    async def test(host, ctx, dut):
        async def end():
            ctx.set(dut.frame_ended, 1)
            await ctx.tick()
            ctx.set(dut.frame_ended, 0)

        await end()
        await host.write(ADDRESSES["INTERRUPT"], 2)
        await end()
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 0)
        await end()
        assert await host.read(ADDRESSES["ERRORS"]) == (OKAY, 2)
        assert await host.read(ADDRESSES["INTERRUPT"]) == (OKAY, 2)

    run(test)


@pytest.mark.parametrize(
    "name", ["BASE_LOW", "PICTURE_LOW", "LOGITS_LOW", "PICTURE_STRIDE", "LOGITS_STRIDE"]
)
def test_what_lies_inside_a_page_is_misaligned(name):
    async def test(host, ctx, dut):
        assert ctx.get(dut.misaligned) == 0
        for value, wrong in (
            (BASE_ALIGNMENT, 0),
            (1, 1),
            (BASE_ALIGNMENT // 2, 1),
            (0xFFFFF000, 0),
        ):
            await host.write(ADDRESSES[name], value)
            await ctx.tick()
            assert ctx.get(dut.misaligned) == wrong

    run(test)


def test_an_accelerator_says_what_it_is():
    """The hash is that of all parameters; each field of the capabilities is the parameter's."""
    other = PRESETS["pair"]
    values = constant_registers(other)
    assert values["ID"].to_bytes(4, "little") == b"MNV2"
    lanes = values["CAPABILITIES_LANES"]
    assert (lanes & 0xFFF, lanes >> 12 & 0x3FF, lanes >> 22 & 0x3F, lanes >> 28) == (16, 4, 7, 2)
    assert values["CAPABILITIES_PORT"] == 256 | 32 << 16
    assert values["CAPABILITIES_WEIGHTS"] == other.weight_words
    hashes = {configuration_hash(config) for config in PRESETS.values()}
    assert len(hashes) == len(PRESETS)
    assert configuration_hash(other) == values["CONFIGURATION_HASH"]
    with pytest.raises(ValueError, match="PORT.DATA_BITS must have at most 10 bits, not 1024"):
        packed_fields("CAPABILITIES_PORT", {"DATA_BITS": 1024, "ADDRESS_BITS": 32})
    with pytest.raises(TypeError, match="Configuration must be an AcceleratorConfig"):
        configuration_hash("base")


def test_the_table_refuses_registers_that_cannot_be():
    field = (Field("A", 0, 1, "."),)
    with pytest.raises(ValueError, match="Access must be one of ro, rw, w1c, wo, not 'w'"):
        Register("A", 0, "w", ".", field)
    with pytest.raises(ValueError, match="Address of A must be a multiple of 4, not 2"):
        Register("A", 2, "ro", ".", field)
    for low, width in ((1, 32), (31, 2)):
        with pytest.raises(ValueError, match="Fields of A must lie apart and within 32 bits"):
            Register("A", 0, "ro", ".", (Field("B", low, width, "."),))
    with pytest.raises(ValueError, match="not B at bit 0"):
        Register("A", 0, "ro", ".", (*field, Field("B", 0, 1, ".")))
    assert len(set(ADDRESSES.values())) == len(ADDRESSES)


def test_refuses():
    with pytest.raises(ValueError, match="Constants must be CAPABILITIES_FORMATS, .*, not ID"):
        Registers(counter_rows=ROWS, address_bits=32, constants={"ID": 1})
    with pytest.raises(ValueError, match="CAPABILITIES_PORT must fit its fields"):
        Registers(
            counter_rows=ROWS,
            address_bits=32,
            constants={**CONSTANTS, "CAPABILITIES_PORT": 1 << 31},
        )


def test_conversion():
    check_conversion(lambda: Registers(counter_rows=ROWS, address_bits=40, constants=CONSTANTS))
