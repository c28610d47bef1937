"""Pictures are decoded once, in order, and what is damaged is left out and named."""

import numpy as np
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.pictures.decode import decode_pictures
from mnv2.sim.pictures.image_sets import find_image_set
from mnv2.sim.pictures.images import crop_image, load_image
from tests.sim.sweep.small import write_pictures


@pytest.fixture
def image_set(tmp_path):
    for label in (3, 5):
        write_pictures(tmp_path / str(label), 4, seed=label)
    return find_image_set(str(tmp_path))


def test_pixels_are_those_of_each_file(image_set):
    pictures = decode_pictures(image_set, 16, workers=3)
    for pixels, file in zip(pictures.pixels, image_set.pictures, strict=True):
        np.testing.assert_array_equal(pixels, crop_image(load_image(file.path), 16))
    assert pictures.labels.tolist() == [3] * 4 + [5] * 4
    assert pictures.skipped == ()


def test_damaged_pictures_are_left_out(image_set):
    image_set.pictures[1].path.write_bytes(image_set.pictures[1].path.read_bytes()[:60])
    image_set.pictures[6].path.write_bytes(b"")
    calls = []
    pictures = decode_pictures(image_set, 16, progress=lambda *done: calls.append(done))
    assert [name for name, _ in pictures.skipped] == ["3/picture001.png", "5/picture002.png"]
    assert "is empty" in pictures.skipped[1][1]
    assert len(pictures) == len(pictures.files) == 6
    assert pictures.labels.tolist() == [3] * 3 + [5] * 3
    np.testing.assert_array_equal(
        pictures.pixels[1], crop_image(load_image(image_set.pictures[2].path), 16)
    )
    assert calls[-1] == (8, 8)


def test_none_that_can_be_used(image_set):
    for picture in image_set.pictures:
        picture.path.write_bytes(b"lorem ipsum")
    with pytest.raises(UserError, match="None of the 8 pictures of .* can be used"):
        decode_pictures(image_set, 16)


def test_hash_is_of_content_and_labels(tmp_path):
    paths = write_pictures(tmp_path / "a" / "1", 3)
    write_pictures(tmp_path / "b" / "1", 3)
    write_pictures(tmp_path / "c" / "2", 3)

    def hash_of(name):
        return decode_pictures(find_image_set(str(tmp_path / name)), 16).content_hash

    assert hash_of("a") == hash_of("b") != hash_of("c")
    paths[0].write_bytes(paths[1].read_bytes())
    assert hash_of("a") != hash_of("b")


def test_chunks_hold_all(image_set):
    pictures = decode_pictures(image_set, 16)
    chunks = pictures.chunks(3)
    assert [len(pixels) for pixels, _ in chunks] == [3, 3, 2]
    for size, later, lengths in ((3, 4, [3, 4, 1]), (3, 9, [3, 5]), (9, 2, [8]), (8, 1, [8])):
        cut = pictures.chunks(size, later)
        assert [len(pixels) for pixels, _ in cut] == lengths
        assert np.concatenate([labels for _, labels in cut]).tolist() == pictures.labels.tolist()
    np.testing.assert_array_equal(np.concatenate([pixels for pixels, _ in chunks]), pictures.pixels)
    assert np.concatenate([labels for _, labels in chunks]).tolist() == pictures.labels.tolist()
