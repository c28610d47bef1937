"""The picture of a run, inside its page."""

import base64
import io
import re

import numpy as np
from PIL import Image

from mnv2.sim.page.kit.photograph import SIDE, photographs


def test_picture_is_small_and_inside(tmp_path):
    path = tmp_path / "<b>.png"
    pixels = np.zeros((900, 1800, 3), np.uint8)
    pixels[:, 900:] = (250, 0, 0)
    Image.fromarray(pixels).save(path)
    markup = photographs([str(path)])
    assert 'alt="The picture &lt;b&gt;.png"' in markup
    data = re.search(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", markup)[1]
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.size == (SIDE, SIDE // 2)
    red, green, _ = image.getpixel((SIDE - 20, 100))
    assert (red > 200, green < 40) == (True, True)


def test_what_is_no_picture_is_left_out(tmp_path):
    array = tmp_path / "input.npy"
    np.save(array, np.zeros((1, 8, 8, 3), np.float32))
    assert photographs([str(array), str(tmp_path / "gone.jpg"), None, ""]) == ""


def test_two_abreast(tmp_path):
    for name in ("one.png", "two.png"):
        Image.new("RGB", (10, 10)).save(tmp_path / name)
    markup = photographs([str(tmp_path / "one.png"), str(tmp_path / "two.png")])
    assert markup.count("<img") == 2
