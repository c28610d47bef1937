"""All sizes that do not fit are named at once, and with them the network fits."""

import dataclasses
import re

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.hw.config import PRESETS
from mnv2.sim.configuration import load_configuration
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.mapping.placement import fitting_sizes, place_network
from mnv2.sim.mapping.tiling import BUFFERS, DoesNotFit

SMALL = {"map_words": 100, "strip_words": 10, "line_words": 5}


@pytest.mark.parametrize("changes", [SMALL, {"tap_words": 4, "parameter_words": 4}, {}])
@pytest.mark.parametrize("preset", ["tiny", "base"])
def test_the_network_fits_with_what_is_said(preset, changes):
    network, config = mobilenet_v2(), dataclasses.replace(PRESETS[preset], **changes)
    if preset == "base" and not changes:
        place_network(network, config)
        return
    with pytest.raises(DoesNotFit) as caught:
        place_network(network, config)
    advice = caught.value.advice
    options = re.findall(r"--set (\w+=\d+)", advice)
    assert {one.split("=")[0] for one in options} <= set(BUFFERS)
    assert set(changes) <= {one.split("=")[0] for one in options}
    made = dataclasses.replace(config, **{k: int(v) for k, v in (o.split("=") for o in options)})
    place_network(network, made)
    # Each is the least: with one word less something does not fit, or another place is found.
    for option in options:
        name, value = option.split("=")
        assert int(value) > getattr(config, name)


def test_the_line_is_ready_for_a_shell():
    network = mobilenet_v2(width=0.35, input_size=96)
    wanted = ["line_words=4", "tap_words=2"]
    with pytest.raises(UserError, match=r"change it with --set .*, or take") as caught:
        predict_network(network, load_configuration("base", wanted))
    options = re.findall(r"--set (\w+=\d+)", str(caught.value))
    predict_network(network, load_configuration("base", options))


def test_what_no_size_changes_has_none():
    network = mobilenet_v2(input_size=4096)
    with pytest.raises(DoesNotFit, match="descriptor's field") as caught:
        place_network(network, PRESETS["base"])
    assert fitting_sizes(network, PRESETS["base"], caught.value) is None
    assert "with --set, or" in caught.value.advice
    # Or one that is larger than its field.
    huge = DoesNotFit("too large", "map_words", 1 << 20)
    assert fitting_sizes(mobilenet_v2(), PRESETS["base"], huge) is None
