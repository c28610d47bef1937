"""Ways to make a picture as large as the network's."""

import numpy as np
import pytest
from PIL import Image

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, InputNormalization
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.calibration_pictures import cut_pictures
from mnv2.sim.pictures.decode import decode_pictures
from mnv2.sim.pictures.image_sets import find_image_set
from mnv2.sim.pictures.images import crop_image
from mnv2.sim.pictures.resizing import CROP, Resizing, parse_resizing, pixel_words
from tests.sim.sweep.small import write_pictures


@pytest.fixture
def picture():
    """Left half black, right half white, 60 columns by 30 rows."""
    pixels = np.zeros((30, 60, 3), np.uint8)
    pixels[:, 30:] = 255
    return Image.fromarray(pixels)


def test_crop_is_torchvisions(picture):
    np.testing.assert_array_equal(CROP.apply(picture, 16, 16), crop_image(picture, 16))


def test_share_of_a_crop(picture):
    """With a share of 1 the whole shorter side is seen; with less, less of it."""
    gradient = np.arange(40, dtype=np.uint8)[:, None].repeat(40, 1)[..., None].repeat(3, 2)
    image = Image.fromarray(gradient)
    whole, half = (Resizing("crop", share).apply(image, 20, 20) for share in (1.0, 0.5))
    assert (int(whole.min()), int(whole.max())) == (1, 38)
    assert (int(half.min()), int(half.max())) == (10, 29)


def test_stretch_keeps_all(picture):
    pixels = Resizing("stretch").apply(picture, 10, 20)
    assert pixels.shape == (10, 20, 3)
    assert (pixels[:, :9] == 0).all()
    assert (pixels[:, 11:] == 255).all()
    square = Resizing("stretch").apply(picture, 12, 12)
    np.testing.assert_array_equal(
        square, np.asarray(picture.resize((12, 12), Image.Resampling.BILINEAR))
    )


def test_none_takes_what_has_the_size(picture):
    np.testing.assert_array_equal(Resizing("none").apply(picture, 30, 60), np.asarray(picture))
    with pytest.raises(UserError, match=r"must have 60 x 31 pixels .* not 60 x 30"):
        Resizing("none").apply(picture, 31, 60)


def test_map_that_is_not_square(picture):
    square = crop_image(picture, 20)
    np.testing.assert_array_equal(CROP.apply(picture, 12, 20), square[4:16])


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("crop", CROP),
        ("CROP:0.875", CROP),
        ("crop:1", Resizing("crop", 1.0)),
        ("crop:.5", Resizing("crop", 0.5)),
        ("stretch", Resizing("stretch")),
        ("none", Resizing("none")),
    ],
)
def test_texts(text, made):
    assert parse_resizing(text) == made
    assert parse_resizing(str(made)) == made


@pytest.mark.parametrize("text", ["", "fit", "crop:", "crop:nan", "crop:1e-1", "stretch:1", "0.9"])
def test_text_that_is_none(text):
    with pytest.raises(UserError, match="--resize must be crop, crop:SHARE, stretch or none"):
        parse_resizing(text)


@pytest.mark.parametrize("text", ["crop:0", "crop:0.05", "crop:1.01", "crop:224"])
def test_share_that_is_none(text):
    with pytest.raises(UserError, match="The share of a crop must be 0.1 to 1"):
        parse_resizing(text)


def test_words():
    words = pixel_words(CROP, 224, 224, IMAGENET_NORMALIZATION)
    assert words == (
        "shorter side resized to 256, centre of 224 x 224 cropped; normalised as imagenet"
    )
    other = InputNormalization((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    assert "by mean (0.1, 0.2, 0.3) and deviation" in pixel_words(Resizing("none"), 8, 9, other)


def test_sets_are_resized_so(tmp_path):
    write_pictures(tmp_path, 2)
    image_set = find_image_set(str(tmp_path))
    stretched = decode_pictures(image_set, (8, 12), resizing=Resizing("stretch"))
    assert stretched.pixels.shape == (2, 8, 12, 3)
    cropped = decode_pictures(image_set, (8, 12))
    assert (stretched.pixels != cropped.pixels).any()


def test_pictures_of_another_size_are_left_out(tmp_path):
    (wrong,) = write_pictures(tmp_path / "a", 1, size=21)
    (right,) = write_pictures(tmp_path / "b", 1, size=20)
    (tmp_path / "list").write_text(f"{wrong}\n{right}\n")
    decoded = decode_pictures(find_image_set(str(tmp_path / "list")), 20, resizing=Resizing("none"))
    ((name, reason),) = decoded.skipped
    assert name == str(wrong)
    assert "must have 20 x 20 pixels" in reason


def test_calibration_is_resized_so(picture):
    pictures = cut_pictures(picture, 14, Resizing("stretch"))
    np.testing.assert_array_equal(pictures[0], Resizing("stretch").apply(picture, 14, 14))
    assert len(pictures) == 7
    # A photograph has never the network's size.
    np.testing.assert_array_equal(
        cut_pictures(picture, 14, Resizing("none"))[0], crop_image(picture, 14)
    )
