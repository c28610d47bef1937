"""The pictures that activation ranges are calibrated on, cut from the bundled photographs."""

import numpy as np
from PIL import Image

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.sim.pictures.images import crop_image, load_image, normalize
from mnv2.sim.pictures.photographs import calibration_photographs

#: Shorter side of the enlarged photograph, as a multiple of the crop, that corners are cut from.
ZOOM = 12 / 7


def cut_pictures(image, size=224):
    """Seven uint8 [size, size, 3] of a PIL image.

    The usual centre crop, the same mirrored, and the four corners and the centre of the photograph
    with its shorter side at `ZOOM` times the size: parts seen from nearer.
    """
    centre = crop_image(image, size)
    pictures = [centre, np.ascontiguousarray(centre[:, ::-1])]
    shorter = round(size * ZOOM)
    factor = shorter / min(image.size)
    columns, rows = (max(shorter, int(side * factor)) for side in image.size)
    enlarged = image.resize((columns, rows), Image.Resampling.BILINEAR)
    right, bottom = columns - size, rows - size
    for left, top in ((0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2)):
        pictures.append(np.asarray(enlarged.crop((left, top, left + size, top + size))))
    return pictures


def calibration_pictures(size=224, normalization=IMAGENET_NORMALIZATION):
    """float32 [size, size, 3], normalised: those of `cut_pictures` of each photograph."""
    return [
        normalize(picture, normalization)
        for photograph in calibration_photographs()
        for picture in cut_pictures(load_image(photograph.path), size)
    ]
