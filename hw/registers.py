"""Registers of the accelerator, on an AXI4-Lite port."""

from amaranth import *
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .config import COUNTER_COLUMNS, COUNTERS, MEMORY_ADDRESS_BITS, RECORDS_BITS

__all__ = ["COUNTER_OFFSET", "COUNTER_ROW_BYTES", "REGISTERS", "REGISTER_ADDRESS_BITS",
           "AxiLiteSignature", "Register", "Registers", "Status"]

#: Width of a byte address.
REGISTER_ADDRESS_BITS = 14

#: Byte address of the first counter, and bytes of a row of :data:`COUNTER_COLUMNS`. They read 0 in
#: an accelerator without counters.
COUNTER_OFFSET, COUNTER_ROW_BYTES = 0x2000, 4 * COUNTER_COLUMNS

_RESPONSE_OKAY, _RESPONSE_SLVERR = 0b00, 0b10


class Status(enum.Enum, shape=4):
    """State of the last program, or outcome of the last request to start one."""

    #: No program has ended since reset.
    NONE       = 0
    #: The program has ended, the result is in memory.
    DONE       = 1
    #: The program is under way.
    RUNNING    = 2
    #: Memory returned an error or violated AXI4; the program was aborted.
    BUS        = 3
    #: A descriptor is invalid; the program was aborted.
    DESCRIPTOR = 4
    #: Nothing moved for a long time: descriptors and streams do not fit together; the program was
    #: aborted.
    STUCK      = 5


class Register(enum.Enum):
    """Byte addresses of the registers, 32 bits each."""

    #: Write 1: start the program. Ignored, and noted in ``ERRORS``, while one is under way.
    START            = 0x00
    #: Read: a :class:`Status`.
    STATUS           = 0x04
    #: Byte address of the program in memory, a multiple of the bytes of a beat.
    PROGRAM_ADDRESS  = 0x08
    #: Records of the program, its header included.
    PROGRAM_RECORDS  = 0x0C
    #: Read: descriptors that the program has completed.
    FINISHED         = 0x10
    #: Bit 0: raise the interrupt when a program ends.
    INTERRUPT_ENABLE = 0x14
    #: Bit 0: a program has ended. Write 1 to clear it.
    INTERRUPT        = 0x18
    #: Bit 0: a start came while a program was under way. Write 1 to clear it.
    ERRORS           = 0x1C


#: Registers by name, with their byte addresses; counters begin at :data:`COUNTER_OFFSET`.
REGISTERS = {register.name: register.value for register in Register}


class AxiLiteSignature(wiring.Signature):
    """AXI4-Lite port of 32 bits as its master sees it.

    Parameters
    ----------
    address_bits : int
        Width of an address in bits.

    Ref: ARM IHI 0022E, AMBA AXI and ACE Protocol Specification, B1.
    """

    def __init__(self, *, address_bits):
        check_integer("Address bits", address_bits)
        super().__init__({
            "awvalid": Out(1), "awready": In(1), "awaddr": Out(address_bits), "awprot": Out(3),
            "wvalid":  Out(1), "wready":  In(1), "wdata":  Out(32), "wstrb":  Out(4),
            "bvalid":  In(1),  "bready":  Out(1), "bresp": In(2),
            "arvalid": Out(1), "arready": In(1), "araddr": Out(address_bits), "arprot": Out(3),
            "rvalid":  In(1),  "rready":  Out(1), "rdata": In(32), "rresp":  In(2),
        })


class Registers(wiring.Component):
    """Registers that the host writes and reads.

    One read and one write are under way at a time. An address without a register answers with an
    error.

    Parameters
    ----------
    counter_rows : int
        Rows of counters.

    Members
    -------
    bus
        AXI4-Lite port.
    interrupt
        A program has ended, and the interrupt is enabled.
    start
        Start the program, for one cycle, the one after the write.
    program_address, program_records
        See :class:`Register`.
    status, finished, ended
        Status of the program; completed descriptors; whether it ends in this cycle.
    counter_row, counter_column, counter_value
        Read a counter, see :class:`mnv2.hw.counters.Counters`.
    """

    def __init__(self, *, counter_rows):
        check_integer("Counter rows", counter_rows)
        self.counter_rows = counter_rows
        super().__init__({
            "bus":             In(AxiLiteSignature(address_bits=REGISTER_ADDRESS_BITS)),
            "interrupt":       Out(1),
            "start":           Out(1),
            "program_address": Out(MEMORY_ADDRESS_BITS),
            "program_records": Out(RECORDS_BITS),
            "status":          In(Status),
            "finished":        In(RECORDS_BITS),
            "ended":           In(1),
            "counter_row":     Out(range(counter_rows)),
            "counter_column":  Out(range(COUNTER_COLUMNS)),
            "counter_value":   In(32),
        })

    def elaborate(self, platform):
        m = Module()
        bus     = self.bus
        enable  = Signal()
        pending = Signal()
        refused = Signal()
        m.d.comb += self.interrupt.eq(pending & enable)

        # Write: address and data are taken together.
        write   = Signal()
        address = Signal(REGISTER_ADDRESS_BITS)
        m.d.comb += [
            write.eq(bus.awvalid & bus.wvalid & (~bus.bvalid | bus.bready)),
            bus.awready.eq(write),
            bus.wready.eq(write),
            address.eq(bus.awaddr & ~3),
        ]
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        data = Signal(32)
        def masked(old):
            return Cat(Mux(bus.wstrb[k], bus.wdata.word_select(k, 8),
                           Value.cast(old).as_unsigned()[8 * k:8 * k + 8])
                       for k in range(4))
        m.d.sync += self.start.eq(0)
        with m.If(write):
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(_RESPONSE_OKAY)]
            with m.Switch(address):
                with m.Case(Register.START.value):
                    with m.If(bus.wstrb[0] & bus.wdata[0]):
                        with m.If((self.status == Status.RUNNING) | self.start):
                            m.d.sync += refused.eq(1)
                        with m.Else():
                            m.d.sync += self.start.eq(1)
                with m.Case(Register.PROGRAM_ADDRESS.value):
                    m.d.sync += self.program_address.eq(masked(self.program_address))
                with m.Case(Register.PROGRAM_RECORDS.value):
                    m.d.comb += data.eq(masked(Cat(self.program_records,
                                                   Const(0, 32 - RECORDS_BITS))))
                    m.d.sync += self.program_records.eq(data)
                with m.Case(Register.INTERRUPT_ENABLE.value):
                    with m.If(bus.wstrb[0]):
                        m.d.sync += enable.eq(bus.wdata[0])
                with m.Case(Register.INTERRUPT.value):
                    with m.If(bus.wstrb[0] & bus.wdata[0]):
                        m.d.sync += pending.eq(0)
                with m.Case(Register.ERRORS.value):
                    with m.If(bus.wstrb[0] & bus.wdata[0]):
                        m.d.sync += refused.eq(0)
                with m.Default():
                    m.d.sync += bus.bresp.eq(_RESPONSE_SLVERR)
        with m.If(self.ended):
            m.d.sync += pending.eq(1)

        # Read: counters take three cycles more, for their memory.
        asked = Signal(REGISTER_ADDRESS_BITS)
        wait  = Signal(range(4))
        busy  = Signal()
        m.d.comb += [
            bus.arready.eq(~busy & ~bus.rvalid),
            self.counter_row.eq(asked[8:]),
            self.counter_column.eq(asked[2:8]),
        ]
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [asked.eq(bus.araddr), busy.eq(1), wait.eq(3)]
        with m.If(busy & (wait != 0)):
            m.d.sync += wait.eq(wait - 1)
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        with m.If(busy & (wait == 0)):
            m.d.sync += [busy.eq(0), bus.rvalid.eq(1), bus.rresp.eq(_RESPONSE_OKAY)]
            with m.If(asked >= COUNTER_OFFSET):
                m.d.sync += bus.rdata.eq(self.counter_value)
                with m.If(asked[2:7] >= len(COUNTERS)):     # in either half
                    m.d.sync += [bus.rresp.eq(_RESPONSE_SLVERR), bus.rdata.eq(0)]
            with m.Else():
                with m.Switch(asked & ~3):
                    for register, value in (
                            (Register.STATUS, self.status),
                            (Register.PROGRAM_ADDRESS, self.program_address),
                            (Register.PROGRAM_RECORDS, self.program_records),
                            (Register.FINISHED, self.finished),
                            (Register.INTERRUPT_ENABLE, enable),
                            (Register.INTERRUPT, pending),
                            (Register.ERRORS, refused)):
                        with m.Case(register.value):
                            m.d.sync += bus.rdata.eq(value)
                    with m.Default():
                        m.d.sync += [bus.rresp.eq(_RESPONSE_SLVERR), bus.rdata.eq(0)]
        return m
