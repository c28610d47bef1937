"""Names of classes from files, and how folders become classes by them."""

import json

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import class_name, class_names, known_class_names
from mnv2.sim.pictures.image_sets import find_image_set
from mnv2.sim.pictures.label_file import read_class_names
from mnv2.sim.pictures.set_words import chance_of, label_warnings, preparation_line
from tests.sim.pictures.test_image_sets import labels, touch_folders

NAMES = ("tulip", "daisy", "Sun flower")


def write(folder, text):
    path = folder / "labels.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "tulip\ndaisy\nSun flower\n",
        "\ufefftulip\r\n\r\ndaisy\r\nSun flower",
        "# flowers\n2 Sun flower\n0 tulip\n1 daisy\n",
        "0: tulip\n1: daisy\n2: Sun flower\n",
        "daisy, 1\ntulip, 0\nSun flower,2\n",
        "Sun flower\t2\ntulip\t0\ndaisy\t1\n",
        "tulip 0\ndaisy 1\nSun flower 2\n",
        json.dumps(NAMES),
        json.dumps({"0": "tulip", "2": "Sun flower", "1": "daisy"}),
        json.dumps({"tulip": 0, "daisy": 1, "Sun flower": 2}),
    ],
)
def test_forms(tmp_path, text):
    found = read_class_names(write(tmp_path, text), 3)
    assert found.names == NAMES
    assert found.given
    assert found.origin == "labels.txt"


def test_numbers_may_be_part_of_names(tmp_path):
    found = read_class_names(write(tmp_path, "Cessna 172\nBoeing 747\n"), 2)
    assert read_class_names(write(tmp_path, "kind 1\nkind 0\n"), 2).names == ("kind 1", "kind 0")
    assert found.names == ("Cessna 172", "Boeing 747")


def test_classes_may_be_missing(tmp_path):
    found = read_class_names(write(tmp_path, "4 daisy\n"), 6)
    assert (found.name(4), found.name(5)) == ("daisy", "class 5")
    assert found.indices == {"daisy": 4}


def test_synsets_and_synonyms(tmp_path):
    text = "n01440764 tench, Tinca tinca\nn01443537 goldfish\n"
    found = read_class_names(write(tmp_path, text), 2)
    assert found.name(0) == "tench"
    for folder in ("n01440764", "tench", "Tinca_tinca"):
        assert found.indices[folder.lower().replace("_", " ")] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb\n", "it names 2 classes, and the network has 3"),
        ("0 a\n7 b\n", "'b' must be a class of the network, 0 to 2, not 7"),
        ("a,0\nb,3\n", "'b' must be a class of the network, 0 to 2, not 3"),
        ("0 a\n0 b\n", "class 0 must have one name, not 'a' and 'b'"),
        ("\n# nothing\n", "it names no class"),
        ("{", "it must be valid JSON"),
        ('{"a": "b"}', "must be a list of names, names by index, or indices by name"),
        ("[1, 2, 3]", "must be a list of names"),
    ],
)
def test_files_that_are_none(tmp_path, text, words):
    with pytest.raises(UserError, match=f"The labels .*labels.txt cannot be used: .*{words}"):
        read_class_names(write(tmp_path, text), 3)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_class_names(tmp_path / "none.txt", 3)
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="must be text"):
        read_class_names(tmp_path / "x", 3)


def test_folders_are_classes_by_these_names(tmp_path):
    """The order of the folders' names would be another."""
    touch_folders(tmp_path / "set", ["daisy", "sun-flower", "tulip"])
    names = read_class_names(write(tmp_path, "\n".join(NAMES)), 3)
    image_set = find_image_set(str(tmp_path / "set"), 3, names)
    assert labels(image_set) == [1, 2, 0]
    assert image_set.label_words == (
        "names of classes in labels.txt that folders are called by: daisy 1, sun-flower 2, tulip 0"
    )
    alphabetical = find_image_set(str(tmp_path / "set"), 3)
    assert labels(alphabetical) == [0, 1, 2]
    assert "the order of the 3 folders' names: daisy 0" in alphabetical.label_words


def test_names_that_are_numbers(tmp_path):
    """A network whose classes are digits in another order."""
    touch_folders(tmp_path / "set", ["0", "1", "2"])
    names = read_class_names(write(tmp_path, '["2", "0", "1"]'), 3)
    assert labels(find_image_set(str(tmp_path / "set"), 3, names)) == [1, 2, 0]


def test_indices_serve_where_names_do_not(tmp_path):
    touch_folders(tmp_path / "set", ["0", "2"])
    names = read_class_names(write(tmp_path, "\n".join(NAMES)), 3)
    assert labels(find_image_set(str(tmp_path / "set"), 3, names)) == [0, 2]


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["daisy", "rose"], "'rose' of .* must be called by a class, as 'daisy' is"),
        (["lily", "pansy", "rose"], "'lily' of .* by a class of labels.txt, such as 'tulip'"),
    ],
)
def test_folder_that_no_name_fits(tmp_path, folders, words):
    """Never by the order of the folders, once names were given."""
    touch_folders(tmp_path / "set", folders)
    names = read_class_names(write(tmp_path, "\n".join(NAMES)), 3)
    with pytest.raises(UserError, match=words):
        find_image_set(str(tmp_path / "set"), 3, names)


def test_a_list_may_use_the_names(tmp_path):
    touch_folders(tmp_path, ["a"])
    (tmp_path / "list.txt").write_text("a/picture.JPEG sun flower\n")
    names = read_class_names(write(tmp_path, "\n".join(NAMES)), 3)
    assert labels(find_image_set(str(tmp_path / "list.txt"), 3, names)) == [2]


def test_networks_with_a_class_for_the_background(tmp_path):
    """TensorFlow's networks of 1,001 classes have ImageNet's from 1 on."""
    known = known_class_names(1001)
    assert (known.name(0), known.name(286)) == ("background", "Egyptian cat")
    assert class_name(286, 1001) == class_name(285) == class_names()[285]
    bundled = find_image_set("bundled", 1001)
    assert labels(bundled) == [
        None if label is None else label + 1 for label in labels(find_image_set("bundled"))
    ]
    touch_folders(tmp_path, [f"n{number:08}" for number in range(1000)])
    assert labels(find_image_set(str(tmp_path), 1001)) == list(range(1, 1001))


def test_pictures_to_calibrate_on_need_no_classes(tmp_path):
    touch_folders(tmp_path, ["espresso", "my pictures"])
    found = find_image_set(str(tmp_path), labelled=False)
    assert labels(found) == [None, None]
    with pytest.raises(UserError, match="must be called by a class"):
        find_image_set(str(tmp_path))


def test_chance():
    assert chance_of([0, 1, 2, 3], 1000) == 0.25
    assert chance_of(range(100), 100) == 0.01
    assert chance_of([0, 0, 0, 1], 2) == 0.75


@pytest.mark.parametrize(
    ("count", "right", "warned"),
    [(60, 0.2, True), (60, 0.35, True), (60, 0.4, False), (1000, 0.25, False), (1000, 0.23, True)],
)
def test_near_chance(count, right, warned):
    """Five classes: a fifth by chance, of few pictures within three standard errors."""
    found = label_warnings([number % 5 for number in range(count)], known_class_names(5), right)
    assert bool(found) is warned
    if warned:
        assert f"right on {100 * right:.1f}% of {count:,} pictures, near chance (20.0%)" in found[0]
        assert "--labels" in found[0]
        assert "--resize" in found[0]


def test_one_class_alone():
    (sentence,) = label_warnings([3] * 20, known_class_names(5), 1.0)
    assert sentence.startswith("All 20 pictures are of one class, class 3: accuracy by labels says")
    assert label_warnings(None, known_class_names(5), 0.0) == []


def test_preparation_line(tmp_path):
    from mnv2.golden.float_model import KERAS_NORMALIZATION
    from mnv2.sim.pictures.resizing import Resizing

    touch_folders(tmp_path, [*"abcdef"])
    line = preparation_line(
        find_image_set(str(tmp_path), 6), Resizing("stretch"), (96, 96), KERAS_NORMALIZATION, "dogs"
    )
    assert line == (
        "Pixels: both sides stretched to 96 x 96; normalised as symmetric; classes: the order of "
        "the 6 folders' names: a 0, b 1, c 2, d 3, … 6 folders; calibrated on dogs"
    )
