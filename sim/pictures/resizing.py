"""How a picture of any size becomes one of the network's: cropped, stretched, or as it is.

A network expects the pictures that it was trained with. Resizing is bilinear with antialiasing, on
a PIL image.

Ref: torchvision `transforms`: Resize(256) and CenterCrop(224), which is a crop of 0.875; timm calls
that share `crop_pct`, and its `crop_mode` "squash" is a stretch.
"""

import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnv2.golden.float_model import InputNormalization
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.images import CROP_SHARE, crop_image, cut_centre
from mnv2.sim.pictures.normalization import NORMALIZATIONS

__all__ = ["CROP", "Resizing", "parse_resizing", "pixel_words"]

MODES = ("crop", "stretch", "none")
#: A crop of less would show a corner of the picture, enlarged.
LEAST_SHARE = 0.1


@dataclass(frozen=True)
class Resizing:
    """A way to make pictures as large as the network's.

    Attributes
    ----------
    mode : str
        ``"crop"``: the shorter side is resized, then the centre is cropped. ``"stretch"``: both
        sides are resized, so that nothing is cut off. ``"none"``: the picture has the size already.
    share : float
        Of a crop: the network's side, as a share of the resized shorter side, 0.1 to 1.
    """

    mode: str = "crop"
    share: float = CROP_SHARE

    def __str__(self) -> str:
        cropped = self.mode == "crop" and self.share != CROP_SHARE
        return f"crop:{self.share:g}" if cropped else self.mode

    def apply(self, image: Image.Image, rows: int, columns: int) -> np.ndarray:
        """Pixels of the network's size.

        Parameters
        ----------
        image : PIL.Image.Image
            In RGB.
        rows, columns : int
            Of the network's input.

        Returns
        -------
        uint8 [rows, columns, 3]
            Of a crop that is not square, the square one of the longer side is cut to the shorter.

        Raises
        ------
        UserError
            If the mode is ``"none"`` and the picture has another size.
        """
        if self.mode == "crop":
            return cut_centre(crop_image(image, max(rows, columns), self.share), rows, columns)
        if image.size == (columns, rows):
            return np.asarray(image)
        if self.mode == "stretch":
            return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR))
        raise UserError(
            f"A picture must have {columns} x {rows} pixels if it is not resized (--resize none), "
            f"not {image.size[0]} x {image.size[1]}"
        )

    def words(self, rows: int, columns: int) -> str:
        """The treatment of a picture, in words."""
        if self.mode == "none":
            return f"taken as they are, {columns} x {rows}"
        if self.mode == "stretch":
            return f"both sides stretched to {columns} x {rows}"
        shorter = round(max(rows, columns) / self.share)
        return f"shorter side resized to {shorter}, centre of {columns} x {rows} cropped"


#: As torchvision resizes for its own weights.
CROP = Resizing()


def parse_resizing(text: str) -> Resizing:
    """The resizing that a user writes: ``crop``, ``crop:0.875``, ``stretch`` or ``none``.

    Parameters
    ----------
    text : str

    Returns
    -------
    Resizing

    Raises
    ------
    UserError
        If it is none of them.
    """
    mode, separator, share = text.strip().lower().partition(":")
    if mode in MODES and not separator:
        return Resizing(mode)
    if mode == "crop" and re.fullmatch(r"\d{0,4}(\.\d{1,12})?", share) and share:
        number = float(share)
        if LEAST_SHARE <= number <= 1:
            return Resizing(mode, number)
        raise UserError(
            "The share of a crop must be 0.1 to 1, the cropped side over the resized shorter one, "
            f"such as crop:0.875, not {share}"
        )
    raise UserError(f"--resize must be crop, crop:SHARE, stretch or none, not {text!r}")


def pixel_words(
    resizing: Resizing, rows: int, columns: int, normalization: InputNormalization | None
) -> str:
    """The treatment of pixels, in one phrase for people.

    Parameters
    ----------
    resizing : Resizing
    rows, columns : int
        Of the network's input.
    normalization : mnv2.golden.float_model.InputNormalization or None
        None where the input is not a picture's.

    Returns
    -------
    str
    """
    names = [name for name, one in NORMALIZATIONS.items() if one == normalization]
    if normalization is None:
        normalized = "not normalised"
    elif names:
        normalized = f"normalised as {names[0]}"
    else:
        normalized = f"normalised by mean {normalization.mean} and deviation " + str(
            normalization.deviation
        )
    return f"{resizing.words(rows, columns)}; {normalized}"
