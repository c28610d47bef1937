"""Decoding, resizing and cropping; and all that is no usable picture."""

import contextlib

import numpy as np
import pytest
from PIL import Image

from mnv2.golden.float_model import IMAGENET_NORMALIZATION, KERAS_NORMALIZATION
from mnv2.sim.errors import UserError
from mnv2.sim.pictures import images
from mnv2.sim.pictures.calibration_pictures import cut_pictures
from mnv2.sim.pictures.images import crop_image, load_image, normalize
from tests.sim.pictures.inputs import load_input


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)


def test_centre_of_a_picture_of_the_right_size():
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_image(Image.fromarray(pixels)), pixels[16:240, 16:240])


@pytest.mark.parametrize(
    ("columns", "rows", "left", "top"), [(300, 256, 38, 16), (256, 301, 16, 38)]
)
def test_crop_rounds_as_torchvision(columns, rows, left, top):
    """CenterCrop takes round((n - 224) / 2), halves to even."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        crop_image(Image.fromarray(pixels)), pixels[top : top + 224, left : left + 224]
    )


@pytest.mark.parametrize("size", [96, 128, 160, 192, 224])
@pytest.mark.parametrize("shape", [(20, 30), (300, 400), (999, 500)])
def test_sizes(size, shape):
    pixels = np.full((*shape, 3), 77, np.uint8)
    cropped = crop_image(Image.fromarray(pixels), size)
    assert cropped.shape == (size, size, 3)
    assert (cropped == 77).all()


def test_resize_is_antialiased():
    """Stripes one pixel wide become grey when eight pixels make one."""
    stripes = np.zeros((2048, 2048, 3), np.uint8)
    stripes[:, ::2] = 255
    cropped = crop_image(Image.fromarray(stripes))
    assert np.abs(cropped.astype(int) - 127).max() <= 4


def test_normalize():
    pixels = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    result = normalize(pixels)
    assert result.dtype == np.float32
    np.testing.assert_allclose(
        result[0, 0], [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-6
    )
    assert IMAGENET_NORMALIZATION.range() == pytest.approx((result.min(), result.max()), rel=1e-6)


def test_a_models_own_normalisation():
    """Keras' networks want x / 127.5 - 1."""
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    result = normalize(pixels, KERAS_NORMALIZATION)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, pixels / 127.5 - 1, atol=1e-6)
    assert KERAS_NORMALIZATION.range() == (-1.0, 1.0)


def test_load_input_normalises_as_it_is_told(tmp_path):
    path = save(tmp_path / "grey.png", np.full((300, 400, 3), 255, np.uint8))
    assert (load_input(path, 96, KERAS_NORMALIZATION) == 1).all()
    assert load_input(path).max() == pytest.approx(IMAGENET_NORMALIZATION.range()[1], rel=1e-6)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16", "LA"])
def test_modes(tmp_path, mode, noise):
    path = tmp_path / f"picture.{'tif' if mode == 'CMYK' else 'png'}"
    if mode == "I;16":
        picture = Image.fromarray(noise[..., 0].astype(np.uint16) * 256)
    else:
        picture = Image.fromarray(noise).convert(mode)
    picture.save(path)
    loaded = load_image(path)
    assert loaded.mode == "RGB"
    if mode == "I;16":
        np.testing.assert_array_equal(np.asarray(loaded)[..., 1], noise[..., 0])


def test_orientation(tmp_path, noise):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = save(tmp_path / "turned.jpg", noise, exif=exif)
    assert load_image(path).size == (300, 400)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.png", b"", "is empty"),
        ("text.png", b"no picture at all", "not an image"),
        ("script.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    ],
)
def test_no_picture(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        load_input(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_truncated_or_damaged(tmp_path, suffix, noise):
    whole = save(tmp_path / f"whole.{suffix}", noise).read_bytes()
    path = tmp_path / f"part.{suffix}"
    for part in (0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(UserError, match="part"):
            load_input(path)
    rng = np.random.default_rng(1)
    for _ in range(30):  # a picture or one sentence
        damaged = bytearray(whole)
        for position in rng.integers(0, min(len(whole), 600), 5):
            damaged[position] = rng.integers(0, 256)
        path.write_bytes(damaged)
        with contextlib.suppress(UserError):
            assert load_input(path).shape == (224, 224, 3)


def test_missing_and_folder(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load_image(tmp_path / "none.png")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        load_image(tmp_path)


def test_too_many_pixels(tmp_path, monkeypatch, noise):
    path = save(tmp_path / "large.png", noise)
    monkeypatch.setattr(images, "MAXIMUM_PIXELS", 1000)
    with pytest.raises(UserError, match="400 x 300 pixels, more than 1,000"):
        load_image(path)


def test_bomb(tmp_path):
    """A header that promises 60,000 x 60,000 pixels is refused before anything is allocated."""
    import struct
    import zlib

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(UserError, match="more than"):
        load_image(path)


def test_a_line_is_no_picture(tmp_path):
    path = save(tmp_path / "line.png", np.zeros((1, 5000, 3), np.uint8))
    with pytest.raises(UserError, match="5000 x 1 pixels, one side more than"):
        load_image(path)


def test_cut_pictures(noise):
    pictures = cut_pictures(Image.fromarray(noise))
    assert len(pictures) == 7
    assert all(p.shape == (224, 224, 3) and p.dtype == np.uint8 for p in pictures)
    np.testing.assert_array_equal(pictures[0][:, ::-1], pictures[1])
    assert len({p.tobytes() for p in pictures}) == 7
