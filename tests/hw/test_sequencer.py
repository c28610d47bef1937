"""Passes that a program becomes, what each waits for, and which descriptors are refused."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.passes import Range, Stall, Target
from mnv2.hw.program import Descriptor, Header, Work
from mnv2.hw.sequencer import Sequencer
from tests.hw.blocks import BLOCK, HEAD, STEM, VARIANTS, strips
from tests.hw.harness import check_conversion

DATA_BITS, MAP_WORDS, TAP_WORDS, PARAMETER_WORDS = 128, 4000, 64, 256
HASH, BASE = 0x89ABCDEF, 0x8000
HEADER = {
    "configuration": HASH,
    "weights_offset": 0x1000,
    "weights_beats": [11, 0, 0, 0, 0, 0, 0],
    "taps_offset": 0x2000,
    "taps_beats": 12,
    "parameters_offset": 0x3000,
    "parameters_beats": [13, 0, 0, 0, 0, 0, 0],
}


class Machine:
    """The surroundings of a sequencer: its records, and passes that take some cycles.

    A pass is under way from its transfer on: `issue` cycles until it is issued, then `drain` until
    all is quiet. It counts words on as the core does: those of its input where it reads the map,
    those of its output where it makes rows of it.
    """

    def __init__(self, blocks, *, issue=3, drain=5, seed=1, line_ready=0.7):
        self.dut = Sequencer(
            data_bits=DATA_BITS,
            address_bits=32,
            configuration=HASH,
            map_words=MAP_WORDS,
            tap_words=TAP_WORDS,
            parameter_words=PARAMETER_WORDS,
        )
        self.records = [
            record.as_bits()
            for record in (Header.const(HEADER), *(Descriptor.const(block) for block in blocks))
        ]
        self.issue, self.drain, self.line_ready = issue, drain, line_ready
        self.random = random.Random(seed)
        self.passes, self.events, self.reads, self.cycle = [], [], [], 0
        self.left = 0  # cycles until all is quiet
        self.stored, self.written = None, None  # None: of what is produced, all is stored

    def run(self, cycles=2000, each=None):
        """Run to the program's end, or for ``cycles``; ``each(ctx, machine)`` after each cycle."""
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-8)

        async def testbench(ctx):
            dut = self.dut
            ctx.set(dut.base, BASE)
            ctx.set(dut.ending, 1)  # the first turn is the last
            ctx.set(dut.program_records, len(self.records))
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for port in (dut.o_program, dut.o_weights, dut.o_taps, dut.o_parameters):
                ctx.set(port.ready, 1)
            for self.cycle in range(cycles):
                if not await self._step(ctx):
                    break
                if each:
                    each(ctx, self)
            # The program is over, and nothing more is wanted.
            self.running = ctx.get(dut.running)

        simulator.add_testbench(testbench)
        simulator.run()
        return self

    async def _step(self, ctx):
        dut, chance = self.dut, self.random.random
        ctx.set(dut.i_records.payload, self.records[0] if self.records else 0)
        ctx.set(dut.i_records.valid, bool(self.records) and chance() < 0.5)
        ctx.set(dut.o_pass.ready, self.left == 0 and chance() < 0.7)
        ctx.set(dut.o_line.ready, chance() < self.line_ready)
        ctx.set(dut.issued, self.left <= self.drain)
        ctx.set(dut.quiet, self.left == 0)
        ctx.set(dut.stored, ctx.get(dut.produced) if self.stored is None else self.stored)
        ctx.set(dut.written, self.written is None or self.written)
        for name in ("program", "weights", "taps", "parameters"):
            port = getattr(dut, f"o_{name}")
            if ctx.get(port.valid):
                read = port.payload
                self.reads.append((name, ctx.get(read.address), ctx.get(read.beats)))
        sampled = (
            dut.i_records.valid,
            dut.i_records.ready,
            dut.o_pass.valid,
            dut.o_pass.ready,
            dut.o_pass.payload,
            dut.o_line.valid,
            dut.o_line.ready,
            dut.o_line.payload,
            dut.begin,
            dut.finish,
            dut.complete,
            dut.bad,
            dut.freed,
            dut.produced,
            dut.taps_free,
            dut.parameters_free,
            dut.stall,
        )
        (
            _,
            _,
            given,
            taken,
            pass_valid,
            pass_ready,
            step,
            line_valid,
            line_ready,
            line,
            *rest,
        ) = await ctx.tick().sample(*sampled)
        begin, finish, complete, bad, freed, produced, taps, parameters, self.stall = rest
        if given and taken:
            self.records.pop(0)
        if finish:
            assert self.left == 0, "The block ends while its results are on their way"
            self.events.append(("finish", freed, produced, taps, parameters))
        self.left = max(self.left - 1, 0)
        if pass_valid and pass_ready:
            self._start(ctx, step)
        if line_valid and line_ready:
            self.events.append(("line", line))
        self.bad = bad
        if begin:
            self.events.append(("begin",))
        return not complete

    def _start(self, ctx, step):
        self.passes.append((self.cycle, step))
        self.events.append(("pass", step))
        self.left = self.issue + self.drain
        dut, rows = self.dut, step.rows * step.groups
        if step.from_strip or step.target in (Target.POOL, Target.LOGITS):
            words = rows * step.output_words
            ctx.set(dut.index_next, step.index + words)
            ctx.set(dut.output_next, step.output + words)
            ctx.set(dut.residual_next, 1000 + step.output)
        elif not step.stem:
            words = rows * step.input_words
            ctx.set(dut.index_next, step.index + words)
            ctx.set(dut.input_next, step.input + words)


def check_block(block, events):
    """Check that a block's commands are those of its strips, one after another."""
    events = iter(events)
    assert next(events) == ("begin",)
    groups, words = block["input_groups"], block["input_words"]
    produced = taken = 0
    for first, end, top, bottom in strips(block):
        rows = min(bottom, block["input_rows"]) - top
        if block.get("stem"):
            line, step = command(events)
            above, left = block["image_pad_top"], block["image_pad_left"]
            # A window of two input rows' distance for each row that the stem makes.
            assert (line.first_row, line.end_row) == (
                2 * top + (1 - above if top else 0),
                2 * (top + rows) + 1 - above,
            )
            assert (line.rows, line.groups, line.steps, line.words, line.line) == (
                block["image_rows"],
                block["image_groups"],
                block["image_steps"],
                1,
                block["image_line"],
            )
            assert (line.stride_2, line.pad_top, line.pad_left) == (1, above, left)
            assert (step.stem, step.target, step.range) == (1, Target.MAP, Range.STEM)
            assert (step.rows, step.groups, step.input_words, step.output_words) == (
                rows,
                groups,
                block["stem_steps"],
                words,
            )
            assert (step.output_base, step.output_end) == (block["input_base"], block["input_end"])
        line, step = command(events)
        assert (
            line.first_row,
            line.end_row,
            line.rows,
            line.groups,
            line.steps,
            line.tail,
            line.words,
        ) == (
            top,
            bottom,
            block["input_rows"],
            groups,
            block["steps"],
            block["input_tail"],
            block["hidden_words"],
        )
        assert (line.stride_2, line.pad_top, line.pad_left, line.line) == (
            block.get("stride_2", 0),
            block.get("pad_top", 0),
            block.get("pad_left", 0),
            0,
        )
        assert (step.copy, step.stem, step.from_strip, step.target, step.range) == (
            block.get("copy", 0),
            0,
            0,
            Target.QUEUE,
            Range.EXPAND,
        )
        assert (step.rows, step.groups, step.input_words, step.output_words, step.parameters) == (
            rows,
            groups,
            words,
            block["hidden_words"],
            words if block.get("stem") else 0,
        )
        assert (step.input, step.index) == (block["input_base"] + taken, taken)
        assert (step.input_base, step.input_end) == (block["input_base"], block["input_end"])
        assert step.rewind == (not block.get("stem"))
        taken += rows * groups * words
        kind, step = next(events)
        assert (kind, step.from_strip, step.range) == ("pass", 1, Range.PROJECT)
        assert step.target == (Target.RESIDUAL if block.get("residual") else Target.MAP)
        assert (step.rows, step.groups, step.input_words, step.output_words) == (
            end - first,
            block["output_groups"],
            block["hidden_words"],
            block["output_words"],
        )
        depthwise = (words if block.get("stem") else 0) + (
            0 if block.get("copy") else block["hidden_words"]
        )
        assert step.parameters == depthwise + block["hidden_words"]
        assert (step.index, step.output) == (produced, block["output_base"] + produced)
        assert (step.output_base, step.output_end) == (block["output_base"], block["output_end"])
        assert step.free_weights == (end == block["output_rows"])
        produced += (end - first) * block["output_groups"] * block["output_words"]
    assert next(events) == (
        "finish",
        taken,
        produced,
        block["hidden_words"],
        block["parameter_words"],
    )
    assert not list(events)


def command(events):
    """The next line and pass, which come in any order."""
    pair = dict((next(events), next(events)))
    return pair["line"], pair["pass"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", VARIANTS)
def test_a_block_becomes_the_passes_of_its_strips(name, seed):
    block = VARIANTS[name]
    machine = Machine([block], seed=seed, issue=1 + seed, drain=3 * seed).run()
    check_block(block, machine.events)
    assert not machine.running


@pytest.mark.parametrize("name", ["stride 1", "stem"])
def test_a_pass_waits_for_a_line_buffer_that_is_slow_to_start(name):
    machine = Machine([VARIANTS[name]], issue=1, drain=0, line_ready=0.05).run()
    check_block(VARIANTS[name], machine.events)


def test_head_and_classifier_are_one_pass_each():
    classifier = {
        **HEAD,
        "work": Work.CLASSIFIER,
        "input_rows": 1,
        "output_words": 250,
        "parameter_words": 250,
        "store": 1,
    }
    machine = Machine([HEAD, classifier]).run()
    steps = [event[1] for event in machine.events if event[0] == "pass"]
    assert [step.target for step in steps] == [Target.POOL, Target.LOGITS]
    for step, block in zip(steps, (HEAD, classifier), strict=True):
        assert (step.rows, step.groups, step.input_words, step.output_words) == (
            block["input_rows"],
            1,
            40,
            block["output_words"],
        )
        assert step.rewind
        assert step.free_weights
        assert not step.from_strip
    assert not [event for event in machine.events if event[0] == "line"]


def test_streams_are_asked_for_once():
    beats = 3 * 128 * 8 // DATA_BITS
    assert Machine([BLOCK, BLOCK]).run().reads == [
        ("program", BASE, beats),
        ("weights", BASE + 0x1000, 11),
        ("taps", BASE + 0x2000, 12),
        ("parameters", BASE + 0x3000, 13),
    ]


@pytest.mark.parametrize("missing", [0, 1])
def test_projection_waits_for_the_last_word_of_room(missing):
    """The ring of outputs holds 64 words: a strip's 24 fit while no more than 40 are there."""
    machine, seen = Machine([{**BLOCK, "store": 1}]), []
    machine.stored = 0

    def see(ctx, machine):
        projections = sum(step.from_strip for _, step in machine.passes)
        seen.append((projections, machine.stall))
        if machine.cycle == 150:
            # Two strips are there: 48 words.
            assert projections == 2
            assert machine.stall == Stall.OUTPUT
            machine.stored = 8 - missing
        if machine.cycle == 250:
            assert projections == (2 if missing else 3)
            machine.stored = None

    machine.run(each=see)
    check_block({**BLOCK, "store": 1}, machine.events)
    assert not missing or machine.cycle > 250


def test_a_strip_that_is_not_stored_needs_no_room():
    machine = Machine([BLOCK])
    machine.stored = 0
    machine.run(400)
    check_block(BLOCK, machine.events)


def test_block_ends_when_all_is_written():
    machine = Machine([{**BLOCK, "store": 1}])
    machine.written = False

    def see(ctx, machine):
        if machine.cycle == 300:
            assert machine.events[-1][0] == "pass"
            assert machine.stall == Stall.OUTPUT
            machine.written = True

    machine.run(each=see)
    assert machine.events[-1][0] == "finish"
    assert machine.cycle in (301, 302)


EARLY = {
    "may": (BLOCK, True),
    "loaded": ({**BLOCK, "load": 1}, False),
    "stored": ({**BLOCK, "store": 1}, False),
    "stem": (STEM, True),
    "stem and residual": ({**STEM, "residual": 1, "output_words": 3}, False),
}


@pytest.mark.parametrize("name", EARLY)
def test_next_strip_begins_before_results_are_written_where_it_may(name):
    block, early = EARLY[name]
    machine, offered = Machine([block], issue=2, drain=40), []

    def see(ctx, machine):
        # The pass after a projection is offered while that drains, or not.
        if machine.passes and machine.passes[-1][1].from_strip and machine.left > 5:
            offered.append(ctx.get(machine.dut.o_pass.valid))

    machine.run(5000, each=see)
    assert any(offered) == early
    check_block(block, machine.events)


@pytest.mark.parametrize("residual", [0, 1])
def test_input_is_freed_when_nobody_reads_it_any_more(residual):
    machine = Machine([{**BLOCK, "residual": residual, "output_words": 3}])
    freed = {}

    def see(ctx, machine):
        if machine.passes:
            # While a pass is under way: the strips before it, or its own as well.
            freed.setdefault(len(machine.passes), ctx.get(machine.dut.freed))

    machine.run(each=see)
    # Strips read 4, 3 and 1 rows of six words, and make 3, 3 and 2: an expansion and a projection
    # each. The row above the next strip's is still to be added.
    assert list(freed.values()) == ([0, 0, 18, 18, 36, 36] if residual else [0, 24, 24, 42, 42, 48])


@pytest.mark.parametrize("changes", [{"input_rows": 0}, {"hidden_words": TAP_WORDS + 1}])
@pytest.mark.parametrize("before", [0, 1])
def test_wrong_descriptor_stops_the_program(changes, before):
    machine = Machine(before * [BLOCK] + [{**BLOCK, **changes}]).run(800)
    assert machine.bad
    assert machine.running
    kinds = [event[0] for event in machine.events]
    assert kinds.count("begin") == kinds.count("finish") == before
    assert not before or kinds[-1] == "finish"


def test_conversion():
    check_conversion(
        lambda: Sequencer(
            data_bits=DATA_BITS,
            address_bits=32,
            configuration=HASH,
            map_words=MAP_WORDS,
            tap_words=TAP_WORDS,
            parameter_words=PARAMETER_WORDS,
        )
    )
