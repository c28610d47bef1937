"""Pictures that stay on a GPU while the formats of a sweep run on them, one after another."""

import weakref
from typing import Any

import numpy as np

__all__ = ["resident_pixels"]

#: Share of a GPU's free memory that pictures may take.
SHARE = 0.5
#: Pictures on devices, by the identity of their array and the device's name.
_KEPT: dict[tuple[int, str], Any] = {}


def resident_pixels(pixels: np.ndarray, runner: Any) -> Any:
    """The same pixels on the device of a runner, where they stay as long as the array does.

    Parameters
    ----------
    pixels : uint8 [N, H, W, 3]
    runner : mnv2.golden.gpu.runner.DeviceRunner

    Returns
    -------
    torch.Tensor uint8, or the array itself where the device has too little memory free to keep it
    """
    key = id(pixels), str(runner.device)
    if key not in _KEPT:
        if pixels.nbytes > SHARE * runner.free_bytes():
            return pixels
        _KEPT[key] = runner.upload(pixels)
        # An identity is used again once its array is gone.
        weakref.finalize(pixels, _KEPT.pop, key, None)
    return _KEPT[key]
