"""A program on the accelerator: descriptor by descriptor, strip by strip, pass by pass."""

from mnv2.hw.config import RECORD_BYTES, STREAMS, AcceleratorConfig
from mnv2.sim.cycles.array.known_passes import known_passes
from mnv2.sim.cycles.array.pointwise_pass import pointwise_pass
from mnv2.sim.cycles.array.stem_pass import stem_pass
from mnv2.sim.cycles.array.window_pass import window_pass
from mnv2.sim.cycles.causes import Wait, empty_counts
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.plan import Plan, PlannedDescriptor
from mnv2.sim.cycles.planned_pass import PlannedLine, PlannedPass
from mnv2.sim.cycles.port.interface import (
    MEMORY_BURSTS,
    PARAMETERS,
    RECORDS,
    TAPS,
    WEIGHTS,
    ReadSide,
    WriteSide,
)
from mnv2.sim.cycles.port.part import PartSchedule
from mnv2.sim.cycles.port.pauses import Pauses
from mnv2.sim.cycles.port.reads import ReadPort
from mnv2.sim.cycles.port.shared import SharedReadPort
from mnv2.sim.cycles.stream_walk import StreamWalk
from mnv2.sim.mapping.turn_order import executed
from mnv2.sim.memory.timing import PartTiming

__all__ = ["Machine"]


def _no_beats() -> list[int]:
    """Make a list of counts, all 0: beats of each stream, then beats written."""
    return [0] * (len(STREAMS) + 1)


#: Bursts under way with which the memory never refuses one; with more, every cycle is stepped.
MOST_OUTSTANDING = MEMORY_BURSTS


class Machine:
    """The sequencer: it runs passes and port in the order of the program.

    Parameters
    ----------
    config : AcceleratorConfig
    plan : Plan
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth that reads and writes share; 0 for a beat a cycle in each direction.
    pauses : Pauses, optional
        When the memory pauses.
    part : PartTiming, optional
        Times of the memory's part, in place of latency and bandwidth.

    Attributes
    ----------
    counts : list of (list of int, list of int)
        For each descriptor, of its block and of its stem: cycles by cause, see
        `mnv2.hw.config.CAUSES`, then pointwise and depthwise cycles.
    beats : list of (list of int, list of int)
        For the same: beats of each stream, then beats written.
    ends : list of int
        One past the last cycle of each descriptor.
    """

    def __init__(
        self,
        config: AcceleratorConfig,
        plan: Plan,
        latency: int,
        bytes_per_cycle: int = 0,
        pauses: Pauses | None = None,
        part: PartTiming | None = None,
    ):
        self._plan = plan
        self._reads: ReadSide
        self._writes: WriteSide
        schedule = PartSchedule(part, config.data_bytes) if part else None
        # A beat in each direction is more than the port asks for. Where a part pauses, an address
        # may be accepted later than the core has told of what is written.
        limited = 0 < bytes_per_cycle < 2 * config.data_bytes
        if limited or config.outstanding > MOST_OUTSTANDING or (part and pauses):
            shared = SharedReadPort(config, latency, bytes_per_cycle, pauses, schedule)
            self._reads, self._writes = shared, shared.writes
        else:
            reads = ReadPort(config, latency, pauses, schedule)
            self._reads, self._writes = reads, reads.writes
        self._core = CoreState(config, self._reads, self._writes, known_passes(config))
        # Cycles from which beats count for another row, and the row.
        self._marks: list[tuple[int, list[int]]] = []
        self.counts: list[tuple[list[int], list[int]]] = []
        self.beats: list[tuple[list[int], list[int]]] = []
        self.ends: list[int] = []

    def run(self) -> int:
        """Run the program; returns its cycles."""
        plan, records = self._plan, len(self._plan.order)
        cycle = 0
        self._open(cycle)
        self._reads.command(0, RECORDS, (1 + records) * plan.record_beats, plan.base)
        cycle = self._record(cycle)
        walks = [
            StreamWalk(self._reads, channel, plan.streams[STREAMS[channel]])
            for channel in (WEIGHTS, TAPS, PARAMETERS)
        ]
        for walk in walks:
            walk.begin(cycle)
        for number, (descriptor, (turn, place)) in enumerate(
            zip(plan.descriptors, executed(plan.order, plan.turns), strict=True)
        ):
            if number:
                self._open(cycle)
            if not place:
                self._begin_turn(cycle, turn, walks)
            cycle = self._record(cycle)
            cycle = self._execute(cycle, descriptor)
            self.ends.append(cycle)
        self._count_beats(cycle)
        return cycle

    def _begin_turn(self, cycle: int, turn: int, walks: list[StreamWalk]) -> None:
        """Tell the port what follows when the first record of a turn is taken."""
        reads, plan = self._reads, self._plan
        last = turn == plan.turns - 1
        first_word = 1 + turn * len(plan.order)
        reads.leave_out(
            RECORDS,
            [
                first_word + place
                for place, entry in enumerate(plan.order)
                if (entry.kind == "part" and not turn) or (entry.kind == "classifier" and not last)
            ],
        )
        taken = reads.wait(RECORDS, cycle)
        if not last:
            beats = len(plan.order) * plan.record_beats
            reads.command(taken + 1, RECORDS, beats, plan.base + RECORD_BYTES)
        for walk in walks:
            walk.turn(taken, last)

    def _open(self, cycle: int) -> None:
        """Begin a descriptor's row."""
        self.counts.append((empty_counts(), empty_counts()))
        self.beats.append((_no_beats(), _no_beats()))
        self._mark(cycle, 0)

    def _mark(self, cycle: int, part: int) -> None:
        """Count beats for the descriptor's block (0) or stem (1) from a cycle on."""
        self._reads.advance(cycle)
        if self._writes.active:
            self._writes.advance(cycle)
        self._marks.append((cycle, self.beats[-1][part]))

    def _record(self, cycle: int) -> int:
        """Wait for a record and take it; the next cycle."""
        reads = self._reads
        begin, cycle = cycle, reads.wait(RECORDS, cycle)
        reads.take(cycle, RECORDS)
        self.counts[-1][0][Wait.PROGRAM] += cycle - begin + 1
        return cycle + 1

    def _execute(self, cycle: int, descriptor: PlannedDescriptor) -> int:
        """Execute a descriptor from its first cycle on; returns one past its last."""
        reads, writes, core = self._reads, self._writes, self._core
        counts, _ = self.counts[-1]
        # It is checked, then begun.
        counts[Wait.DRAIN] += 2
        cycle += 1
        reads.begin(cycle, descriptor)
        if descriptor.store:
            writes.begin(cycle, descriptor)
        if descriptor.kind == "block":
            cycle = self._strips(cycle + 1, descriptor)
        else:
            command = PlannedPass(
                target="pool" if descriptor.kind == "head" else "logits",
                rewind=True,
                free=True,
                rows=descriptor.input_rows,
                groups=descriptor.input_groups,
                input_words=descriptor.input_words,
                output_words=descriptor.output_words,
            )
            cycle = pointwise_pass(core, cycle + 1, command, descriptor, counts, early=False) + 1
        # Until all is written.
        begin = cycle
        if descriptor.store:
            writes.advance(cycle)
            while not writes.written:
                cycle += 1
                writes.advance(cycle)
            writes.end()
        counts[Wait.OUTPUT] += cycle - begin + 1
        reads.advance(cycle)
        for channel, words in (
            (TAPS, descriptor.hidden_words),
            (PARAMETERS, descriptor.parameter_words),
        ):
            if words:
                reads.free(cycle, channel, words)
        core.taps_freed += descriptor.hidden_words
        core.parameters_freed += descriptor.parameter_words
        return cycle + 1

    def _strips(self, cycle: int, descriptor: PlannedDescriptor) -> int:
        """Execute the passes of a block; the cycle in which its results are being written."""
        reads, writes, core = self._reads, self._writes, self._core
        counts, stem_counts = self.counts[-1]
        output_row = step_row = image_row = input_index = produced = 0
        row_words = descriptor.input_words * descriptor.input_groups
        output_row_words = descriptor.output_words * descriptor.output_groups
        while True:
            # Rows of the output, of the line buffer's steps and of the input: one past the last.
            output_end = min(output_row + descriptor.strip_rows, descriptor.output_rows)
            last = output_end == descriptor.output_rows
            step_end = output_end + 1
            if descriptor.stride_2:
                step_end = 2 * output_end + (not descriptor.pad_top)
            input_end = min(step_end, descriptor.input_rows)
            rows = input_end - step_row
            if descriptor.stem:
                image_end = 2 * input_end + (not descriptor.image_pad_top)
                self._mark(cycle, 1)
                command = _stem_command(descriptor, rows, last)
                line = _image_line(descriptor, image_row, image_end)
                cycle = stem_pass(core, cycle, command, line, descriptor, stem_counts) + 1
                image_row = image_end
                self._mark(cycle, 0)
            command = _window_command(descriptor, rows, input_index, last)
            line = _map_line(descriptor, step_row, step_end)
            cycle = window_pass(core, cycle, command, line, descriptor, counts) + 1
            input_index += row_words * rows
            if not descriptor.residual:
                reads.freed(cycle + 1, input_index)
            cycle = self._wait_for_room(cycle, descriptor, produced, counts)
            command = _projection_command(descriptor, output_end - output_row, produced, last)
            # The next pass follows at once, unless the results, or their order, are needed first.
            stored = descriptor.load or descriptor.store
            early = not (stored or last or (descriptor.stem and descriptor.residual))
            cycle = pointwise_pass(core, cycle, command, descriptor, counts, early=early) + 1
            produced += output_row_words * (output_end - output_row)
            writes.produced(cycle, produced)
            if descriptor.residual:
                reads.freed(cycle + 1, produced)
            if last:
                return cycle
            output_row, step_row = output_end, step_end

    def _wait_for_room(
        self, cycle: int, descriptor: PlannedDescriptor, produced: int, counts: list[int]
    ) -> int:
        """Wait until the ring of the output has room for a strip; the next cycle."""
        writes = self._writes
        room = descriptor.strip_rows * descriptor.output_groups * descriptor.output_words
        begin = cycle
        if descriptor.store:
            writes.advance(cycle)
            while produced + room - writes.stored > descriptor.output_ring:
                cycle += 1
                writes.advance(cycle)
        counts[Wait.OUTPUT] += cycle - begin + 1
        return cycle + 1

    def _count_beats(self, end: int) -> None:
        """Give each beat to the row of its cycle."""
        reads, writes = self._reads, self._writes
        reads.advance(end)
        before = _no_beats()
        for number, (_, row) in enumerate(self._marks):
            until = self._marks[number + 1][0] if number + 1 < len(self._marks) else end
            # The counters see a beat a cycle late.
            now = [*reads.beats_before(until - 1), writes.count(until)]
            for k in range(len(before)):
                row[k] += now[k] - before[k]
            before = now


def _stem_command(descriptor: PlannedDescriptor, rows: int, last: bool) -> PlannedPass:
    """Plan the stem's pass over some rows of its output."""
    return PlannedPass(
        target="map",
        rewind=True,
        rows=rows,
        groups=descriptor.input_groups,
        input_words=descriptor.stem_steps,
        output_words=descriptor.input_words,
        free=last,
    )


def _image_line(descriptor: PlannedDescriptor, first_row: int, end_row: int) -> PlannedLine:
    """Plan the rows of the image that the line buffer takes."""
    return PlannedLine(
        first_row=first_row,
        end_row=end_row,
        rows=descriptor.image_rows,
        groups=descriptor.image_groups,
        steps=descriptor.image_steps,
        words=1,
        stride_2=True,
        pad_top=descriptor.image_pad_top,
        pad_left=descriptor.image_pad_left,
    )


def _window_command(
    descriptor: PlannedDescriptor, rows: int, index: int, last: bool
) -> PlannedPass:
    """Plan the expansion of some rows, or their copy to the line buffer."""
    return PlannedPass(
        copy=descriptor.copy,
        target="queue",
        rewind=not descriptor.stem,
        rows=rows,
        groups=descriptor.input_groups,
        input_words=descriptor.input_words,
        output_words=descriptor.hidden_words,
        parameters=_stem_parameters(descriptor),
        index=index,
        free=last,
    )


def _map_line(descriptor: PlannedDescriptor, first_row: int, end_row: int) -> PlannedLine:
    """Plan the rows of the expanded map that the line buffer takes."""
    return PlannedLine(
        first_row=first_row,
        end_row=end_row,
        rows=descriptor.input_rows,
        groups=descriptor.input_groups,
        steps=descriptor.steps,
        words=descriptor.hidden_words,
        stride_2=descriptor.stride_2,
        pad_top=descriptor.pad_top,
        pad_left=descriptor.pad_left,
    )


def _projection_command(
    descriptor: PlannedDescriptor, rows: int, index: int, last: bool
) -> PlannedPass:
    """Plan the projection of some rows of the strip memory."""
    # In the ring, its parameters follow those of the stem, the expansion and the depthwise layer.
    expansion = 0 if descriptor.copy else descriptor.hidden_words
    return PlannedPass(
        from_strip=True,
        target="residual" if descriptor.residual else "map",
        rows=rows,
        groups=descriptor.output_groups,
        input_words=descriptor.hidden_words,
        output_words=descriptor.output_words,
        parameters=_stem_parameters(descriptor) + expansion + descriptor.hidden_words,
        index=index,
        free=last,
    )


def _stem_parameters(descriptor: PlannedDescriptor) -> int:
    """Words of the stem's parameters, which precede the block's."""
    return descriptor.input_words if descriptor.stem else 0
