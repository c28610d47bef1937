"""Lists become points: every combination once, whatever the order they are written in."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import AXES, DEFAULT_GRIDS, Point, expand_grids, parse_list, varied_axes
from tests.sim.sweep.small import small_model

AXIS = {axis.option: axis for axis in AXES}


@pytest.mark.parametrize(
    ("option", "text", "values"),
    [
        ("weights", "3..8", (3, 4, 5, 6, 7, 8)),
        ("weights", "8,2..3, 3", (2, 3, 8)),
        ("activations", "4..8,16", (4, 5, 6, 7, 8, 16)),
        ("activations", "7..16", (7, 8, 16)),
        ("granularity", "channel,tensor", ("tensor", "channel")),
        ("equalization", "on", ("on",)),
        ("first-last", "8,same", ("same", "8")),
    ],
)
def test_lists(option, text, values):
    assert parse_list(AXIS[option], text) == values


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("weights", "1..8", "--weights must be a list of 2 to 8, such as 3..7 or 2,8, not '1..8'"),
        ("weights", "8..3", "not '8..3'"),
        ("weights", "", "not ''"),
        ("weights", "4,,5", "not '4,,5'"),
        ("weights", "four", "not 'four'"),
        ("activations", "9", "--activations must be a list of 4 to 8 or 16"),
        ("granularity", "layer", "--granularity must be a list of tensor, channel, not 'layer'"),
        ("bias-correction", "yes", "must be a list of off, on, not 'yes'"),
    ],
)
def test_lists_that_are_wrong(option, text, words):
    with pytest.raises(UserError, match="must be") as caught:
        parse_list(AXIS[option], text)
    assert words in str(caught.value)


def test_product_of_lists():
    points = expand_grids(
        [{"weight_bits": (8, 4), "activation_bits": (8,), "scales": ("power-of-two", "real")}]
    )
    assert [(p.weight_bits, p.scales) for p in points] == [
        (4, "real"),
        (4, "power-of-two"),
        (8, "real"),
        (8, "power-of-two"),
    ]
    assert all(p.granularity == "channel" for p in points)
    assert [axis.field for axis in varied_axes(points)] == ["weight_bits", "scales"]


def test_points_of_several_products_occur_once():
    first, second = {"weight_bits": (4, 8)}, {"activation_bits": (8, 6)}
    points = expand_grids([first, second])
    assert points == expand_grids([second, first])
    assert len(points) == 3


def test_every_axis_is_a_field_and_every_default_a_value():
    assert [axis.field for axis in AXES] == list(Point.__dataclass_fields__)
    for axis in AXES:
        assert getattr(Point(), axis.field) in axis.values


def test_every_value_can_be_quantised_with():
    network = small_model().network
    for axis in AXES:
        for value in axis.values:
            options = quantization_options(Point(**{axis.field: value}), network)
            options.check_names(network)


def test_default_sweep_teaches():
    points = expand_grids(DEFAULT_GRIDS)
    assert len({point.key for point in points}) == len(points) < 300
    assert {point.granularity for point in points} == {"tensor", "channel"}
    assert {point.weight_bits for point in points} >= set(range(3, 9))
    assert {point.scales for point in points} == {"real", "power-of-two"}
    assert {point.adaptive_rounding for point in points} == {"off", "on"}


def test_names_say_what_differs():
    assert Point().name == "W8A8"
    point = Point(weight_bits=4, granularity="tensor", equalization="on", accumulator_bits=16)
    assert point.name == "W4A8 per tensor 16-bit accumulators equalization"
    names = [point.name for point in expand_grids(DEFAULT_GRIDS)]
    assert len(set(names)) == len(names)
