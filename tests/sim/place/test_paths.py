"""Paths by unit from delays worked out by hand."""

from mnv2.sim.place.delays import Delays, find_arrivals
from mnv2.sim.place.paths import delay_counts, worst_paths
from mnv2.sim.synthesis.owners import Owners


def _register(mark):
    return {
        "type": "TRELLIS_FF",
        "attributes": {"unit_register": mark},
        "port_directions": {},
        "connections": {},
    }


#: A register of unit a leads through a multiplier and a carry to two registers of unit b, and
#: straight to one of its own.
OWNERS = Owners(
    {
        "cells": {
            "first": _register("unit.a block"),
            "second": _register("unit.b sum"),
            "third": _register("unit.b other"),
            "own": _register("unit.a after"),
        },
        "netnames": {},
    }
)
DELAYS = Delays(
    wires={
        "first/Q": [("m/A3", 100), ("own/DI", 900)],
        "m/P4": [("c/B", 200)],
        "c/FCO": [("d/FCI", 0)],
        "d/F": [("second/DI", 300), ("third/CE", 500)],
    },
    logic={
        "first/CLK": [("first/Q", 400)],
        "m/A3": [("m/P4", 3000)],
        "c/B": [("c/FCO", 350)],
        "d/FCI": [("d/F", 250)],
    },
    setups={"second/DI": 0, "third/CE": 20, "own/DI": 0},
    clocks={"first/CLK", "second/CLK", "third/CLK", "own/CLK"},
)


def test_longest_to_each_unit():
    longest, own = worst_paths(find_arrivals(DELAYS), OWNERS)
    assert (longest["nanoseconds"], longest["wires"]) == (4.82, 0.8)
    assert (longest["from_unit"], longest["from_register"]) == ("a", "block")
    assert (longest["to_unit"], longest["to_register"], longest["to_port"]) == ("b", "other", "CE")
    assert longest["logic"] == {"LUT4": 1, "MULT18X18D": 1, "carry": 1}
    assert longest["through"][0] == "a"
    assert longest["through"][-1] == "b"
    assert (own["nanoseconds"], own["to_unit"], own["logic"]) == (1.3, "a", {})


def test_count_is_a_limit():
    assert len(worst_paths(find_arrivals(DELAYS), OWNERS, 1)) == 1


def test_delays_are_counted_in_quarters_of_a_nanosecond():
    assert delay_counts(find_arrivals(DELAYS)) == {"1.25": 1, "4.5": 1, "4.75": 1}
