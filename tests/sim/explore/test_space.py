"""Axes and their values: presets, files, single changes, and lanes that fit together."""

import itertools

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.explore.space import AXES, SPACES, choose_space, parse_values, value_text


@pytest.mark.parametrize(
    ("axis", "text", "values"),
    [
        ("outputs", "32,8,16,16", None),
        ("pixels", "2..8", tuple(range(2, 9))),
        ("pixels", "2..4, 7", (2, 3, 4, 7)),
        ("map_share", "1,0,0.5", (0.0, 0.5, 1.0)),
        ("clock_mhz", "99.5", (99.5,)),
        ("outputs", "32,16,16", (16, 32)),
        ("packing", "pixels, none", ("none", "pixels")),
        ("operand_bits", "27,18", (18, 27)),
        ("frames", "2,1,2", (1, 2)),
        ("counters", "true,False", (False, True)),
        ("requantize", "single", ("single",)),
    ],
)
def test_lists_are_sorted_and_checked(axis, text, values):
    if values is None:
        with pytest.raises(UserError, match="outputs must be an integer from 9 to 1024, not 8"):
            parse_values(AXES[axis], text)
    else:
        assert parse_values(AXES[axis], text) == values


@pytest.mark.parametrize(
    ("variation", "words"),
    [
        ("pixel=2", "no axis 'pixel': did you mean pixels"),
        ("pixels", "must be axis=values"),
        ("zzz=1", "there are outputs, inputs"),
        ("pixels=8..2", "must go up"),
        ("pixels=", "must be integers, such as 2..8"),
        ("pixels=2.5", "must be integers"),
        ("map_share=2", "from 0 to 1"),
        ("weight_bits=3", "from 4 to 8"),
        ("map_share=nan", "from 0 to 1"),
        ("outputs=8..9999", "by 1,000 at most"),
        ("packing=rows", "packing must be of none, pixels, frames, not 'rows'"),
        ("packing=", "packing must be of none, pixels, frames, not ''"),
        ("counters=1", "counters must be of false, true, not '1'"),
        ("operand_bits=26", "operand_bits must be of 18, 25, 27, not '26'"),
        ("frames=1..2", "frames must be of 1, 2, not '1..2'"),
    ],
)
def test_bad_lists_are_sentences(variation, words):
    with pytest.raises(UserError) as caught:
        choose_space("small", [variation])
    assert words in str(caught.value)


def test_a_file_extends_a_preset(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text(
        'preset = "full"\noutputs = [16, 32]\npixels = "1..3"\nburst_beats = 8\n'
        'packing = ["pixels", "none"]\nrequantize = "single"\ncounters = false\n'
    )
    space = choose_space(str(file), ["outputs=64"])
    assert space.values == {
        **SPACES["full"],
        "outputs": (64,),
        "pixels": (1, 2, 3),
        "packing": ("none", "pixels"),
        "requantize": ("single",),
        "burst_beats": (8,),
        "counters": (False,),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outputs = [8.5]", "outputs must be an integer"),
        ("lanes = [1]", "no axis 'lanes'"),
        ("preset = 'large'", "must be one of small, full"),
        ("outputs = [", "is not valid TOML"),
        ("outputs = []", "at least one value"),
        ("outputs = [true]", "must be an integer"),
        ("counters = [1]", "counters must be of false, true, not 1"),
        ("frames = [true]", "frames must be of 1, 2, not True"),
        ("packing = [1]", "packing must be of none, pixels, frames, not 1"),
    ],
)
def test_bad_files_are_sentences(tmp_path, text, words):
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        choose_space(str(file))
    assert words in str(caught.value)


def test_a_missing_file_is_a_sentence():
    with pytest.raises(UserError, match="must be one of small, full, or a TOML file"):
        choose_space("nowhere.toml")


def test_a_size_replaces_what_it_was_derived_from():
    space = choose_space("small", ["map_words=4096,8192"])
    assert "map_share" not in space.values
    assert space.values["map_words"] == (4096, 8192)
    with pytest.raises(UserError, match="map_words and map_share say the same thing twice"):
        choose_space("small", ["map_words=4096", "map_share=1"])


@pytest.mark.parametrize(("name", "bursts"), [("small", "16,32,128,256"), ("full", "4,8,64")])
def test_repaired_points_are_listed_and_stay(name, bursts):
    space = choose_space(name, [f"burst_beats={bursts}"])
    some = itertools.product(
        (space.values["outputs"]),
        space.values["inputs"],
        space.values["data_bits"],
        space.values["burst_beats"],
    )
    first = next(iter(space.points()))
    for outputs, inputs, data_bits, burst_beats in some:
        point = {
            **first,
            "outputs": outputs,
            "inputs": inputs,
            "data_bits": data_bits,
            "burst_beats": burst_beats,
        }
        repaired = space.repaired(point)
        assert repaired["outputs"] % repaired["inputs"] == 0
        assert repaired["burst_beats"] * data_bits // 8 <= 4096
        assert all(repaired[axis] in space.values[axis] for axis in repaired)
        assert space.repaired(repaired) == repaired
        if outputs % inputs == 0 and burst_beats * data_bits <= 4096 * 8:
            assert repaired == point


@pytest.mark.parametrize("name", ["small", "full"])
def test_lanes_of_the_datapath_are_repaired(name):
    space = choose_space(name)
    first = next(iter(space.points()))
    axes = ("inputs", "pixels", "frames", "packing", "residual_lanes")
    for values in itertools.product(*(space.values[axis] for axis in axes)):
        repaired = space.repaired({**first, **dict(zip(axes, values, strict=True))})
        inputs, pixels, frames, packing, lanes = (repaired[axis] for axis in axes)
        assert (inputs, pixels, frames) == values[:3]
        assert inputs * pixels * frames % lanes == 0
        assert packing != "frames" or frames == 2
        assert packing != "pixels" or pixels > 1
        assert space.repaired(repaired) == repaired
        # What fits already stays.
        assert lanes == values[4] or inputs * pixels * frames % values[4]
        if (frames, pixels) not in ((1, 1), (2, 1)) and (packing, frames) != ("frames", 1):
            assert packing == values[3] or values[3] == "frames"


def test_texts_of_values_are_read_back():
    for axis in AXES.values():
        for value in axis.choices:
            assert parse_values(axis, value_text(value)) == (value,)
            assert axis.choices[axis.place(value)] == value
    assert value_text(0.25) == "0.25"
    assert value_text(1.0) == "1"
    assert value_text(65535) == "65535"


def test_size_counts_the_combinations():
    space = choose_space(
        "small",
        [
            "outputs=16,32",
            "inputs=4",
            "pixels=1..3",
            "map_share=0",
            "strip_factor=1",
            "weight_factor=1",
            "data_bits=64",
            "frames=1",
            "packing=none",
            "residual_lanes=4",
            "multipliers_in_luts=false",
            "padded_words=false",
        ],
    )
    assert space.size == len(list(space.points())) == 6
    assert space.varied == ("outputs", "pixels")
