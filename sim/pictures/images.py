"""From an image file to the network's input: decode, resize, crop, normalise, quantise.

Ref: torchvision `transforms`: Resize(256) with bilinear and antialiasing on a PIL image,
CenterCrop(224), ToTensor, Normalize; for other sizes both numbers scale. Mean and deviation are
those that the model carries (`mnv2.golden.float_model.InputNormalization`).
"""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.sim.errors import UserError

#: The crop is this share of the resized shorter side.
CROP_SHARE = 224 / 256
MAXIMUM_PIXELS = 100_000_000
MAXIMUM_ASPECT = 50
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
    AttributeError,
    struct.error,
    zlib.error,
)


def load_image(path):
    """Decode an image file, upright, as a PIL image in RGB.

    Raises
    ------
    UserError
        If the file cannot be read, is empty, is not an image, is truncated, or is too large.
    """
    path = Path(path)
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise UserError(f"The image {path} is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit warns before ours refuses
            with Image.open(path) as image:
                columns, rows = image.size
                if columns * rows > MAXIMUM_PIXELS:
                    raise UserError(
                        f"The image {path} has {columns} x {rows} pixels, more than "
                        f"{MAXIMUM_PIXELS:,}"
                    )
                if max(image.size) > MAXIMUM_ASPECT * min(image.size):
                    raise UserError(
                        f"The image {path} has {columns} x {rows} pixels, one side "
                        f"more than {MAXIMUM_ASPECT} times the other"
                    )
                upright = ImageOps.exif_transpose(image)
                if upright.mode.startswith("I;16"):
                    upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                return upright.convert("RGB")
    except UnidentifiedImageError:
        raise UserError(f"The file {path} is not an image that Pillow can read") from None
    except Image.DecompressionBombError:
        raise UserError(f"The image {path} has more than {MAXIMUM_PIXELS:,} pixels") from None
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"The image {path} cannot be read: {error.strerror}") from None
    except _DECODER_ERRORS as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"The image {path} is damaged or truncated: {detail}") from None


def crop_image(image, size=224, share=CROP_SHARE):
    """Resize the shorter side to size / share and crop the centre: uint8 [size, size, 3]."""
    shorter = round(size / share)
    columns, rows = image.size
    if columns <= rows:
        target = (shorter, int(shorter * rows / columns))
    else:
        target = (int(shorter * columns / rows), shorter)
    resized = image if target == image.size else image.resize(target, Image.Resampling.BILINEAR)
    top, left = round((target[1] - size) / 2), round((target[0] - size) / 2)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def cut_centre(pixels, rows, columns):
    """The centre [rows, columns, 3] of a larger [H, W, 3]."""
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    return pixels[top : top + rows, left : left + columns]


def normalize(pixels, normalization=IMAGENET_NORMALIZATION, channels=3):
    """uint8 [H, W, 3] to float32 [H, W, channels], by the InputNormalization that a model carries.

    A model of one channel takes the pixels' luma (ITU-R BT.601), normalised like a red channel.
    """
    if channels == 1:
        pixels = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
    return _normalize(pixels, normalization)[..., :channels]


def _normalize(pixels, normalization):
    scaled = pixels.astype(np.float32) / np.float32(255)
    return (scaled - np.array(normalization.mean, np.float32)) / np.array(
        normalization.deviation, np.float32
    )
