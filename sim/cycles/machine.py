"""A program on the accelerator: descriptor by descriptor, strip by strip, pass by pass."""

from mnv2.sim.cycles.array.pointwise_pass import pointwise_pass
from mnv2.sim.cycles.array.stem_pass import stem_pass
from mnv2.sim.cycles.array.window_pass import window_pass
from mnv2.sim.cycles.core import Core
from mnv2.sim.cycles.passes import Line, Pass, Wait
from mnv2.sim.cycles.port.reads import NEVER, PARAMETERS, TAPS, WEIGHTS, ReadPort
from mnv2.sim.cycles.port.reads import PROGRAM as RECORDS
from mnv2.sim.cycles.port.shared import SharedReadPort
from mnv2.sim.cycles.port.writes import WritePort

__all__ = ["Machine"]

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
        `mnv2.sim.cycles.passes.CAUSES`, then pointwise and depthwise cycles.
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
        self._core = Core(config, self._reads, self._writes)
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
        for number, work in enumerate(plan.works):
            if number:
                self._open(cycle)
            cycle = self._record(cycle)
            cycle = self._work(cycle, work)
            self.ends.append(cycle)
        self._count_beats(cycle)
        return cycle

    def _open(self, cycle):
        """A descriptor's row begins."""
        self.counts.append(([0] * 11, [0] * 11))
        self.beats.append(([0] * 6, [0] * 6))
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
        begin = cycle
        while reads.when(RECORDS) > cycle:
            there = reads.when(RECORDS)
            cycle = there if there != NEVER else cycle + 1
            reads.advance(cycle)
        reads.take(cycle, RECORDS)
        self.counts[-1][0][Wait.PROGRAM] += cycle - begin + 1
        return cycle + 1

    def _work(self, cycle, work):
        """Execute a descriptor, whose first cycle it is; the cycle behind its last."""
        reads, writes, core = self._reads, self._writes, self._core
        counts, stem_counts = self.counts[-1]
        counts[Wait.DRAIN] += 1
        reads.begin(cycle, work)
        if work.store:
            writes.begin(cycle, work)
        cycle += 1
        if work.kind == "block":
            cycle = self._strips(cycle, work, counts, stem_counts)
        else:
            cycle = (
                pointwise_pass(
                    core,
                    cycle,
                    Pass(
                        target="pool" if work.kind == "head" else "logits",
                        rewind=True,
                        free=True,
                        rows=work.input_rows,
                        groups=work.input_groups,
                        input_words=work.input_words,
                        output_words=work.output_words,
                    ),
                    work,
                    counts,
                    early=False,
                )
                + 1
            )
        # Until all is written.
        begin = cycle
        if work.store:
            writes.advance(cycle)
            while not writes.written:
                cycle += 1
                writes.advance(cycle)
            writes.active = False
        counts[Wait.OUTPUT] += cycle - begin + 1
        reads.advance(cycle)
        for channel, words in ((TAPS, work.hidden_words), (PARAMETERS, work.parameter_words)):
            if words:
                reads.free(cycle, channel, words)
        core.taps_freed += work.hidden_words
        core.parameters_freed += work.parameter_words
        return cycle + 1

    def _strips(self, cycle, work, counts, stem_counts):
        """The passes of a block; the cycle in which its results are being written."""
        reads, writes, core = self._reads, self._writes, self._core
        output_row = step_row = image_row = input_index = produced = 0
        fill_parameters = work.input_words if work.stem else 0
        depthwise_parameters = fill_parameters + (0 if work.copy else work.hidden_words)
        room = work.strip_rows * work.output_groups * work.output_words
        while True:
            last = output_row + work.strip_rows >= work.output_rows
            output_end = work.output_rows if last else output_row + work.strip_rows
            step_end = 2 * output_end + (not work.pad_start) if work.stride_2 else output_end + 1
            input_end = min(step_end, work.input_rows)
            if work.stem:
                image_end = 2 * input_end + (not work.image_pad_start)
                self._mark(cycle, 1)
                cycle = (
                    stem_pass(
                        core,
                        cycle,
                        Pass(
                            target="map",
                            rewind=True,
                            rows=input_end - step_row,
                            groups=work.input_groups,
                            input_words=work.stem_steps,
                            output_words=work.input_words,
                            free=last,
                        ),
                        Line(
                            first_row=image_row,
                            end_row=image_end,
                            rows=work.image_rows,
                            groups=work.image_groups,
                            steps=work.image_steps,
                            words=1,
                            stride_2=True,
                            pad_start=work.image_pad_start,
                        ),
                        work,
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
                    Pass(
                        copy=work.copy,
                        target="queue",
                        rewind=not work.stem,
                        rows=input_end - step_row,
                        groups=work.input_groups,
                        input_words=work.input_words,
                        output_words=work.hidden_words,
                        parameters=fill_parameters,
                        index=input_index,
                        free=last,
                    ),
                    Line(
                        first_row=step_row,
                        end_row=step_end,
                        rows=work.input_rows,
                        groups=work.input_groups,
                        steps=work.steps,
                        words=work.hidden_words,
                        stride_2=work.stride_2,
                        pad_start=work.pad_start,
                    ),
                    work,
                    counts,
                )
                + 1
            )
            input_index += work.input_words * work.input_groups * (input_end - step_row)
            if not work.residual:
                reads.freed(cycle, input_index)
            # Room for the strip's output.
            counts[Wait.OUTPUT] += 1
            if work.store:
                writes.advance(cycle)
                while produced + room - writes.stored > work.output_ring:
                    cycle += 1
                    counts[Wait.OUTPUT] += 1
                    writes.advance(cycle)
            early = not (work.load or work.store or last or (work.stem and work.residual))
            cycle = (
                pointwise_pass(
                    core,
                    cycle + 1,
                    Pass(
                        from_strip=True,
                        target="residual" if work.residual else "map",
                        rows=output_end - output_row,
                        groups=work.output_groups,
                        input_words=work.hidden_words,
                        output_words=work.output_words,
                        parameters=depthwise_parameters + work.hidden_words,
                        index=produced,
                        free=last,
                    ),
                    work,
                    counts,
                    early=early,
                )
                + 1
            )
            produced += work.output_words * work.output_groups * (output_end - output_row)
            writes.produced(cycle, produced)
            if work.residual:
                reads.freed(cycle, produced)
            if last:
                return cycle
            output_row, step_row = output_end, step_end

    def _count_beats(self, end):
        """Give each beat to the row of its cycle."""
        reads, writes = self._reads, self._writes
        reads.advance(end)
        before = [0] * 6
        for number, (_, row) in enumerate(self._marks):
            until = self._marks[number + 1][0] if number + 1 < len(self._marks) else end
            # The counters see a beat a cycle late.
            now = [stream.count(until - 1) for stream in reads.streams] + [writes.count(until)]
            for k in range(6):
                row[k] += now[k] - before[k]
            before = now
