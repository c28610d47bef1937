"""A program on the accelerator: descriptor by descriptor, strip by strip, pass by pass."""

from mnv2.hw.config import STREAMS
from mnv2.sim.cycles.array.pointwise_pass import pointwise_pass
from mnv2.sim.cycles.array.stem_pass import stem_pass
from mnv2.sim.cycles.array.window_pass import window_pass
from mnv2.sim.cycles.causes import Wait, empty_counts
from mnv2.sim.cycles.core_state import CoreState
from mnv2.sim.cycles.planned_pass import PlannedLine, PlannedPass
from mnv2.sim.cycles.port.interface import PARAMETERS, RECORDS, TAPS, WEIGHTS
from mnv2.sim.cycles.port.reads import ReadPort
from mnv2.sim.cycles.port.shared import SharedReadPort
from mnv2.sim.cycles.port.writes import WritePort

__all__ = ["Machine"]


def _no_beats():
    """Make a list of counts, all 0: beats of each stream, then beats written."""
    return [0] * (len(STREAMS) + 1)


#: Bursts that the memory accepts: with no more on their way it never refuses one.
MOST_OUTSTANDING = 64


class Machine:
    """Runs a plan.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    plan : mnv2.sim.cycles.plan.Plan
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth that reads and writes share; 0 for a beat a cycle in each direction.
    pauses : mnv2.sim.cycles.port.pauses.Pauses, optional
        When the memory pauses.

    Attributes
    ----------
    counts : list of (list of int, list of int)
        For each descriptor, of its block and of its stem: cycles by cause, see
        `mnv2.hw.config.CAUSES`, then pointwise and depthwise cycles.
    beats : list of (list of int, list of int)
        For the same: beats of each stream, then beats written.
    ends : list of int
        Cycle behind the last of each descriptor.
    """

    def __init__(self, config, plan, latency, bytes_per_cycle=0, pauses=None):
        self._plan = plan
        # A beat in each direction is more than the port asks for.
        if 0 < bytes_per_cycle < 2 * config.data_bytes or config.outstanding > MOST_OUTSTANDING:
            self._reads = SharedReadPort(config, latency, bytes_per_cycle, pauses)
            self._writes = self._reads.writes
        else:
            self._reads = ReadPort(config, latency, pauses)
            self._writes = WritePort(config, latency, pauses)
        self._core = CoreState(config, self._reads, self._writes)
        self._marks = []  # cycles from which beats count for another row, and the row
        self.counts, self.beats, self.ends = [], [], []

    def run(self):
        """Cycles of the program."""
        reads, plan = self._reads, self._plan
        cycle = 0
        self._open(cycle)
        reads.command(0, RECORDS, plan.program_beats)
        cycle = self._record(cycle)
        for channel, beats in (
            (WEIGHTS, plan.weights_beats),
            (TAPS, plan.taps_beats),
            (PARAMETERS, plan.parameters_beats),
        ):
            reads.command(cycle, channel, beats)
        for number, descriptor in enumerate(plan.descriptors):
            if number:
                self._open(cycle)
            cycle = self._record(cycle)
            cycle = self._execute(cycle, descriptor)
            self.ends.append(cycle)
        self._count_beats(cycle)
        return cycle

    def _open(self, cycle):
        """A descriptor's row begins."""
        self.counts.append((empty_counts(), empty_counts()))
        self.beats.append((_no_beats(), _no_beats()))
        self._mark(cycle, 0)

    def _mark(self, cycle, part):
        """From a cycle on, beats count for the descriptor's block (0) or stem (1)."""
        self._reads.advance(cycle)
        if self._writes.active:
            self._writes.advance(cycle)
        self._marks.append((cycle, self.beats[-1][part]))

    def _record(self, cycle):
        """Wait for a record and take it; the cycle behind."""
        reads = self._reads
        begin, cycle = cycle, reads.wait(RECORDS, cycle)
        reads.take(cycle, RECORDS)
        self.counts[-1][0][Wait.PROGRAM] += cycle - begin + 1
        return cycle + 1

    def _execute(self, cycle, descriptor):
        """Execute a descriptor, whose first cycle it is; the cycle behind its last."""
        reads, writes, core = self._reads, self._writes, self._core
        counts, stem_counts = self.counts[-1]
        counts[Wait.DRAIN] += 1
        reads.begin(cycle, descriptor)
        if descriptor.store:
            writes.begin(cycle, descriptor)
        cycle += 1
        if descriptor.kind == "block":
            cycle = self._strips(cycle, descriptor, counts, stem_counts)
        else:
            cycle = (
                pointwise_pass(
                    core,
                    cycle,
                    PlannedPass(
                        target="pool" if descriptor.kind == "head" else "logits",
                        rewind=True,
                        free=True,
                        rows=descriptor.input_rows,
                        groups=descriptor.input_groups,
                        input_words=descriptor.input_words,
                        output_words=descriptor.output_words,
                    ),
                    descriptor,
                    counts,
                    early=False,
                )
                + 1
            )
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

    def _strips(self, cycle, descriptor, counts, stem_counts):
        """The passes of a block; the cycle in which its results are being written."""
        reads, writes, core = self._reads, self._writes, self._core
        output_row = step_row = image_row = input_index = produced = 0
        fill_parameters = descriptor.input_words if descriptor.stem else 0
        depthwise_parameters = fill_parameters + (0 if descriptor.copy else descriptor.hidden_words)
        room = descriptor.strip_rows * descriptor.output_groups * descriptor.output_words
        while True:
            last = output_row + descriptor.strip_rows >= descriptor.output_rows
            output_end = descriptor.output_rows if last else output_row + descriptor.strip_rows
            step_end = (
                2 * output_end + (not descriptor.pad_start)
                if descriptor.stride_2
                else output_end + 1
            )
            input_end = min(step_end, descriptor.input_rows)
            if descriptor.stem:
                image_end = 2 * input_end + (not descriptor.image_pad_start)
                self._mark(cycle, 1)
                cycle = (
                    stem_pass(
                        core,
                        cycle,
                        PlannedPass(
                            target="map",
                            rewind=True,
                            rows=input_end - step_row,
                            groups=descriptor.input_groups,
                            input_words=descriptor.stem_steps,
                            output_words=descriptor.input_words,
                            free=last,
                        ),
                        PlannedLine(
                            first_row=image_row,
                            end_row=image_end,
                            rows=descriptor.image_rows,
                            groups=descriptor.image_groups,
                            steps=descriptor.image_steps,
                            words=1,
                            stride_2=True,
                            pad_start=descriptor.image_pad_start,
                        ),
                        descriptor,
                        stem_counts,
                    )
                    + 1
                )
                image_row = image_end
                self._mark(cycle, 0)
            cycle = (
                window_pass(
                    core,
                    cycle,
                    PlannedPass(
                        copy=descriptor.copy,
                        target="queue",
                        rewind=not descriptor.stem,
                        rows=input_end - step_row,
                        groups=descriptor.input_groups,
                        input_words=descriptor.input_words,
                        output_words=descriptor.hidden_words,
                        parameters=fill_parameters,
                        index=input_index,
                        free=last,
                    ),
                    PlannedLine(
                        first_row=step_row,
                        end_row=step_end,
                        rows=descriptor.input_rows,
                        groups=descriptor.input_groups,
                        steps=descriptor.steps,
                        words=descriptor.hidden_words,
                        stride_2=descriptor.stride_2,
                        pad_start=descriptor.pad_start,
                    ),
                    descriptor,
                    counts,
                )
                + 1
            )
            input_index += descriptor.input_words * descriptor.input_groups * (input_end - step_row)
            if not descriptor.residual:
                reads.freed(cycle, input_index)
            # Room for the strip's output.
            counts[Wait.OUTPUT] += 1
            if descriptor.store:
                writes.advance(cycle)
                while produced + room - writes.stored > descriptor.output_ring:
                    cycle += 1
                    counts[Wait.OUTPUT] += 1
                    writes.advance(cycle)
            early = not (
                descriptor.load
                or descriptor.store
                or last
                or (descriptor.stem and descriptor.residual)
            )
            cycle = (
                pointwise_pass(
                    core,
                    cycle + 1,
                    PlannedPass(
                        from_strip=True,
                        target="residual" if descriptor.residual else "map",
                        rows=output_end - output_row,
                        groups=descriptor.output_groups,
                        input_words=descriptor.hidden_words,
                        output_words=descriptor.output_words,
                        parameters=depthwise_parameters + descriptor.hidden_words,
                        index=produced,
                        free=last,
                    ),
                    descriptor,
                    counts,
                    early=early,
                )
                + 1
            )
            produced += (
                descriptor.output_words * descriptor.output_groups * (output_end - output_row)
            )
            writes.produced(cycle, produced)
            if descriptor.residual:
                reads.freed(cycle, produced)
            if last:
                return cycle
            output_row, step_row = output_end, step_end

    def _count_beats(self, end):
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
