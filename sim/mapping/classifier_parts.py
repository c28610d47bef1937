"""The classifier in parts: where images follow one another, between the first blocks of the next.

The first blocks need few weights; the classifier's, each used once, arrive meanwhile.
"""

import math

__all__ = ["cut_classes"]

#: Parts that a classifier is cut into between two images.
_PARTS = 3


def cut_classes(classes, config):
    """Classes of each part, whole tiles each.

    Parameters
    ----------
    classes : int
    config : hw.config.AcceleratorConfig

    Returns
    -------
    list of (int, int)
        The first class of each part, and that behind its last.
    """
    tiles = math.ceil(classes / config.outputs)
    step  = math.ceil(tiles / _PARTS) * config.outputs
    return [(begin, min(begin + step, classes)) for begin in range(0, classes, step)]
