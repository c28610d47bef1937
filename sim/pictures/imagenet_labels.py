"""Labels of ImageNet's validation pictures, from the lists that people keep next to them.

The order of classes is that of the sorted synsets, which torchvision, Keras and Caffe share. The
challenge's own development kit numbers classes otherwise: its list of labels is of use only
together with its `meta.mat`.

Ref: ILSVRC 2012 development kit, readme.txt, section 3.2; Kaggle, "ImageNet Object Localization
Challenge", data; Caffe, data/ilsvrc12/get_ilsvrc_aux.sh (val.txt, synset_words.txt).
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import UserError

__all__ = ["VALIDATION_PICTURE", "Synsets", "ValidationLabels", "read_synsets"]

SYNSET = re.compile(r"n\d{8}")
VALIDATION_PICTURE = re.compile(r"ILSVRC2012_val_\d{8}")
PICTURE = "ILSVRC2012_val_{:08d}"
SYNSET_FILES = ("LOC_synset_mapping.txt", "synset_words.txt", "synsets.txt")
KIT_LABELS = "ILSVRC2012_validation_ground_truth.txt"
#: A synset for each picture in order (TensorFlow's research models), or a name and a class a line.
SYNSET_LABELS = ("imagenet_2012_validation_synset_labels.txt", "validation_synset_labels.txt")
NAMED_LABELS = ("val.txt", "val_labels.txt")
SOLUTION = "LOC_val_solution.csv"


@dataclass(frozen=True)
class Synsets:
    """Classes in order: synsets such as n01440764, and the file that they are from."""

    order: tuple[str, ...]
    file: Path


@dataclass(frozen=True)
class ValidationLabels:
    """Labels of pictures by file name without suffix; None where they cannot be understood.

    Attributes
    ----------
    by_name : dict of str to int, or None
    origin : str
        The file that they are from, or why they are of no use.
    """

    by_name: dict[str, int] | None
    origin: str

    @classmethod
    def find(cls, folder, classes):
        """Labels from a list in the folder or next to it; None if there is no list."""
        readers = [
            *((name, _named) for name in NAMED_LABELS),
            (SOLUTION, _solution),
            *((name, _synset_lines) for name in SYNSET_LABELS),
            (KIT_LABELS, _kit),
        ]
        for name, read in readers:
            for file in _files_near(folder, name):
                try:
                    return read(cls, file, classes)
                except (UnicodeDecodeError, csv.Error, ValueError, IndexError):
                    raise UserError(
                        f"The list of labels {str(file)!r} cannot be understood: it "
                        "must have a label on each line"
                    ) from None
        return None


def read_synsets(folder):
    """Synsets in the order of a list in the folder or next to it; None if there is no list."""
    for name in SYNSET_FILES:
        for file in _files_near(folder, name):
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            order = tuple(line.split()[0] for line in lines if line.strip())
            if all(SYNSET.fullmatch(synset) for synset in order):
                return Synsets(order, file)
    return None


def _files_near(folder, name):
    """Files of that name in a folder, above it, and in a development kit there."""
    folder = Path(folder).resolve()
    places = [folder, folder.parent, folder.parent.parent]
    places += [place / "ILSVRC2012_devkit_t12" / "data" for place in places]
    return [place / name for place in places if (place / name).is_file()]


def _lines(file):
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _named(cls, file, classes):
    """Caffe's val.txt: a file's name and its class, from 0."""
    labels = {}
    for line in _lines(file):
        name, label = line.replace(",", " ").rsplit(maxsplit=1)
        labels[Path(name).stem] = int(label)
    return cls(labels, file.name)


def _order(synsets, file, classes):
    """Indices by synset: the order of a list of synsets, or of their names if all are there."""
    listed = read_synsets(file.parent)
    order = list(listed.order) if listed else sorted(set(synsets))
    if len(order) != classes or not set(synsets) <= set(order):
        return None
    return {synset: index for index, synset in enumerate(order)}


def _by_synset(cls, names, synsets, file, classes):
    index = _order(synsets, file, classes)
    if index is None:
        return cls(
            None,
            f"{file.name} names {len(set(synsets)):,} synsets, and the network has "
            f"{classes} classes",
        )
    return cls(
        {name: index[synset] for name, synset in zip(names, synsets, strict=True)}, file.name
    )


def _solution(cls, file, classes):
    """Kaggle's LOC_val_solution.csv: ImageId, PredictionString."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.reader(opened))[1:]
    return _by_synset(
        cls, [row[0] for row in rows], [row[1].split()[0] for row in rows], file, classes
    )


def _synset_lines(cls, file, classes):
    """A synset for each picture, in their order."""
    synsets = _lines(file)
    if not all(SYNSET.fullmatch(synset) for synset in synsets):
        raise ValueError(synsets)
    names = [PICTURE.format(number) for number in range(1, len(synsets) + 1)]
    return _by_synset(cls, names, synsets, file, classes)


def _kit(cls, file, classes):
    """The kit's numbers, from 1 in an order that only its meta.mat tells."""
    numbers = [int(line) for line in _lines(file)]
    if not (file.parent / "meta.mat").is_file():
        return cls(
            None,
            f"{file.name} numbers classes in the challenge's own order, which only "
            "meta.mat of the same kit tells, and that is not next to it",
        )
    synset_of = _read_meta(file.parent / "meta.mat")
    names = [PICTURE.format(number) for number in range(1, len(numbers) + 1)]
    synsets = [synset_of.get(number, "") for number in numbers]
    if "" in synsets:
        raise ValueError(numbers)
    # The classes are the first of the kit's synsets, those without children.
    order = {
        synset: index
        for index, synset in enumerate(
            sorted(synset for number, synset in synset_of.items() if number <= classes)
        )
    }
    if len(order) != classes:
        return cls(None, f"meta.mat names {len(order):,} classes, and the network has {classes}")
    return cls(
        {name: order[synset] for name, synset in zip(names, synsets, strict=True)},
        f"{file.name} and meta.mat",
    )


def _read_meta(file):
    """Synsets by ILSVRC2012_ID."""
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UserError(f"Labels by {file.name} need scipy: pip install scipy") from None
    try:
        synsets = loadmat(file, squeeze_me=True)["synsets"]
        return {
            int(number): str(synset)
            for number, synset in zip(synsets["ILSVRC2012_ID"], synsets["WNID"], strict=True)
        }
    except (OSError, KeyError, TypeError, NotImplementedError, IndexError) as error:
        raise UserError(f"The file {str(file)!r} cannot be read: {error}") from None
