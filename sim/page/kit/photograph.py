"""The picture of a run on its page, small, inside the document."""

import base64
import io
from pathlib import Path

from mnv2.sim.errors import UserError
from mnv2.sim.page.kit.markup import Markup, element
from mnv2.sim.pictures.images import load_image

__all__ = ["photographs"]

#: Pixels of the longer side, and JPEG's quality: 20 to 40 kB.
SIDE, QUALITY = 480, 80


def photographs(paths):
    """The pictures that a run was given, side by side.

    Parameters
    ----------
    paths : sequence of str
        What is no picture, or is not there any more, is left out.

    Returns
    -------
    Markup
        Empty if none is left.
    """
    shown = [(path, data) for path in paths if path and (data := _jpeg(path))]
    if not shown:
        return Markup("")
    figures = [
        element(
            "figure",
            element("img", src=f"data:image/jpeg;base64,{data}", alt=f"The picture {path}"),
        )
        for path, data in ((Path(path).name, data) for path, data in shown)
    ]
    return element("div", *figures, class_="photographs")


def _jpeg(path):
    """A picture in base64; None if it cannot be read."""
    try:
        image = load_image(path)
    except UserError:
        return None
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return base64.b64encode(file.getvalue()).decode()
