"""Buffers are the least that the network needs, in whole block RAMs, and more where asked."""

from dataclasses import replace

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.explore.buffers import BufferSizes
from mnv2.sim.explore.joint_buffers import RAM_DEPTH
from mnv2.sim.explore.space import choose_space
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.tiling import DoesNotFit
from tests.sim.rtl.machines import network_of

POINT = {name: values[0] for name, values in choose_space("small").values.items()}
LANES = [(16, 4, 7), (32, 16, 2), (12, 4, 1), (64, 32, 14)]


@pytest.fixture(scope="module")
def sizes():
    return BufferSizes(mobilenet_v2())


def point(outputs, inputs, pixels, **others):
    return {**POINT, "outputs": outputs, "inputs": inputs, "pixels": pixels, **others}


@pytest.mark.parametrize("lanes", LANES)
def test_a_block_ram_less_does_not_fit(sizes, lanes):
    config = sizes.configuration(point(*lanes, map_share=0))
    place_network(mobilenet_v2(), config)
    for name in (
        "line_words",
        "tap_words",
        "parameter_words",
        "strip_words",
        "map_words",
        "weight_words",
    ):
        words = getattr(config, name)
        assert words % RAM_DEPTH["block"] == 0
        if words > RAM_DEPTH["block"]:
            with pytest.raises(DoesNotFit):
                place_network(mobilenet_v2(), replace(config, **{name: words - RAM_DEPTH["block"]}))


@pytest.mark.parametrize("lanes", LANES[:2])
def test_a_share_of_one_keeps_every_map(sizes, lanes):
    config = sizes.configuration(point(*lanes, map_share=1))
    assert not any(place_network(mobilenet_v2(), config).spilled)
    fewer = replace(config, map_words=config.map_words - RAM_DEPTH["block"])
    assert any(place_network(mobilenet_v2(), fewer).spilled)
    middle = sizes.configuration(point(*lanes, map_share=0.5))
    least = sizes.configuration(point(*lanes, map_share=0))
    assert least.map_words < middle.map_words < config.map_words


def test_factors_multiply_the_least(sizes):
    least = sizes.configuration(point(16, 4, 7))
    more = sizes.configuration(point(16, 4, 7, weight_factor=2.0))
    assert more.weight_words == 2 * least.weight_words
    assert replace(more, weight_words=least.weight_words) == least
    strips = sizes.configuration(point(16, 4, 7, strip_factor=4.0))
    assert strips.strip_words == 4 * least.strip_words


def test_sizes_that_are_stated_stay(sizes):
    stated = {
        "map_words": 20001,
        "strip_words": 3000,
        "line_words": 1000,
        "weight_words": 9000,
        "tap_words": 300,
        "parameter_words": 800,
        "queue_words": 33,
    }
    config = sizes.configuration(point(16, 4, 7, **stated))
    assert {name: getattr(config, name) for name in stated} == stated
    with pytest.raises(DoesNotFit, match="tap_words is 100"):
        sizes.configuration(point(16, 4, 7, tap_words=100))


def test_lanes_that_are_no_accelerator(sizes):
    with pytest.raises(ValueError, match="multiple of inputs"):
        sizes.configuration(point(12, 8, 1))
    with pytest.raises(ValueError, match="burst_beats"):
        sizes.configuration(point(16, 4, 1, data_bits=512, burst_beats=256))


def test_narrow_weights_take_the_room_of_strips(sizes):
    """A word of weights is half as wide: more of them take fewer block RAMs than more of a map."""
    wide, narrow = (sizes.configuration(point(16, 4, 7, weight_bits=bits)) for bits in (8, 4))
    assert narrow.weight_words > wide.weight_words
    assert narrow.strip_words + narrow.map_words < wide.strip_words + wide.map_words


def test_options_of_the_datapath_are_those_of_the_point(sizes):
    options = {
        "frames": 2,
        "packing": "frames",
        "operand_bits": 25,
        "accumulator_bits": 25,
        "requantize": "single",
        "multipliers_in_luts": True,
        "residual_lanes": 14,
        "padded_words": True,
        "counters": False,
    }
    config = sizes.configuration(point(16, 4, 7, **options))
    assert {name: getattr(config, name) for name in options} == options
    with pytest.raises(ValueError, match="packing can be frames only with frames=2"):
        sizes.configuration(point(16, 4, 7, packing="frames"))


@pytest.mark.parametrize(("lanes", "fitting"), [((16, 4, 7), 4), ((15, 3, 1), 3), ((15, 5, 1), 1)])
def test_residual_lanes_divide_a_word(lanes, fitting):
    sizes = BufferSizes(network_of([(1, 3, 1, 1)], 8, stem=3))
    values = {name: value for name, value in point(*lanes).items() if name != "residual_lanes"}
    assert sizes.configuration(values).residual_lanes == fitting


def test_what_cannot_be_built_is_no_design(sizes):
    with pytest.raises(ValueError, match="burst_beats must be a power of two, 2 or more, not 12"):
        sizes.configuration(point(16, 4, 7, burst_beats=12))
    with pytest.raises(ValueError, match="tap_words must be at least 2, not 1"):
        BufferSizes(network_of([(1, 3, 1, 1)], 8, stem=3)).configuration(
            point(12, 4, 1, tap_words=1)
        )
