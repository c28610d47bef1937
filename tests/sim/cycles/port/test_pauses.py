"""The pauses are those of the generator, step by step, however they are made."""

import pytest

from mnv2.sim.cycles.port.pauses import START_CYCLE, Pauses

PLACES = {
    "read_data": 0,
    "answers": 8,
    "read_addresses": 16,
    "write_addresses": 24,
    "write_data": 32,
}


def states(seed, count):
    """The generator as `axi_memory.sv` writes it, in Python's integers."""
    state = seed << 32 | 0x9E3779B9
    for _ in range(count):
        state ^= state << 13 & 2**64 - 1
        state ^= state >> 7
        state ^= state << 17 & 2**64 - 1
        yield state


@pytest.mark.parametrize(("percent", "seed"), [(1, 1), (20, 7), (99, 2**32 - 1)])
def test_every_channel_follows_the_generator(percent, seed):
    pauses = Pauses(percent, seed)
    # Past the states that are made at once.
    pauses.read(300_000)
    limit = percent * 128 // 100
    made = list(states(seed, START_CYCLE + 300_001))
    for name, place in PLACES.items():
        # Ready and open are registers: decided a cycle before.
        first = START_CYCLE - (name not in ("read_data", "answers"))
        expected = bytes((state >> place & 127) >= limit for state in made[first : first + 300_001])
        assert getattr(pauses, name)[:300_001] == expected


def test_beats_come_in_cycles_behind_those_that_move():
    pauses = Pauses(50, 3)
    beats = pauses.beats(262_000, 400)
    pauses.read(beats[-1])
    moving = [cycle + 1 for cycle in range(261_999, beats[-1]) if pauses.read_data[cycle]]
    assert beats == moving
    assert len(beats) == 400


def test_an_address_is_taken_as_soon_as_it_can_be():
    pauses = Pauses(50, 3)
    taken = pauses.address(100)
    assert pauses.read_addresses[taken]
    assert not any(pauses.read_addresses[100:taken])


def test_share_of_the_cycles():
    pauses = Pauses(25, 9)
    pauses.read(250_000)
    for name in PLACES:
        assert abs(getattr(pauses, name)[:250_000].count(0) / 250_000 - 0.25) < 0.005
