"""Every unit refuses bad parameters where it is built, in one wording."""

import importlib
import inspect
import pkgutil

import pytest
from amaranth.lib import wiring

from mnv2 import hw
from mnv2.hw.arguments import check_data_bits, check_integer
from mnv2.hw.config import AcceleratorConfig
from mnv2.hw.identity import constant_registers

#: Layouts of streams, in beats of 64 bits.
STREAMS = AcceleratorConfig(data_bits=64).streams
#: Parameters with which each unit can be built.
GOOD = {
    "Counters": dict(rows=4),
    "Depthwise": dict(
        channels=2,
        pixels=2,
        frames=1,
        operand_bits=27,
        tile_words=1,
        depth=8,
        words=3,
        weight_bits=8,
        activation_bits=8,
        accumulator_bits=32,
    ),
    "DescriptorCheck": dict(map_words=64, tap_words=16, parameter_words=16),
    "Gearbox": dict(input_bits=64, output_bits=24),
    "Issue": dict(
        tile_words=2,
        weight_ring=64,
        tap_ring=16,
        parameter_ring=16,
        queue_words=8,
        pool_cycles=9,
    ),
    "LineBuffer": dict(
        channels=2, pixels=2, tile_words=2, depth=8, activation_bits=8, address_bits=16
    ),
    "LineInput": dict(word=8, queue_words=8),
    "LogitsPath": dict(inputs=2, frames=2, accumulator_bits=32, activation_bits=8, queue_words=8),
    "MacArray": dict(
        outputs=12,
        inputs=3,
        pixels=1,
        frames=1,
        lut_outputs=1,
        operand_bits=27,
        weight_bits=8,
        activation_bits=8,
        accumulator_bits=32,
    ),
    "MapLoader": dict(word_bits=56),
    "MapMemory": dict(word=8, depth=16),
    "MapPort": dict(word_bits=56, logits_bits=120, address_bits=32),
    "MapStorer": dict(word_bits=56),
    "PassWalk": dict(tile_words=2, weight_ring=64),
    "Pointwise": dict(
        inputs=2,
        outputs=4,
        pixels=2,
        frames=1,
        operand_bits=27,
        weight_words=8,
        weight_bits=8,
        activation_bits=8,
        accumulator_bits=32,
    ),
    "Pool": dict(channels=2, pixels=2, tile_words=2, activation_bits=8),
    "ProgramFetch": dict(data_bits=64, address_bits=32, configuration=1),
    "ReadChannel": dict(data_bits=64, address_bits=32, burst_beats=16, fifo_beats=32),
    "ReadMaster": dict(
        data_bits=64,
        address_bits=32,
        channels=2,
        burst_beats=16,
        fifo_beats=32,
        outstanding=4,
        id_bits=1,
    ),
    "ReadPort": dict(
        streams=STREAMS,
        data_bits=64,
        address_bits=32,
        burst_beats=16,
        fifo_beats=32,
        outstanding=4,
    ),
    "Registers": dict(
        counter_rows=4, address_bits=32, constants=constant_registers(AcceleratorConfig())
    ),
    "Requantize": dict(channels=2, pixels=2, frames=2, accumulator_bits=27, activation_bits=8),
    "ResidualAdd": dict(channels=2, pixels=2, lanes=2, activation_bits=8),
    "ResidualPath": dict(channels=2, pixels=2, lanes=2, queue_words=8, activation_bits=8),
    "Ring": dict(shape=8, depth=16, free_limit=4),
    "Sequencer": dict(
        data_bits=64,
        address_bits=32,
        configuration=1,
        map_words=64,
        tap_words=16,
        parameter_words=16,
    ),
    "SlotRing": dict(address_bits=32),
    "StepInput": dict(inputs=3, frames=2, pixels=2, activation_bits=8),
    "StreamWalk": dict(data_bits=64, address_bits=32, segments=7),
    "Supervisor": dict(patience_cycles=100),
    "TileResults": dict(inputs=2, frames=2, pixels=2, tile_words=2, accumulator_bits=32),
    "TurnCounter": dict(address_bits=32),
    "WeightBanks": dict(shape=8, words=4),
    "WriteMaster": dict(
        data_bits=64, address_bits=32, burst_beats=16, fifo_beats=32, outstanding=4, id_bits=1
    ),
    "WritePort": dict(
        streams=STREAMS, data_bits=64, address_bits=32, burst_beats=16, fifo_beats=32
    ),
}
#: Parameters that are shapes, choices or configurations, which the units' own tests are about.
OTHERS = {
    *(
        "arbitration",
        "config",
        "constants",
        "depthwise",
        "multipliers_in_luts",
        "operand_bits",
        "packing",
    ),
    *("partial", "pointwise", "ram", "rounding", "shape", "streams", "tag_shape", "word"),
}


def units():
    """Every component of mnv2.hw by name."""
    found = {}
    for module in pkgutil.walk_packages(hw.__path__, "mnv2.hw."):
        for name, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(one, wiring.Component) and one.__module__ == module.name:
                found[name] = one
    return found


UNITS = units()
INTEGERS = [(unit, name) for unit, good in GOOD.items() for name in good if name not in OTHERS]


def test_every_parameter_of_every_unit_is_tried():
    for name, unit in UNITS.items():
        parameters = set(inspect.signature(unit).parameters)
        assert parameters - OTHERS == set(GOOD.get(name, ())) - OTHERS, name


@pytest.mark.parametrize(("unit", "name"), INTEGERS)
@pytest.mark.parametrize("value", ["4", 4.0, None, True])
def test_kind(unit, name, value):
    if (unit, name, value) == ("Ring", "free_limit", None):
        return  # all words
    with pytest.raises(TypeError, match=rf"^[A-Z][\w ]+ must be .+, not {value!r}$"):
        UNITS[unit](**GOOD[unit] | {name: value})


@pytest.mark.parametrize(("unit", "name"), INTEGERS)
@pytest.mark.parametrize("value", [-1, 0])
def test_value(unit, name, value):
    if name in ("id_bits", "lut_outputs") and value == 0:
        UNITS[unit](**GOOD[unit] | {name: value})  # a port without identifiers, DSPs alone
        return
    with pytest.raises(ValueError, match=rf"^[A-Z][\w ]+ must be .+, not {value}$"):
        UNITS[unit](**GOOD[unit] | {name: value})


@pytest.mark.parametrize(
    ("unit", "name", "value", "message"),
    [
        ("DescriptorCheck", "map_words", 2**16, "Map words must be an integer from 1 to 65535"),
        ("Issue", "weight_ring", 1, "Weight ring must be an integer of at least 2, not 1"),
        ("LogitsPath", "accumulator_bits", 15, "Accumulator bits must be an integer from 16 to 32"),
        ("MapMemory", "depth", 2**16, "Depth must be an integer from 1 to 65535, not 65536"),
        ("MacArray", "outputs", 13, r"Outputs must be a multiple of inputs \(3\), not 13"),
        ("Requantize", "activation_bits", 9, "Activation bits must be an integer from 4 to 8"),
        ("Ring", "free_limit", 17, "Free limit must be an integer from 1 to 16, not 17"),
        ("StepInput", "inputs", 2, "Inputs must be an integer of at least 3, not 2"),
        (
            "TileResults",
            "accumulator_bits",
            33,
            "Accumulator bits must be an integer from 16 to 32",
        ),
        ("ProgramFetch", "data_bits", 96, "Data width must be 64, 128, 256 or 512 bits, not 96"),
        ("Sequencer", "data_bits", 96, "Data width must be 64, 128, 256 or 512 bits, not 96"),
    ],
)
def test_limits(unit, name, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        UNITS[unit](**GOOD[unit] | {name: value})


@pytest.mark.parametrize("unit", ["Accelerator", "Core"])
def test_configuration(unit):
    with pytest.raises(TypeError, match="^Configuration must be an AcceleratorConfig, not 'base'$"):
        UNITS[unit]("base")
    assert UNITS[unit](AcceleratorConfig()).config == AcceleratorConfig()


def test_wording():
    assert check_integer("Lanes", 3) is None
    for arguments, rule in (
        ((), "a positive integer"),
        ((2,), "an integer of at least 2"),
        ((2, 5), "an integer from 2 to 5"),
    ):
        with pytest.raises(ValueError, match=f"^Lanes must be {rule}, not 0$"):
            check_integer("Lanes", 0, *arguments)
    assert check_data_bits(512) is None
