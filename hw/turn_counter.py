"""Counts the turns of a program, and gives the places of their pictures and logits."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi import check_address_bits
from .program import Descriptor
from .register_map import FRAME_BITS, SLOTS_BITS
from .slot_ring import SlotRing

__all__ = ["TurnCounter"]


class TurnCounter(wiring.Component):
    """Turns of a program: which is the last, how many are done, where their data lie.

    Parameters
    ----------
    address_bits : int
        Width of an address in external memory.

    Members
    -------
    begin
        A program begins.
    stop
        The next turn that begins is the last.
    frames
        Turns to run, 0 for no end; constant while a program runs.
    picture, picture_stride, picture_count, logits, logits_stride, logits_count
        The rings, see :class:`mnv2.hw.slot_ring.SlotRing`.
    turn
        A turn begins.
    ending
        The turn that begins next is the last; valid from two cycles after ``turn``.
    block, finish
        The current descriptor; its last cycle.
    picture_address, logits_address
        Slots of the turn whose picture is read next, and of that whose logits are written next;
        they move two cycles after ``finish``, when the next descriptor is checked at the earliest.
    frames_done
        Turns whose logits are in memory, since ``begin``, modulo 2**32.
    frame_ended
        Those of a turn are in memory with this cycle.
    """

    def __init__(self, *, address_bits):
        check_address_bits(address_bits)
        self.address_bits = address_bits
        super().__init__({
            "begin":           In(1),
            "stop":            In(1),
            "frames":          In(FRAME_BITS),
            "picture":         In(address_bits),
            "picture_stride":  In(32),
            "picture_count":   In(SLOTS_BITS),
            "logits":          In(address_bits),
            "logits_stride":   In(32),
            "logits_count":    In(SLOTS_BITS),
            "turn":            In(1),
            "ending":          Out(1),
            "block":           In(Descriptor),
            "finish":          In(1),
            "picture_address": Out(address_bits),
            "logits_address":  Out(address_bits),
            "frames_done":     Out(FRAME_BITS),
            "frame_ended":     Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        left    = Signal(FRAME_BITS)        # turns that have not begun; 0 for no end
        stopped = Signal()
        m.d.comb += self.frame_ended.eq(self.finish & self.block.ends_turn)
        m.d.sync += self.ending.eq(stopped | (left == 1))
        with m.If(self.stop):
            m.d.sync += stopped.eq(1)
        with m.If(self.turn & (left != 0)):
            m.d.sync += left.eq(left - 1)
        with m.If(self.frame_ended):
            m.d.sync += self.frames_done.eq(self.frames_done + 1)
        with m.If(self.begin):
            m.d.sync += [left.eq(self.frames), stopped.eq(0), self.frames_done.eq(0)]

        for name, advance in (("picture", self.finish & self.block.stem),
                              ("logits", self.frame_ended)):
            ring = SlotRing(address_bits=self.address_bits)
            m.submodules[f"{name}_ring"] = ring
            m.d.sync += ring.advance.eq(advance)
            m.d.comb += [
                ring.base.eq(getattr(self, name)),
                ring.stride.eq(getattr(self, f"{name}_stride")),
                ring.slots.eq(getattr(self, f"{name}_count")),
                ring.begin.eq(self.begin),
                getattr(self, f"{name}_address").eq(ring.address),
            ]
        return m
