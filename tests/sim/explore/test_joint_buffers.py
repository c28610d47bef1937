"""Strip, map and weight memory with the least RAM, found among all that fit."""

import itertools
from dataclasses import replace

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.cost.devices import find_device
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.explore.buffers import BufferSizes
from mnv2.sim.explore.joint_buffers import RAM_DEPTH, smallest_buffers
from mnv2.sim.mapping.placement import place_network
from mnv2.sim.mapping.tiling import DoesNotFit
from tests.sim.rtl.machines import network_of

NETWORKS = {
    "early": network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 48),
    "late": network_of([(6, 96, 1, 1), (6, 160, 2, 2)], 20),
    "both": network_of([(1, 8, 1, 1), (6, 40, 2, 2), (6, 80, 2, 1)], 64),
}


def block_rams(config):
    """Halves of 36 bits, side by side and in a row, of the three memories."""
    return sum(
        -(-words // 512) * -(-bits // 36)
        for words, bits in (
            (config.strip_words, config.word_bits),
            (config.map_words, config.word_bits),
            (config.weight_words, config.weight_word_bits),
        )
    )


@pytest.mark.parametrize("name", list(NETWORKS))
@pytest.mark.parametrize("lanes", [(12, 4, 1), (16, 8, 2)])
def test_no_other_sizes_take_fewer(name, lanes):
    outputs, inputs, pixels = lanes
    most = 12 * RAM_DEPTH["block"]
    ample = replace(
        PRESETS["base"],
        outputs=outputs,
        inputs=inputs,
        pixels=pixels,
        packing="none",
        residual_lanes=1,
        line_words=2048,
        tap_words=512,
        map_words=most,
        strip_words=most,
        weight_words=most,
    )
    found = smallest_buffers(NETWORKS[name], ample)
    place_network(NETWORKS[name], found)
    sizes = range(RAM_DEPTH["block"], most + 1, RAM_DEPTH["block"])
    for strip, maps, weights in itertools.product(sizes, repeat=3):
        other = replace(found, strip_words=strip, map_words=maps, weight_words=weights)
        if block_rams(other) < block_rams(found):
            with pytest.raises(DoesNotFit):
                place_network(NETWORKS[name], other)


def test_the_whole_network_fits_an_ecp5():
    """The least map memory would force low strips, and 7,680 words of weights: 299 block RAMs."""
    config = BufferSizes(mobilenet_v2()).configuration(
        {
            "outputs": 16,
            "inputs": 4,
            "pixels": 1,
            "packing": "none",
            "data_bits": 64,
            "map_share": 0,
        }
    )
    device = find_device("ECP5-85")
    buffers = estimate_resources(replace(config, counters=False), "ecp5").block_ram_18k
    assert buffers <= 136
    assert estimate_resources(config, "ecp5").block_ram_18k == buffers + 4 < device.block_ram_18k


def test_a_network_that_fits_nothing():
    ample = replace(PRESETS["base"], strip_words=512, map_words=512)
    with pytest.raises(DoesNotFit, match="needs"):
        smallest_buffers(mobilenet_v2(), ample)
