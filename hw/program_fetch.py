"""Reads a program turn by turn: its header, which says where the streams are, its descriptors."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_data_bits, check_integer
from .axi import check_address_bits
from .config import RECORD_BYTES, RECORDS_BITS, SEGMENTS
from .program import Descriptor, Header, Turns
from .read_master import read_command
from .register_map import BASE_ALIGNMENT
from .stream_walk import StreamWalk

__all__ = ["ProgramFetch"]


class ProgramFetch(wiring.Component):
    """Asks for a program and for its streams, and passes the descriptors of each turn on.

    Another turn, or the end of the streams, is asked for when the first descriptor of a turn has
    been passed on; the records follow from the cycle after, the streams as
    :class:`mnv2.hw.stream_walk.StreamWalk` says. A descriptor that a turn leaves out is dropped in
    the cycle in which its record comes.

    Parameters
    ----------
    data_bits, address_bits : int
        Widths of a beat and of an address of the memory port.
    configuration : int
        Hash that a program must carry, 32 bits.

    Members
    -------
    start, base, program_records
        Begins a program, after the last descriptor of the one before; its header counts as a
        record. The program, and all that it refers to, is at ``base``, which is constant while it
        runs.
    ending
        The turn whose first descriptor comes next is the last.
    i
        Records of the program.
    o_program, o_weights, o_taps, o_parameters
        What to read from external memory. The streams are asked for from the cycle after the header
        on.
    o
        Descriptors, in the cycle in which their records come.
    turn
        The first descriptor of a turn is passed on in this cycle.
    last
        All descriptors of the last turn have been passed on.
    wrong
        The header carries another hash; nothing more happens until reset.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range.
    """

    def __init__(self, *, data_bits, address_bits, configuration):
        check_data_bits(data_bits)
        check_address_bits(address_bits)
        check_integer("Configuration", configuration, 1, 2**32 - 1)
        self.data_bits     = data_bits
        self.address_bits  = address_bits
        self.configuration = configuration
        read = stream.Signature(read_command(address_bits))
        super().__init__({
            "start":           In(1),
            "base":            In(address_bits),
            "program_records": In(RECORDS_BITS),
            "ending":          In(1),
            "i":               In(stream.Signature(8 * RECORD_BYTES)),
            "o_program":       Out(read),
            "o_weights":       Out(read),
            "o_taps":          Out(read),
            "o_parameters":    Out(read),
            "o":               Out(stream.Signature(Descriptor)),
            "turn":            Out(1),
            "last":            Out(1),
            "wrong":           Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        heading    = Signal()                   # the header has not come
        left       = Signal(RECORDS_BITS)       # records of the turn that have not come
        first_turn = Signal()
        last_turn  = Signal()
        opening    = Signal()                   # no descriptor of the turn has come
        left_out   = Signal()                   # the descriptor that comes
        taken      = Signal()
        final      = Signal()                   # the turn is the last, with its first descriptor
        beats  = 8 * RECORD_BYTES // self.data_bits
        header = Header(self.i.payload[:Header.as_shape().size])
        m.d.comb += [
            Value.cast(self.o.payload).eq(self.i.payload),
            left_out.eq(~opening & (((self.o.payload.turns == Turns.LATER) & first_turn)
                                    | ((self.o.payload.turns == Turns.LAST) & ~last_turn))),
            self.o.valid.eq(self.i.valid & ~heading & ~left_out & ~self.wrong),
            self.i.ready.eq((self.o.ready | heading | left_out) & ~self.wrong),
            taken.eq(self.i.valid & self.i.ready),
            self.turn.eq(taken & ~heading & opening),
            final.eq(Mux(opening, self.ending, last_turn)),
            self.last.eq((left == 0) & last_turn),
        ]

        # The first turn's records come with the header, those of others without.
        again = Signal()
        m.d.comb += [
            # Nothing is carried: a base is a multiple of a page.
            self.o_program.payload.address.eq(self.base | Mux(again, RECORD_BYTES, 0)),
            self.o_program.payload.beats.eq((self.program_records - again) * beats),
        ]
        with m.If(self.o_program.ready):
            m.d.sync += self.o_program.valid.eq(0)
        with m.If(self.turn):
            m.d.sync += [again.eq(1), self.o_program.valid.eq(~self.ending)]

        for name, segments in (("weights", SEGMENTS), ("taps", 1), ("parameters", SEGMENTS)):
            walk = StreamWalk(data_bits=self.data_bits, address_bits=self.address_bits,
                              segments=segments)
            m.submodules[f"{name}_walk"] = walk
            command = getattr(self, f"o_{name}")
            m.d.comb += [
                # The header is always taken. That of another configuration begins too, and asks
                # for nothing: the comparison, a long path, does not reach what a walk keeps.
                walk.begin.eq(self.i.valid & heading),
                command.valid.eq(walk.o.valid & ~self.wrong),
                command.payload.eq(walk.o.payload),
                walk.o.ready.eq(command.ready & ~self.wrong),
                walk.base.eq(self.base),
                walk.offset.eq(getattr(header, f"{name}_offset")),
                Value.cast(walk.beats).eq(Value.cast(getattr(header, f"{name}_beats"))),
                walk.turn.eq(self.turn),
                walk.last.eq(self.ending),
            ]

        with m.If(taken):
            m.d.sync += left.eq(left - 1)
            with m.If(heading):
                m.d.sync += [
                    heading.eq(0),
                    opening.eq(1),
                    self.wrong.eq(header.configuration != self.configuration),
                ]
            with m.Else():
                m.d.sync += [opening.eq(0), last_turn.eq(final)]
                with m.If((left == 1) & ~final):
                    m.d.sync += [left.eq(self.program_records - 1), opening.eq(1),
                                 first_turn.eq(0)]
        with m.If(self.start):
            m.d.sync += [
                self.o_program.valid.eq(1),
                again.eq(0),
                heading.eq(1),
                first_turn.eq(1),
                last_turn.eq(0),
                left.eq(self.program_records),
            ]
        return m


assert RECORD_BYTES < BASE_ALIGNMENT
