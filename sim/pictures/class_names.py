"""Names of a network's classes: ImageNet's, those of a file of labels, or of the model's file.

`imagenet_classes.txt` has one line a class in the order of the class indices: the first WordNet
noun of the class's synset, as the ILSVRC 2012 challenge lists them (two cranes told apart).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from mnv2.golden.summary import short_repr

__all__ = ["ClassNames", "class_name", "class_names", "known_class_names", "plain_name"]

#: What networks of 1,001 classes call the one before ImageNet's.
BACKGROUND = "background"
_SYNSET_LINE = re.compile(r"(n\d{8})[ \t]+(.+)")


@cache
def class_names():
    """Tuple of 1000 names, indexed by class."""
    text = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


@dataclass(frozen=True)
class ClassNames:
    """Names of the classes of a network.

    Attributes
    ----------
    names : tuple of (str or None)
        In the order of the network's logits; None where a class has no name.
    origin : str
        Where they are from, in words.
    given : bool
        Whether the user or the model's file gave them, so that folders must be called so.
    """

    names: tuple[str | None, ...]
    origin: str
    given: bool = False

    __repr__ = short_repr

    def name(self, index: int) -> str:
        """Name of a class; its number where it has none."""
        text = self.names[index]
        if text is None:
            return f"class {index}"
        synset = _SYNSET_LINE.fullmatch(text)
        return synset[2].split(",")[0].strip() if synset else text

    @cached_property
    def indices(self) -> dict[str, int]:
        """Classes by every name that people may call a folder by, as `plain_name` writes it.

        A name followed by others after commas is called by each, one that starts with a synset by
        that, too. What two classes are called by means neither (a cardigan and a Cardigan).
        """
        found: dict[str, set[int]] = {}
        for index, text in enumerate(self.names):
            for name in _spellings(text or ""):
                found.setdefault(plain_name(name), set()).add(index)
        return {name: min(those) for name, those in found.items() if name and len(those) == 1}


def _spellings(text: str) -> list[str]:
    synset = _SYNSET_LINE.fullmatch(text)
    words = synset[2] if synset else text
    return [text, words, *words.split(","), *([synset[1]] if synset else [])]


def plain_name(name: str) -> str:
    """A class's name as people spell it in folders."""
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def known_class_names(classes: int) -> ClassNames:
    """The names that a number of classes implies: ImageNet's of 1,000, with one before of 1,001.

    Ref: tensorflow/models, research/slim, `datasets/imagenet.py`: class 0 is "background".
    """
    names: Sequence[str | None] = class_names()
    if classes == len(names) + 1:
        return ClassNames((BACKGROUND, *names), "ImageNet's classes after one for the background")
    if classes == len(names):
        return ClassNames(tuple(names), "ImageNet's classes")
    return ClassNames((None,) * classes, "none")


def class_name(index, classes=1000):
    """Name of a class that the number of classes implies, see `known_class_names`."""
    return _known(classes).name(index)


_known = cache(known_class_names)
