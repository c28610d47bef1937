"""Configurations that no accelerator can be built with are refused; facts agree with layouts."""

from dataclasses import replace

import pytest

from mnv2.hw.config import (
    CAUSES,
    COUNTER_COLUMNS,
    COUNTERS,
    LOGIT_BITS,
    PRESETS,
    RECORD_BYTES,
    RINGS,
    AcceleratorConfig,
)
from mnv2.hw.layouts import channel_parameters, logits_word
from mnv2.hw.passes import Stall
from mnv2.hw.program import Descriptor, Header


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": 18}, r"outputs must be a multiple of inputs \(4\), not 18"),
        ({"outputs": 8}, "outputs must be at least 9, the taps of a 3x3 kernel, not 8"),
        ({"inputs": 2}, "inputs must be at least 3, the channels of an image, not 2"),
        ({"weight_bits": 3}, "weight_bits must be 4 to 8, not 3"),
        ({"activation_bits": 9}, "activation_bits must be 4 to 8, not 9"),
        ({"map_words": 2**16}, "map_words must be at most 65535, not 65536"),
        ({"data_bits": 96}, "data_bits must be 64, 128, 256 or 512, not 96"),
        ({"queue_words": 7}, "queue_words must be at least 8, two tiles, not 7"),
        ({"outstanding": 1}, "outstanding must be at least 2, not 1"),
        ({"burst_beats": 257}, "burst_beats must be at most 256, not 257"),
        ({"burst_beats": 256, "data_bits": 512}, "burst_beats must be at most 64, not 256"),
        ({"burst_beats": 12}, "burst_beats must be a power of two, 2 or more, not 12"),
        ({"burst_beats": 1}, "burst_beats must be a power of two, 2 or more, not 1"),
        ({"map_words": 1}, "map_words must be at least 2, not 1"),
        ({"strip_words": 1}, "strip_words must be at least 2, not 1"),
        ({"line_words": 1}, "line_words must be at least 2, not 1"),
        ({"weight_words": 1}, "weight_words must be at least 2, not 1"),
        ({"tap_words": 1}, "tap_words must be at least 2, not 1"),
        ({"parameter_words": 1}, "parameter_words must be at least 2, not 1"),
        ({"pixels": 0}, "pixels must be a positive integer, not 0"),
        ({"pixels": True}, "pixels must be a positive integer, not True"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(AcceleratorConfig(), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"map_words": 2**16 - 1},
        {"strip_words": 2**16 - 1},
        {"pixels": 63, "residual_lanes": 63},
        {"outputs": 4095, "inputs": 819, "residual_lanes": 819},
        {"outputs": 1023, "inputs": 1023, "residual_lanes": 1023},
        {"outputs": 9, "inputs": 3, "residual_lanes": 3, "lut_outputs": 9, "queue_words": 6},
        {"weight_bits": 4, "activation_bits": 4},
        {"outstanding": 2, "burst_beats": 256, "address_bits": 64},
        {"burst_beats": 64, "data_bits": 512},
        {"accumulator_bits": 16},
        {"accumulator_bits": 28},
        {name: 2 for name in ("map_words", "strip_words", "line_words", *RINGS)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_limits_themselves_are_taken(changes):
    config = replace(AcceleratorConfig(), **changes)
    assert {name: getattr(config, name) for name in changes} == changes


def test_buffers_add_up():
    for config in PRESETS.values():
        assert config.on_chip_bytes == sum(config.buffer_bytes.values())
        lanes = config.outputs * config.inputs * config.pixels
        assert config.multipliers == lanes * config.frames


def test_facts_are_those_of_the_layouts():
    for config in (AcceleratorConfig(accumulator_bits=32), AcceleratorConfig(accumulator_bits=28)):
        record = channel_parameters(config.accumulator_bits)
        assert record.as_shape().size == config.parameter_bits
    assert logits_word(3).size == 3 * LOGIT_BITS
    for record in (Header, Descriptor):
        assert record.as_shape().size <= 8 * RECORD_BYTES


def test_causes_are_those_of_the_hardware():
    assert tuple(cause.name.lower() for cause in Stall) == ("none", *CAUSES)
    assert [cause.value for cause in Stall] == list(range(1 + len(CAUSES)))


def test_counters_fit_into_half_a_row():
    assert len(set(COUNTERS)) == len(COUNTERS) <= COUNTER_COLUMNS // 2
