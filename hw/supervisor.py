"""Starts a program, and ends one that goes wrong."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer
from .register_map import Status

__all__ = ["Supervisor"]


class Supervisor(wiring.Component):
    """Watches a program from its start to its end, so that none leaves the accelerator hanging.

    A program that goes wrong, or that the host aborts, is given up: everything that works for it is
    reset, the bus becomes idle when the last transfer under way has ended, and the status says why.

    Parameters
    ----------
    patience_cycles : int
        Cycles without any movement after which a program counts as stuck.

    Members
    -------
    start
        Start a program, if none is under way.
    begin
        A program begins in this cycle.
    complete
        The program has come to its end.
    abort
        End the program, if one is under way.
    misaligned
        A start ends at once: an address is wrong.
    bus_error, descriptor_error, wrong
        The program cannot continue, or is for another accelerator.
    moving
        Something is computed or transferred in this cycle.
    bus_busy
        Transfers are under way.
    give_up
        Reset what works for the program, and end all transfers.
    status
        Status of the program.
    ended
        It ends in this cycle.
    """

    def __init__(self, *, patience_cycles):
        check_integer("Patience", patience_cycles)
        self.patience_cycles = patience_cycles
        super().__init__({
            "start":            In(1),
            "begin":            Out(1),
            "complete":         In(1),
            "abort":            In(1),
            "misaligned":       In(1),
            "bus_error":        In(1),
            "descriptor_error": In(1),
            "wrong":            In(1),
            "moving":           In(1),
            "bus_busy":         In(1),
            "give_up":          Out(1),
            "status":           Out(Status),
            "ended":            Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        patience = Signal(range(self.patience_cycles + 1))
        reason   = Signal(Status)
        # Of its own, as it resets most of the accelerator: high in the state GIVE UP.
        m.d.sync += self.give_up.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.start & self.misaligned):
                    m.d.comb += self.ended.eq(1)
                    m.d.sync += self.status.eq(Status.ALIGNMENT)
                with m.Elif(self.start):
                    m.d.comb += self.begin.eq(1)
                    m.d.sync += [self.status.eq(Status.RUNNING), patience.eq(0)]
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.sync += patience.eq(Mux(self.moving, 0, patience + 1))
                with m.If(self.bus_error):
                    m.d.sync += [reason.eq(Status.BUS), self.give_up.eq(1)]
                    m.next = "GIVE UP"
                with m.Elif(self.descriptor_error):
                    m.d.sync += [reason.eq(Status.DESCRIPTOR), self.give_up.eq(1)]
                    m.next = "GIVE UP"
                with m.Elif(self.wrong):
                    m.d.sync += [reason.eq(Status.CONFIGURATION), self.give_up.eq(1)]
                    m.next = "GIVE UP"
                with m.Elif(patience == self.patience_cycles):
                    m.d.sync += [reason.eq(Status.STUCK), self.give_up.eq(1)]
                    m.next = "GIVE UP"
                with m.Elif(self.complete & self.bus_busy):
                    m.d.sync += [reason.eq(Status.DONE), self.give_up.eq(1)]
                    m.next = "GIVE UP"
                with m.Elif(self.complete):
                    m.d.comb += self.ended.eq(1)
                    m.d.sync += self.status.eq(Status.DONE)
                    m.next = "IDLE"
                with m.Elif(self.abort):
                    m.d.sync += [reason.eq(Status.ABORTED), self.give_up.eq(1)]
                    m.next = "GIVE UP"
            with m.State("GIVE UP"):
                m.d.sync += self.give_up.eq(self.bus_busy)
                with m.If(~self.bus_busy):
                    m.d.comb += self.ended.eq(1)
                    m.d.sync += self.status.eq(reason)
                    m.next = "IDLE"
        return m
