"""The supervisor against a description of what each event does, cycle by cycle."""

import random

import pytest
from amaranth.sim import Simulator

from mnv2.hw.register_map import Status
from mnv2.hw.supervisor import Supervisor
from tests.hw.harness import check_conversion

EVENTS = (
    *("start", "complete", "bus_error", "descriptor_error", "wrong", "abort", "misaligned"),
    *("moving", "bus_busy"),
)


def play(cycles, *, patience):
    """Drive the events of each cycle (a dict of those that are up); what was seen in each."""
    dut, seen = Supervisor(patience_cycles=patience), []

    async def testbench(ctx):
        for events in cycles:
            for name in EVENTS:
                ctx.set(getattr(dut, name), events.get(name, 0))
            _, _, *values = await ctx.tick().sample(dut.begin, dut.give_up, dut.ended, dut.status)
            seen.append((*(int(value) for value in values[:3]), Status(values[3])))

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(testbench)
    simulator.run_until(1e-8 * (len(cycles) + 10))
    assert len(seen) == len(cycles)
    return seen


def test_completes():
    seen = play([{}, {"start": 1}, {"moving": 1}, {"moving": 1, "complete": 1}, {}], patience=9)
    assert seen == [
        (0, 0, 0, Status.NONE),
        (1, 0, 0, Status.NONE),
        (0, 0, 0, Status.RUNNING),
        (0, 0, 1, Status.RUNNING),
        (0, 0, 0, Status.DONE),
    ]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("bus_error", Status.BUS),
        ("descriptor_error", Status.DESCRIPTOR),
        ("wrong", Status.CONFIGURATION),
        ("abort", Status.ABORTED),
    ],
)
def test_gives_up_until_the_bus_is_quiet(event, status):
    busy = {"bus_busy": 1}
    seen = play(
        [{"start": 1}, busy, {event: 1} | busy, busy, busy, {}, {}, {"start": 1}, {}], patience=99
    )
    assert [step[1] for step in seen] == [0, 0, 0, 1, 1, 1, 0, 0, 0]
    assert [step[2] for step in seen] == [0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert seen[5][3] == Status.RUNNING
    assert seen[6][3] == status
    assert seen[7][0] == 1, "The next start begins a program"
    assert seen[8][3] == Status.RUNNING


@pytest.mark.parametrize("patience", [1, 7])
def test_stuck_after_patience(patience):
    """Movement starts the count again; a program that ended is not stuck."""
    cycles = [{"start": 1}] + [{}] * (patience - 1) + [{"moving": 1}] + [{}] * (patience + 4)
    seen = play(cycles, patience=patience)
    given_up = [number for number, step in enumerate(seen) if step[1]]
    moved = patience
    assert given_up == [moved + patience + 2]
    assert seen[-1][3] == Status.STUCK
    assert not any(step[1] for step in play([{}] * 50, patience=patience))


def test_discards_what_is_still_read_at_the_end():
    busy = {"bus_busy": 1}
    seen = play([{"start": 1}, busy, {"complete": 1} | busy, busy, {}, {}], patience=99)
    assert [step[1] for step in seen] == [0, 0, 0, 1, 1, 0]
    assert [step[2] for step in seen] == [0, 0, 0, 0, 1, 0]
    assert [step[3] for step in seen[4:]] == [Status.RUNNING, Status.DONE]


def test_a_start_with_a_wrong_address_ends_at_once():
    seen = play([{"start": 1, "misaligned": 1}, {}, {"start": 1}, {}], patience=9)
    assert seen == [
        (0, 0, 1, Status.NONE),
        (0, 0, 0, Status.ALIGNMENT),
        (1, 0, 0, Status.ALIGNMENT),
        (0, 0, 0, Status.RUNNING),
    ]


def test_abort_without_a_program_does_nothing():
    seen = play(
        [{"abort": 1}, {"start": 1, "abort": 1}, {"complete": 1, "abort": 1}, {}], patience=9
    )
    assert not any(step[1] for step in seen)
    assert seen[-1][3] == Status.DONE, "It ended before"


def test_start_while_running_does_nothing():
    seen = play([{"start": 1}] * 3 + [{"complete": 1, "start": 1}, {}], patience=99)
    assert [step[0] for step in seen] == [1, 0, 0, 0, 0]
    assert seen[-1][3] == Status.DONE


def test_random_events_against_a_description():
    rng, patience = random.Random(1), 6
    cycles = [
        {
            name: rng.random() < p
            for name, p in zip(
                EVENTS, (0.2, 0.05, 0.02, 0.02, 0.02, 0.02, 0.1, 0.4, 0.5), strict=True
            )
        }
        for _ in range(3000)
    ]
    state, status, reason, waited = "idle", Status.NONE, None, 0
    met = set()
    for events, seen in zip(cycles, play(cycles, patience=patience), strict=True):
        start = state == "idle" and events["start"]
        begin = start and not events["misaligned"]
        failed = (
            Status.BUS
            if events["bus_error"]
            else Status.DESCRIPTOR
            if events["descriptor_error"]
            else Status.CONFIGURATION
            if events["wrong"]
            else Status.STUCK
            if waited == patience
            else None
        )
        if failed is None and events["abort"] and not events["complete"]:
            failed = Status.ABORTED
        done = state == "run" and failed is None and events["complete"]
        late = done and events["bus_busy"]
        left = state == "give up" and not events["bus_busy"]
        ended = done and not late or left or start and not begin
        assert seen == (begin, state == "give up", ended, status)
        if start and not begin:
            status = Status.ALIGNMENT
        elif begin:
            state, status, waited = "run", Status.RUNNING, 0
        elif state == "run":
            waited = 0 if events["moving"] else waited + 1
            if failed is not None or late:
                state, reason = "give up", failed or Status.DONE
            elif done:
                state, status = "idle", Status.DONE
        elif left:
            state, status = "idle", reason
        met.add(status)
    assert met == set(Status) - {Status.NONE}


def test_refuses():
    with pytest.raises(ValueError, match="Patience must be"):
        Supervisor(patience_cycles=0)


def test_conversion():
    check_conversion(lambda: Supervisor(patience_cycles=100))
