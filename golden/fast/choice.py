"""Which kernels a batch runs with: compiled where numba is installed and pays, else numpy's."""

from functools import cache

from mnv2.golden.fast.kernels import NUMPY

__all__ = ["choose", "load_compiled"]

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


def choose(images):
    """The Kernels for a number of images."""
    return (load_compiled() if images >= _MANY_IMAGES else None) or NUMPY
