"""What no accelerator can be built with is refused, and every preset can."""

from dataclasses import replace

import pytest

from mnv2.hw.config import PRESETS, AcceleratorConfig


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
        ({"pixels": 0}, "pixels must be a positive integer, not 0"),
        ({"pixels": True}, "pixels must be a positive integer, not True"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(AcceleratorConfig(), **changes)


def test_buffers_add_up():
    for config in PRESETS.values():
        assert config.on_chip_bytes == sum(config.buffer_bytes.values())
        assert config.multipliers == config.outputs * config.inputs * config.pixels
