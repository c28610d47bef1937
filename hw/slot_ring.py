"""Walks a ring of slots in external memory: of pictures, of logits."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi import check_address_bits
from .register_map import SLOTS_BITS

__all__ = ["SlotRing"]


class SlotRing(wiring.Component):
    """Address of the current slot of a ring.

    Parameters
    ----------
    address_bits : int
        Width of an address in external memory.

    Members
    -------
    base, stride, slots
        Address of the first slot, bytes from a slot to the next, number of slots, 0 being taken as
        1; constant while a program runs.
    begin, advance
        Go to the first slot, or to the next one.
    address
        Of the slot; valid from the cycle after.
    """

    def __init__(self, *, address_bits):
        check_address_bits(address_bits)
        self.address_bits = address_bits
        super().__init__({
            "base":    In(address_bits),
            "stride":  In(32),
            "slots":   In(SLOTS_BITS),
            "begin":   In(1),
            "advance": In(1),
            "address": Out(address_bits),
        })

    def elaborate(self, platform):
        m = Module()
        left = Signal(SLOTS_BITS)       # slots that follow this one before the first comes again
        wrap = Signal()
        m.d.comb += wrap.eq(self.begin | (left == 0))
        with m.If(self.begin | self.advance):
            m.d.sync += [
                self.address.eq(Mux(wrap, self.base, self.address + self.stride)),
                left.eq(Mux(wrap, Mux(self.slots == 0, 0, self.slots - 1), left - 1)),
            ]
        return m
