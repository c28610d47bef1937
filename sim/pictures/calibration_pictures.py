"""The pictures that activation ranges are calibrated on, cut from the bundled photographs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mnv2.golden.float_model import IMAGENET_NORMALIZATION
from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.image_sets import choose_pictures, find_image_set
from mnv2.sim.pictures.images import cut_centre, load_image, normalize
from mnv2.sim.pictures.photographs import calibration_photographs
from mnv2.sim.pictures.resizing import CROP, Resizing

#: The set of the bundled photographs, as users name it, and in words.
BUNDLED, BUNDLED_WORDS = "bundled", "the bundled photographs"
#: Pictures of a set that are calibrated on, at most; and where roundings are trained on them.
CALIBRATION_LIMIT, TRAINING_LIMIT = 64, 256
#: Shorter side of the enlarged photograph, as a multiple of the crop, that corners are cut from.
ZOOM = 12 / 7


def cut_pictures(image, size=224, resizing=CROP):
    """Seven uint8 [size, size, 3] of a PIL image.

    The picture as it is resized for the network (cropped, where pictures are not resized, since a
    photograph must be), the same mirrored, and the four corners and the centre of the photograph
    with its shorter side at `ZOOM` times the size: parts seen from nearer.
    """
    centre = (CROP if resizing.mode == "none" else resizing).apply(image, size, size)
    pictures = [centre, np.ascontiguousarray(centre[:, ::-1])]
    shorter = round(size * ZOOM)
    factor = shorter / min(image.size)
    columns, rows = (max(shorter, int(side * factor)) for side in image.size)
    enlarged = image.resize((columns, rows), Image.Resampling.BILINEAR)
    right, bottom = columns - size, rows - size
    for left, top in ((0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2)):
        pictures.append(np.asarray(enlarged.crop((left, top, left + size, top + size))))
    return pictures


def calibration_pictures(size=224, normalization=IMAGENET_NORMALIZATION, resizing=CROP, channels=3):
    """float32 [size, size, channels], normalised: those of `cut_pictures` of each photograph."""
    return [
        normalize(picture, normalization, channels)
        for photograph in calibration_photographs()
        for picture in cut_pictures(load_image(photograph.path), size, resizing)
    ]


@dataclass(frozen=True)
class CalibrationSet:
    """Pictures that a network is calibrated on.

    Attributes
    ----------
    source : str
        As the user names the set.
    paths : tuple of Path
        Its files.
    words : str
        The set in words.
    """

    source: str
    paths: tuple[Path, ...]
    words: str

    __repr__ = short_repr

    @property
    def bundled(self) -> bool:
        """Whether it is the bundled photographs, of which several pictures are cut each."""
        return self.source == BUNDLED

    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of each file's content.

        Raises
        ------
        UserError
            If one cannot be read.
        """
        return tuple(map(_hash, self.paths))

    def read(self, shape, normalization, resizing: Resizing = CROP) -> list[np.ndarray]:
        """The pictures, as large as the input of a network and normalised: float32 [H, W, C] each.

        Parameters
        ----------
        shape : (int, int, int)
            Rows, columns and channels of the network's input.
        normalization : mnv2.golden.float_model.InputNormalization
        resizing : mnv2.sim.pictures.resizing.Resizing

        Raises
        ------
        UserError
            If a picture cannot be read.
        """
        rows, columns, channels = shape
        if self.bundled:
            pictures = calibration_pictures(max(rows, columns), normalization, resizing, channels)
            return [cut_centre(picture, rows, columns) for picture in pictures]
        return [
            normalize(_read(path, resizing, rows, columns), normalization, channels)
            for path in self.paths
        ]


def calibration_limit(trained: bool) -> int:
    """Pictures of a set that are calibrated on, at most, with roundings trained on them or not."""
    return TRAINING_LIMIT if trained else CALIBRATION_LIMIT


def find_calibration(source: str, limit: int = CALIBRATION_LIMIT) -> CalibrationSet:
    """The pictures to calibrate on that a user names.

    Parameters
    ----------
    source : str
        ``"bundled"``, a folder or a list file.
    limit : int
        Of more pictures, that many are drawn at random, always the same.

    Returns
    -------
    CalibrationSet

    Raises
    ------
    UserError
        If there is no such set.
    """
    if source == BUNDLED:
        paths = tuple(photograph.path for photograph in calibration_photographs())
        return CalibrationSet(source, paths, BUNDLED_WORDS)
    image_set = choose_pictures(find_image_set(source, labelled=False), limit, seed=1)
    paths = tuple(picture.path for picture in image_set.pictures)
    words = f"{len(paths)} {'picture' if len(paths) == 1 else 'pictures'} of {Path(source).name}"
    return CalibrationSet(source, paths, words)


def _read(path: Path, resizing: Resizing, rows: int, columns: int) -> np.ndarray:
    """Pixels of a file; an error names it."""
    image = load_image(path)
    try:
        return resizing.apply(image, rows, columns)
    except UserError as error:
        raise UserError(f"The image {path} cannot be calibrated on: {error}") from None


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"The image {path} cannot be read: {error.strerror or error}") from None
