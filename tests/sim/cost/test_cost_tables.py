"""Tables of cost: the sources of the devices' clocks."""

from mnv2.sim.cost.clock import Clock
from mnv2.sim.cost.cost_report import DeviceCost
from mnv2.sim.cost.cost_tables import clock_words
from mnv2.sim.cost.devices import load_devices

DEVICES = load_devices()
ECP5 = ("ECP5-25", "ECP5-45", "ECP5-85")


def device_cost(name, source):
    return DeviceCost(DEVICES[name], (), True, Clock(1e8, "", source, "setting"), None, None, 0)


def test_one_source_is_said_once():
    rows = [device_cost(name, "given") for name in ("K26", "ECP5-85", "ECP5-45")]
    assert clock_words(rows) == "clock: given"


def test_a_source_of_a_family_has_its_name():
    rows = [device_cost("K26", "a setting"), *(device_cost(n, "a model") for n in ECP5)]
    assert clock_words(rows) == (
        "clock of AMD UltraScale+: a setting;\nclock of Lattice ECP5: a model"
    )


def test_devices_of_a_family_with_several_sources_are_named():
    """One of them was placed, for the others there is a model."""
    placed = device_cost("ECP5-85", "placed and routed")
    rows = [device_cost("K26", "a setting"), *(device_cost(n, "a model") for n in ECP5[:2]), placed]
    assert clock_words(rows) == (
        "clock of AMD UltraScale+: a setting;\nclock of ECP5-25, ECP5-45: a model;\n"
        "clock of ECP5-85: placed and routed"
    )
