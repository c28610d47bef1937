"""The accelerator in time: a model that equals its RTL to the cycle and to the byte.

`mnv2.sim.cycles.predict.predict_network` takes a network, a configuration and a memory, and gives
what a run in RTL would measure. No value is computed: no cycle of the accelerator depends on data.

Words
-----
cycle
    A clock cycle of the accelerator, counted from the program's first, which is 0. What happens in
    a cycle is seen in the next: "from cycle t on" is the first cycle in which it can be used, and
    "before cycle t" means up to t - 1. Ends are one past the last.
word, beat
    A word is what a memory of the core moves in a cycle; a beat is what the memory port moves in
    one. Gearboxes turn beats into words. `mnv2.hw.config.AcceleratorConfig` has their sizes.
available
    Words of a ring, or of the map memory, that came before a cycle, counted from the program's (the
    map's) begin. Released words still count: what can be used is ``available`` less ``freed``.
taken
    A record, or a word of the image, that left the port. They have no ring: each is taken once.
freed
    Words that need not be kept any more. ``free`` releases the oldest words of a ring; ``freed``
    says up to where the input of a block may be overwritten.
landed
    From that cycle on, the last result is in its memory.
pass
    A convolution over some rows of a map, which the array executes step by step: tile of output
    channels, row, group of pixels, input word. `mnv2.sim.cycles.planned_pass` describes it.

Calls between sequencer, passes and port
----------------------------------------
`plan.plan_network` lists the descriptors that are executed, turn after turn, as sizes.
`machine.Machine` is the sequencer: for each descriptor it waits for the record, cuts a block into
strips, and runs each strip's passes one after another: `array.stem_pass`, `array.window_pass`,
`array.pointwise_pass`. A pass is given the cycle in which it is asked for, and gives the cycle in
which the next can be; `core_state.CoreState` is what one leaves to the next. The passes ask the
port (`port.interface.ReadSide`, `port.interface.WriteSide`) what has come, and tell it what they
take, release and produce. The port calls nothing: it relies on what it was told.

Each side keeps its own time
----------------------------
There is no global clock that is stepped. The core runs ahead, and a side of the port follows when
it is called: ``advance(t)`` moves its time to the start of cycle t. This is exact for two reasons.
What the core does in a cycle depends on what came *before* it only, so the port never needs the
same cycle to answer. And whenever a side is moved to t, the core has told all that it did before t;
what it told may lie in the side's future, and is kept until then. So the order of the calls is not
that of the cycles, and every answer is what a stepped machine would give.

Turns
-----
A program is executed once a turn, and its constants are read again in each. When the first record
of a turn is taken the machine tells the port which of the turn's records are left out, and what is
read next: the records of another turn, if one follows, and the segments of each stream of
constants, which `stream_walk.StreamWalk` offers one after another. A segment is a packet for the
gearbox: see `port.streams`.

A question costs time, so the core remembers what it knows has come (``core.weights``) and asks
again only if that is not enough.

Causes
------
In each cycle of a descriptor the array works, on a step (pointwise) or on a window (depthwise), or
waits for one of `mnv2.hw.config.CAUSES`: the first that holds, in the order in which the RTL
(`mnv2.hw.issue.Issue`) looks for them. The step functions of the passes have that order; drain and
output are the sequencer's, and program is the wait for a record. `causes` has the places in a list
of counts. The sum of the counts is the number of cycles, for each row.

A prediction
------------
`predict.PredictedLayer`, one for each row of a report: cycles by work and cause, beats of each
stream, bytes written. A beat belongs to the row that was executed in the cycle in which it arrived.
`predict.PredictedFrames` has the rows of back-to-back frames, and when each frame's logits are in
memory. `mnv2.sim.prediction` makes reports of them and compares them with runs.

Shortcuts
---------
The obvious form steps every cycle: `StemPass.step`, `WindowPass.step` for the core,
`port.shared.SharedReadPort` for the port. ``CoreState.skips = False`` and
``machine.MOST_OUTSTANDING = 0`` select it. Nine shortcuts skip most of it, and give the same:
tests/sim/cycles/test_shortcuts.py::test_shortcut_equals_stepping holds each to the obvious form on
a machine where it is seen to skip, and
tests/sim/cycles/test_predict.py::test_what_is_skipped_changes_nothing all of them to it on machines
drawn at random. tests/sim/cycles/test_predict.py::test_equals_the_rtl holds the whole to the RTL.

1. Steps: `array.window_pass._skip_steps`, `array.stem_pass._skip_steps`.
   Skips the steps of a tile before its last. Exact: only the last step of a tile needs parameters,
   the requantiser or a queue. If the weights have come, and the line buffer can neither take a word
   nor offer a window meanwhile, each of the others is taken in the cycle after the one before.
2. Waits: `array.window_pass._skip_wait`, `array.stem_pass._skip_wait`.
   Skips the cycles in which the core waits for its input or weights. Exact: with nothing in its
   pipelines the core does nothing until then, so the port can be asked when they come.
3. Periods: `array.window_pass._skip_periods`, `array.repetition.Repetition`.
   Skips groups of pixels, rows and tiles that repeat others. Exact: the state of core and line
   buffer, with positions relative to each other, decides everything that follows, as long as
   nothing is late from memory and no edge of the map is reached. If it was seen where an earlier
   group (row, tile) began, what followed follows again. Repetition ends before the
   edge, and before the last word that is known to have come.
4. Known passes: `array.known_passes.KnownPass`.
   Skips a whole pass that waits for nothing from memory. Exact: its cycles depend on its sizes,
   on what the pass before left in the pipelines, and on lanes, queues and pipelines of the machine,
   and all of these form the key it is stored under. The port is asked whether its input arrives
   in time for the cycles in which the known pass needs it. Designs of a search share them.
5. Rows of the stem: `array.stem_pass._skip_rows`.
   Skips rows of the image that repeat the row before. Exact as periods are; the stem's input comes
   while it runs, so the port is asked row by row whether each word is there when the row that was
   stepped asked for it.
6. Pixels: `array.pointwise_pass.PointwisePass.skip_tile`.
   Skips all groups of pixels of a tile. Exact: no windows compete, and
   `array.pointwise_pass.PointwisePass.waits_for_nothing` excludes every wait, so the steps follow
   each other. (Within a group of pixels steps are never taken one by one: see that module.)
7. Steady bursts: `port.reads.ReadPort._repeat`.
   Skips the bursts of a stream that each follow as the one before. Exact: after as many equal
   bursts as can be outstanding or in the queue, all that decides the next is a burst's length
   later than for the one before; it ends before another stream asks, or the ring is full.
8. Rest of the read side: `port.reads.ReadPort._pass_over`, `port.streams.Stream.settle`.
   Skips what the port does between two releases of weights. Exact: if it is at rest before and
   nothing but weights is asked for, the state in which it comes to rest again follows from the
   words released, and the bound holds for it; no query needs the exact arrivals before that,
   since a query processes the release first.
9. Rest of the write side: `port.writes.WritePort._rest`.
   Skips the writing of results that are in memory long before more are produced. Exact: the state
   at rest follows from the words produced, and `port.writes.WritePort._rests_by` bounds the time by
   the longest chain of waits.
"""
