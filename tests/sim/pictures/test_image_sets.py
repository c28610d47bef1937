"""Sets of pictures as people have them, and what their labels are taken from."""

import shutil
import sys

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import class_names
from mnv2.sim.pictures.image_sets import choose_pictures, find_image_set
from tests.sim.sweep.small import write_pictures

SYNSETS = ("n01440764", "n01443537", "n02123045")


def labels(image_set):
    return [picture.label for picture in image_set.pictures]


def touch_folders(root, names):
    """A folder with one file that is called as a picture is, for each name."""
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "picture.JPEG").write_bytes(b"")
    return root


def touch_validation(folder, count):
    folder.mkdir()
    for number in range(1, count + 1):
        (folder / f"ILSVRC2012_val_{number:08}.JPEG").write_bytes(b"")
    return folder


def test_bundled():
    image_set = find_image_set("bundled")
    assert len(image_set.pictures) == 120
    assert image_set.labelled
    assert "easy" in image_set.labels_from
    assert labels(image_set)[:3] == [243, 559, 438]
    # Of ai-benchmark's some have no label, and the sentence counts the others.
    assert labels(image_set)[20:23] == [130, 448, None]
    known = sum(label is not None for label in labels(image_set))
    assert f"{known} of 120" in image_set.labels_from
    assert 100 < known < 120
    assert not find_image_set("bundled", classes=10).labelled


def test_folders_by_index(tmp_path):
    write_pictures(tmp_path / "7", 2)
    write_pictures(tmp_path / "007", 1, seed=1)
    write_pictures(tmp_path / "12" / "deeper", 1, seed=2)
    image_set = find_image_set(str(tmp_path))
    assert labels(image_set) == [7, 12, 7, 7]
    assert "indices" in image_set.labels_from
    assert [picture.name for picture in image_set.pictures][1] == "12/deeper/picture000.png"


def test_folders_by_class_name(tmp_path):
    touch_folders(tmp_path, ["Egyptian_cat", "espresso", "great-white shark"])
    assert labels(find_image_set(str(tmp_path))) == [285, 967, 2]


def test_name_that_is_no_class(tmp_path):
    touch_folders(tmp_path, ["Egyptian_cat", "my pictures"])
    with pytest.raises(
        UserError, match="'my pictures' of .* must be called by a class, as 'Egyptian_cat' is"
    ):
        find_image_set(str(tmp_path))


def test_index_that_is_no_class(tmp_path):
    touch_folders(tmp_path, ["1000"])
    with pytest.raises(UserError, match="must be a class of the network, 0 to 999, not 1000"):
        find_image_set(str(tmp_path))


def test_a_thousand_folders_are_the_classes_in_order(tmp_path):
    names = [f"n{number:08}" for number in range(5, 5005, 5)]
    touch_folders(tmp_path, names)
    image_set = find_image_set(str(tmp_path))
    assert labels(image_set) == list(range(1000))
    assert "order of the 1000 folders' names" in image_set.labels_from


def test_some_synsets_alone_have_no_labels(tmp_path):
    touch_folders(tmp_path, SYNSETS)
    image_set = find_image_set(str(tmp_path))
    assert labels(image_set) == [None] * 3
    assert image_set.labels_from.startswith("none: ")


def test_synsets_with_their_list(tmp_path):
    touch_folders(tmp_path / "val", SYNSETS[1:])
    (tmp_path / "LOC_synset_mapping.txt").write_text(
        "".join(f"{name} some, words\n" for name in SYNSETS)
    )
    assert labels(find_image_set(str(tmp_path / "val"), classes=3)) == [1, 2]


def test_folder_of_pictures_without_labels(tmp_path):
    write_pictures(tmp_path, 3)
    image_set = find_image_set(str(tmp_path))
    assert labels(image_set) == [None] * 3
    assert "no list of labels" in image_set.labels_from


def test_validation_pictures_with_val_txt(tmp_path):
    folder = touch_validation(tmp_path / "val", 3)
    (tmp_path / "val.txt").write_text(
        "".join(
            f"ILSVRC2012_val_{number:08}.JPEG {label}\n"
            for number, label in ((3, 230), (1, 65), (2, 970), (4, 5))
        )
    )
    image_set = find_image_set(str(folder))
    assert labels(image_set) == [65, 970, 230]
    assert image_set.labels_from == "val.txt"


def test_validation_pictures_with_kaggles_solution(tmp_path):
    folder = touch_validation(tmp_path / "val", 3)
    (tmp_path / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\n"
        f"ILSVRC2012_val_00000002,{SYNSETS[0]} 1 2 3 4\n"
        f"ILSVRC2012_val_00000001,{SYNSETS[2]} 1 2 3 4 {SYNSETS[2]} 5 6 7 8\n"
        f"ILSVRC2012_val_00000003,{SYNSETS[1]} 1 2 3 4\n"
    )
    assert labels(find_image_set(str(folder), classes=3)) == [2, 0, 1]


def test_validation_pictures_with_a_synset_each(tmp_path):
    folder = touch_validation(tmp_path / "val", 2)
    (folder / "imagenet_2012_validation_synset_labels.txt").write_text(
        f"{SYNSETS[1]}\n{SYNSETS[0]}\n{SYNSETS[2]}\n"
    )
    assert labels(find_image_set(str(folder), classes=3)) == [1, 0]


def test_the_kits_numbers_are_not_classes(tmp_path):
    """The development kit's order is not that of the synsets: 490 is a sea snake there, not 65."""
    folder = touch_validation(tmp_path / "val", 2)
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("490\n361\n")
    image_set = find_image_set(str(folder))
    assert labels(image_set) == [None, None]
    assert "meta.mat" in image_set.labels_from


def test_the_kits_numbers_with_its_meta(tmp_path, monkeypatch):
    folder = touch_validation(tmp_path / "val", 3)
    kit = tmp_path / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n2\n3\n")
    (kit / "meta.mat").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(UserError, match="need scipy"):
        find_image_set(str(folder), classes=3)


def test_meta_orders_the_kits_numbers(tmp_path, monkeypatch):
    """The kit numbers classes as it likes; classes are in the order of their synsets."""
    from mnv2.sim.pictures import imagenet_labels

    folder = touch_validation(tmp_path / "val", 3)
    (tmp_path / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n2\n3\n")
    (tmp_path / "meta.mat").write_bytes(b"")
    # Number 4 is no class, but a synset above some.
    synsets = {1: SYNSETS[2], 2: SYNSETS[0], 3: SYNSETS[1], 4: "n00001740"}
    monkeypatch.setattr(imagenet_labels, "_read_meta", lambda file: synsets)
    assert labels(find_image_set(str(folder), classes=3)) == [2, 0, 1]


@pytest.mark.parametrize("text", ["one two three", "ILSVRC2012_val_00000001.JPEG\n", "\x00\xff"])
def test_list_of_labels_that_is_none(tmp_path, text):
    folder = touch_validation(tmp_path / "val", 1)
    (tmp_path / "val.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="val.txt' cannot be understood"):
        find_image_set(str(folder))


def test_validation_picture_without_a_label(tmp_path):
    folder = touch_validation(tmp_path / "val", 2)
    (tmp_path / "val.txt").write_text("ILSVRC2012_val_00000001.JPEG 3\n")
    with pytest.raises(UserError, match="'ILSVRC2012_val_00000002.JPEG' has no label in val.txt"):
        find_image_set(str(folder))


def test_list_file(tmp_path):
    write_pictures(tmp_path / "some pictures", 3)
    path = tmp_path / "list.txt"
    path.write_text(
        "# a comment\n\nsome pictures/picture001.png 5\n"
        "some pictures/picture000.png, Egyptian cat\n"
        f"{tmp_path}/some pictures/picture002.png\t999\n"
    )
    image_set = find_image_set(str(path))
    assert labels(image_set) == [5, 285, 999]
    assert all(picture.path.is_file() for picture in image_set.pictures)


def test_list_of_paths_alone(tmp_path):
    path = tmp_path / "list"
    for name in ("a.png", "b c.png"):
        (tmp_path / name).write_bytes(b"")
    path.write_text("a.png\nb c.png\n")
    image_set = find_image_set(str(path))
    assert labels(image_set) == [None, None]
    assert [picture.name for picture in image_set.pictures] == ["a.png", "b c.png"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a.png 1000\n", "Line 1 of .* must be a class of the network, 0 to 999, not 1000"),
        ("a.png 1\nb.png -3\n", "Line 2 of .* must end in the index or the name of a class"),
        ("a.png unicorn\n", "not 'unicorn'"),
        ("a.png 1\nb.png\n", "must give every picture a label or none; 'b.png' has none"),
        ("\n# nothing\n", "names no picture"),
        (
            "a.png 1\nno.png 2\nnor.png 2\n",
            "Line 2 of .* must name a picture that is there, not 'no.png'; 2 of 3 pictures are",
        ),
    ],
)
def test_list_that_is_wrong(tmp_path, text, words):
    path = tmp_path / "list.txt"
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        find_image_set(str(path))


def test_what_is_no_set(tmp_path):
    (picture,) = write_pictures(tmp_path / "a", 1)
    with pytest.raises(UserError, match="must be a folder or a list file"):
        find_image_set(str(picture))
    with pytest.raises(UserError, match="there is no '.*nowhere'"):
        find_image_set(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        find_image_set(str(tmp_path / "empty"))
    shutil.copy(picture, tmp_path)
    with pytest.raises(UserError, match="a set is one or the other"):
        find_image_set(str(tmp_path))


def test_choice_is_random_by_its_seed_and_in_order():
    image_set = find_image_set("bundled")
    chosen = choose_pictures(image_set, 8, seed=1)
    names = [picture.name for picture in chosen.pictures]
    assert len(names) == 8
    everything = [picture.name for picture in image_set.pictures]
    assert names == sorted(names, key=everything.index)
    assert chosen == choose_pictures(image_set, 8, seed=1)
    assert chosen != choose_pictures(image_set, 8, seed=2)
    assert choose_pictures(image_set, 121, seed=1) == choose_pictures(image_set, None, seed=1)
    # Every picture is as likely as another.
    counts = dict.fromkeys(everything, 0)
    for seed in range(400):
        for picture in choose_pictures(image_set, 30, seed).pictures:
            counts[picture.name] += 1
    assert min(counts.values()) > 60
    assert max(counts.values()) < 140


def test_name_of_two_classes_is_none(tmp_path):
    """A Cardigan is a dog, and a cardigan a garment."""
    assert {"Cardigan", "cardigan"} <= set(class_names())
    touch_folders(tmp_path, ["cardigan", "espresso"])
    with pytest.raises(UserError, match="'cardigan' of .* must be called by a class"):
        find_image_set(str(tmp_path))
