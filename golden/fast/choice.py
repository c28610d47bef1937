"""The maps and kernels that a batch runs with: the fastest that this machine has and that pay."""

from functools import cache

from mnv2.golden.fast.kernels import NUMPY
from mnv2.golden.fast.maps import ByteMaps, FloatMaps

__all__ = ["choose", "has_bytes", "load_compiled"]

#: Images from which loading the compiled kernels (some tenths of a second) is worth it.
_MANY_IMAGES = 4


@cache
def load_compiled():
    """The compiled Kernels, or None where numba is not installed.

    The first call ever compiles them, which takes some seconds; the result is kept next to the
    package, or in the user's cache folder, where one of them can be written.
    """
    try:
        from mnv2.golden.fast.compiled import NUMBA
    except ImportError:
        return None
    return NUMBA


@cache
def has_bytes():
    """Whether maps can be bytes: numba is installed, and the CPU has the instructions."""
    try:
        from mnv2.golden.fast.byte_cpu import cpu_has_them
    except ImportError:
        return False
    return cpu_has_them()


def choose(images, plain):
    """The maps for a number of images, and for a network whose layers are all plain or not."""
    if images >= _MANY_IMAGES and plain and has_bytes():
        return ByteMaps()
    return FloatMaps((load_compiled() if images >= _MANY_IMAGES else None) or NUMPY)
