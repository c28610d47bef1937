"""Registers of the accelerator, on an AXI4-Lite port."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .axi import RESPONSE_OKAY, RESPONSE_SLVERR
from .config import COUNTER_COLUMNS, COUNTERS, MEMORY_ADDRESS_WIDTHS, RECORDS_BITS
from .register_map import (
    ADDRESSES,
    BASE_ALIGNMENT,
    COUNTER_OFFSET,
    FRAME_BITS,
    REGISTER_ADDRESS_BITS,
    REGISTERS,
    SLOTS_BITS,
    Status,
)

__all__ = ["AxiLiteSignature", "Registers"]

#: Registers that are written and read, by the port that their value leaves by; and those of an
#: address, in two halves.
_SETTINGS = {"program_records": "PROGRAM_RECORDS", "frames": "FRAMES",
             "picture_stride": "PICTURE_STRIDE", "picture_count": "PICTURE_COUNT",
             "logits_stride": "LOGITS_STRIDE", "logits_count": "LOGITS_COUNT"}
_PLACES = ("base", "picture", "logits")


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
    """Registers that the host writes and reads, see :data:`mnv2.hw.register_map.REGISTERS`.

    One read and one write are under way at a time. An address without a register, a write to a
    register that is read only, and a read of one that is written only answer with SLVERR, and do
    nothing.

    Parameters
    ----------
    counter_rows : int
        Rows of counters.
    address_bits : int
        Width of an address in external memory.
    constants : dict of str to int
        Values of the registers that never change, by name, see
        :func:`mnv2.hw.identity.constant_registers`.

    Members
    -------
    bus
        AXI4-Lite port.
    interrupt
        Something that is enabled has happened.
    start, stop, abort
        What the host asks for, for one cycle, the one after the write.
    base, picture, logits
        Addresses in external memory, see the registers.
    program_records, frames, picture_stride, picture_count, logits_stride, logits_count
        See the registers.
    misaligned
        An address or a stride is not a multiple of 4096; a cycle late.
    status, finished, frames_done
        Status of the program; descriptors and turns that it has completed.
    ended, frame_ended
        The program, or a turn of it, ends in this cycle.
    counter_row, counter_column, counter_value
        Read a counter, see :class:`mnv2.hw.counters.Counters`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range, or the constants are not those of the table.
    """

    def __init__(self, *, counter_rows, address_bits, constants):
        check_integer("Counter rows", counter_rows)
        check_integer("Address bits", address_bits, MEMORY_ADDRESS_WIDTHS[0],
                      MEMORY_ADDRESS_WIDTHS[-1])
        expected = {name for name, register in REGISTERS.items() if register.constant}
        if set(constants) != expected:
            raise ValueError(f"Constants must be {', '.join(sorted(expected))}, "
                             f"not {', '.join(sorted(constants))}")
        for name, value in constants.items():
            if value & ~REGISTERS[name].mask:
                raise ValueError(f"{name} must fit its fields, not {value:#x}")
        self.counter_rows = counter_rows
        self.address_bits = address_bits
        self.constants    = constants
        super().__init__({
            "bus":             In(AxiLiteSignature(address_bits=REGISTER_ADDRESS_BITS)),
            "interrupt":       Out(1),
            "start":           Out(1),
            "stop":            Out(1),
            "abort":           Out(1),
            **{name: Out(address_bits) for name in _PLACES},
            "program_records": Out(RECORDS_BITS),
            "frames":          Out(FRAME_BITS),
            "picture_stride":  Out(32),
            "picture_count":   Out(SLOTS_BITS),
            "logits_stride":   Out(32),
            "logits_count":    Out(SLOTS_BITS),
            "misaligned":      Out(1),
            "status":          In(Status),
            "finished":        In(32),
            "frames_done":     In(FRAME_BITS),
            "ended":           In(1),
            "frame_ended":     In(1),
            "counter_row":     Out(range(counter_rows)),
            "counter_column":  Out(range(COUNTER_COLUMNS)),
            "counter_read":    Out(1),
            "counter_ready":   In(1),
            "counter_value":   In(32),
        })

    def elaborate(self, platform):
        m = Module()
        # Values by name of all that can be read, and those that can be written.
        stored = {name: Signal(len(getattr(self, port)), init=REGISTERS[name].reset,
                               name=name.lower())
                  for port, name in _SETTINGS.items()}
        stored["INTERRUPT_ENABLE"] = Signal(2, name="interrupt_enable")
        for port in _PLACES:
            low, high = f"{port}_low".upper(), f"{port}_high".upper()
            stored[low] = Signal(32, name=low.lower())
            stored[high] = (Signal(self.address_bits - 32, name=high.lower())
                            if self.address_bits > 32 else Const(0, 0))     # Verilog has no such
            m.d.comb += getattr(self, port).eq(Cat(stored[low], stored[high]))
        for port, name in _SETTINGS.items():
            m.d.comb += getattr(self, port).eq(stored[name])
        happened = {name: Signal(2, name=name.lower()) for name in ("INTERRUPT", "ERRORS")}
        readable = {
            **{name: Const(value, 32) for name, value in self.constants.items()},
            "STATUS": Value.cast(self.status), "FINISHED": self.finished,
            "FRAMES_DONE": self.frames_done,
            **stored, **happened,
        }
        unaligned = [stored[name][:BASE_ALIGNMENT.bit_length() - 1]
                     for name in ("BASE_LOW", "PICTURE_LOW", "LOGITS_LOW",
                                  "PICTURE_STRIDE", "LOGITS_STRIDE")]
        m.d.sync += self.misaligned.eq(Cat(unaligned).any())
        m.d.comb += self.interrupt.eq((happened["INTERRUPT"] & stored["INTERRUPT_ENABLE"]).any())

        # What happens in the cycle of a clear is not lost.
        refused = Signal()
        clear   = {name: Signal(2, name=f"clear_{name.lower()}") for name in happened}
        events  = {
            "INTERRUPT": Cat(self.ended, self.frame_ended),
            "ERRORS":    Cat(refused, self.frame_ended & happened["INTERRUPT"][1]
                                      & ~clear["INTERRUPT"][1]),
        }
        for name, bits in happened.items():
            m.d.sync += bits.eq(bits & ~clear[name] | events[name])
        self._write(m, stored, clear, refused)
        self._read(m, readable)
        return m

    def _write(self, m, stored, clear, refused):
        """Writes of the host: address and data are taken together."""
        bus     = self.bus
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
        m.d.sync += [self.start.eq(0), self.stop.eq(0), self.abort.eq(0)]
        asked   = bus.wstrb[0] & bus.wdata[0]
        running = (Value.cast(self.status) == Status.RUNNING.value) | self.start
        with m.If(write):
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(RESPONSE_OKAY)]
            with m.Switch(address):
                with m.Case(ADDRESSES["START"]):
                    m.d.comb += refused.eq(asked & running)
                    m.d.sync += self.start.eq(asked & ~running)
                with m.Case(ADDRESSES["STOP"]):
                    m.d.sync += self.stop.eq(asked)
                with m.Case(ADDRESSES["ABORT"]):
                    m.d.sync += self.abort.eq(asked)
                for name, bits in clear.items():
                    with m.Case(ADDRESSES[name]):
                        m.d.comb += bits.eq(Mux(bus.wstrb[0], bus.wdata, 0))
                for name, value in stored.items():
                    with m.Case(ADDRESSES[name]):
                        for low in range(0, len(value), 8):
                            with m.If(bus.wstrb[low // 8]):
                                m.d.sync += value[low:low + 8].eq(bus.wdata[low:low + 8])
                with m.Default():
                    m.d.sync += bus.bresp.eq(RESPONSE_SLVERR)

    def _read(self, m, readable):
        """Reads of the host: a counter takes until it is ready."""
        bus     = self.bus
        asked   = Signal(REGISTER_ADDRESS_BITS)
        busy    = Signal()
        counter = Signal()
        m.d.comb += [
            bus.arready.eq(~busy & ~bus.rvalid),
            counter.eq(asked >= COUNTER_OFFSET),
            self.counter_row.eq(asked[8:]),
            self.counter_column.eq(asked[2:8]),
            self.counter_read.eq(busy & counter),
        ]
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [asked.eq(bus.araddr), busy.eq(1)]
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        with m.If(busy & (~counter | self.counter_ready)):
            m.d.sync += [busy.eq(0), bus.rvalid.eq(1), bus.rresp.eq(RESPONSE_OKAY)]
            with m.If(counter):
                m.d.sync += bus.rdata.eq(self.counter_value)
                with m.If(asked[2:7] >= len(COUNTERS)):     # in either half
                    m.d.sync += [bus.rresp.eq(RESPONSE_SLVERR), bus.rdata.eq(0)]
            with m.Else():
                with m.Switch(asked & ~3):
                    for name, value in readable.items():
                        with m.Case(ADDRESSES[name]):
                            m.d.sync += bus.rdata.eq(value)
                    with m.Default():
                        m.d.sync += [bus.rresp.eq(RESPONSE_SLVERR), bus.rdata.eq(0)]
