"""Names of ImageNet's 1000 classes.

`imagenet_classes.txt` has one line a class in the order of the class indices: the first WordNet
noun of the class's synset, as the ILSVRC 2012 challenge lists them (two cranes told apart).
"""

from functools import cache
from pathlib import Path


@cache
def class_names():
    """Tuple of 1000 names, indexed by class."""
    text = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def class_name(index, classes=1000):
    """Name of a class; its number where the network does not have ImageNet's classes.

    Networks of 1001 classes have ImageNet's after a class for everything else.

    Ref: tensorflow/models, research/slim, `datasets/imagenet.py`: class 0 is "background".
    """
    names = class_names()
    if classes == len(names):
        return names[index]
    if classes == len(names) + 1:
        return names[index - 1] if index else "background"
    return f"class {index}"
