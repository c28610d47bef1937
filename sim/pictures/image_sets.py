"""Sets of pictures as people have them: which files, and which class each is of.

A set is the bundled photographs, a list file, a folder with a folder for each class, ImageNet's
validation pictures in one folder, or a folder of pictures without labels. A sentence says what
labels were taken from, or why there are none.
"""

import dataclasses
from pathlib import Path

import numpy as np

from mnv2.golden.summary import short_repr
from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import class_names, known_class_names, plain_name
from mnv2.sim.pictures.folder_labels import check_label, folder_labels, imagenet_shift
from mnv2.sim.pictures.imagenet_labels import VALIDATION_PICTURE, ValidationLabels

__all__ = ["ImageSet", "Picture", "choose_pictures", "find_image_set"]

SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp")
#: Files of text that may be a list of pictures.
LIST_SUFFIXES = ("", ".csv", ".list", ".lst", ".txt")
#: Folders whose classes are listed one by one.
LISTED_FOLDERS = 4


@dataclasses.dataclass(frozen=True)
class Picture:
    """A file of a set.

    Attributes
    ----------
    path : Path
    name : str
        How the picture is called in reports: its path below the set's folder.
    label : int or None
        Index of its class, from 0, where it is known.
    """

    path: Path
    name: str
    label: int | None = None


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """Pictures to evaluate on.

    Attributes
    ----------
    source : str
        The set as the user named it.
    kind : str
        The kind of set that it was recognised as.
    labels_from : str
        The source of the labels, or why there are none.
    pictures : tuple of Picture
    folders : tuple of (str, int)
        Folders by class, each with its class.
    """

    source: str
    kind: str
    labels_from: str
    pictures: tuple[Picture, ...]
    folders: tuple[tuple[str, int], ...] = ()

    __repr__ = short_repr

    @property
    def label_words(self):
        """How pictures, or the folders that they are in, became classes."""
        listed = [f"{name} {label}" for name, label in self.folders[:LISTED_FOLDERS]]
        if len(self.folders) > LISTED_FOLDERS:
            listed.append(f"… {len(self.folders):,} folders")
        return f"{self.labels_from}: {', '.join(listed)}" if listed else self.labels_from

    @property
    def labelled(self):
        """Whether there are labels; of some sets a few pictures have none."""
        return any(picture.label is not None for picture in self.pictures)


def find_image_set(source, classes=1000, names=None, *, labelled=True):
    """The set that a user names.

    Parameters
    ----------
    source : str
        ``"bundled"``, or the path of a folder or of a list file.
    classes : int
        Classes of the network.
    names : mnv2.sim.pictures.class_names.ClassNames, optional
        Their names; by default those that the number of classes implies.
    labelled : bool
        Whether labels are wanted, and looked for; pictures to calibrate on need none.

    Returns
    -------
    ImageSet

    Raises
    ------
    UserError
        If there is no such file, no picture in it, or a label is not a class of the network.
    """
    names = names or known_class_names(classes)
    found = _find(source, classes, names, labelled)
    if labelled:
        return found
    pictures = tuple(dataclasses.replace(picture, label=None) for picture in found.pictures)
    return dataclasses.replace(found, pictures=pictures, labels_from="none: none were asked for")


def _find(source, classes, names, labelled):
    """The set; its labels are of no use where none are wanted."""
    if source == "bundled":
        return _bundled(classes)
    path = Path(source).expanduser()
    try:
        if path.is_file():
            return _from_list(path, source, names, labelled)
        if not path.is_dir():
            raise UserError(
                f"A set of pictures must be 'bundled', a folder or a list file, and "
                f"there is no {str(path)!r}"
            )
        folders = sorted(
            entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")
        )
        by_class = {folder.name: _pictures_in(folder, path) for folder in folders}
        by_class = {name: pictures for name, pictures in by_class.items() if pictures}
        flat = _pictures_in(path, path, deep=False)
    except OSError as error:
        raise UserError(
            f"The set of pictures {str(path)!r} cannot be read: {error.strerror or error}"
        ) from None
    if flat and by_class:
        raise UserError(
            f"The folder {str(path)!r} holds {len(flat):,} pictures next to folders of "
            "pictures: a set is one or the other"
        )
    if not labelled and (by_class or flat):
        pictures = [picture for name in sorted(by_class) for picture in by_class[name]]
        return ImageSet(source, "a folder of pictures", "", tuple(flat or pictures))
    if by_class:
        return _from_folders(path, source, by_class, names)
    if flat:
        return _from_flat(path, source, flat, classes)
    raise UserError(f"The folder {str(path)!r} holds no pictures ({', '.join(SUFFIXES)})")


def choose_pictures(image_set, limit, seed):
    """The set, or at most ``limit`` of its pictures, sampled at random and in the set's order.

    Parameters
    ----------
    limit : int or None
    seed : int
    """
    count = len(image_set.pictures)
    if limit is None or limit >= count:
        return image_set
    chosen = np.sort(np.random.default_rng(seed).permutation(count)[:limit])
    return dataclasses.replace(
        image_set, pictures=tuple(image_set.pictures[index] for index in chosen)
    )


def _pictures_in(folder, root, deep=True):
    """Files of a folder, of all below it if ``deep``, that are called as pictures are."""
    found = sorted(folder.rglob("*") if deep else folder.iterdir())
    return [
        Picture(path, path.relative_to(root).as_posix())
        for path in found
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]


def _bundled(classes):
    """The photographs of installed packages that accuracy is judged on."""
    from mnv2.sim.pictures.photographs import judged_photographs

    shift = imagenet_shift(classes)
    known = classes - shift == len(class_names())
    pictures = tuple(
        Picture(
            photograph.path,
            photograph.name,
            photograph.label + shift if known and photograph.label is not None else None,
        )
        for photograph in judged_photographs()
    )
    count = sum(picture.label is not None for picture in pictures)
    labels = (
        f"ImageNet classes in foolbox's file names and by eye for ai-benchmark's, {count} of "
        f"{len(pictures)}, an easy set"
        if known
        else f"none: they are of ImageNet's {len(class_names())} classes, and the network has "
        f"{classes}"
    )
    kind = "the photographs of the packages foolbox and ai-benchmark"
    return ImageSet("bundled", kind, labels, pictures)


def _from_folders(path, source, by_class, names):
    """A set of folders by class."""
    kind = f"{len(by_class):,} folders by class"
    labels, origin = folder_labels(path, sorted(by_class), names)
    pictures = tuple(
        dataclasses.replace(picture, label=labels.get(name))
        for name in sorted(by_class)
        for picture in by_class[name]
    )
    return ImageSet(source, kind, origin, pictures, tuple(sorted(labels.items())))


def _from_flat(path, source, pictures, classes):
    """Pictures in one folder: ImageNet's validation pictures with labels, or any without."""
    labels, kind, shift = None, "a folder of pictures", imagenet_shift(classes)
    if all(VALIDATION_PICTURE.fullmatch(picture.path.stem) for picture in pictures):
        labels = ValidationLabels.find(path, classes - shift)
        kind = "validation pictures in one folder"
    if labels is None:
        origin = "none: the pictures lie in one folder, and no list of labels is next to them"
        return ImageSet(source, kind, origin, tuple(pictures))
    if labels.by_name is None:
        return ImageSet(source, kind, f"none: {labels.origin}", tuple(pictures))
    labelled = []
    for picture in pictures:
        label = labels.by_name.get(picture.path.stem)
        if label is None:
            raise UserError(f"The picture {picture.name!r} has no label in {labels.origin}")
        check_label(label, classes - shift, f"The label of {picture.name!r} in {labels.origin}")
        labelled.append(dataclasses.replace(picture, label=label + shift))
    return ImageSet(source, kind, labels.origin, tuple(labelled))


def _from_list(path, source, names, labelled):
    """A file of lines ``path`` or ``path label``; a label is an index or a class's name."""
    if path.suffix.lower() not in LIST_SUFFIXES:
        raise UserError(
            f"A set of pictures must be a folder or a list file (.txt), not {str(path)!r}"
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(
            f"The list {str(path)!r} must be text, a path and a label on each line"
        ) from None
    known, classes = names.indices, len(names.names)
    pictures, missing = [], []
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"Line {number} of {str(path)!r}"
        name, label = _split_line(line)
        if not labelled:
            label = None
        if label is not None:
            label = int(label) if label.isdecimal() else known.get(plain_name(label), label)
            if isinstance(label, str):
                raise UserError(
                    f"{where} must end in the index or the name of a class, not {label!r}"
                )
            check_label(label, classes, where)
        pictures.append(Picture(path.parent / name, name, label))
        if not pictures[-1].path.is_file():
            missing.append(f"{where} must name a picture that is there, not {name!r}")
    if not pictures:
        raise UserError(f"The list {str(path)!r} names no picture")
    if missing:
        more = f"; {len(missing):,} of {len(pictures):,} pictures are missing"
        raise UserError(missing[0] + more)
    without = [picture.name for picture in pictures if picture.label is None]
    if without and len(without) < len(pictures):
        raise UserError(
            f"The list {str(path)!r} must give every picture a label or none; "
            f"{without[0]!r} has none"
        )
    origin = "none: the list has paths alone" if without else "the labels of the list"
    return ImageSet(source, "a list of pictures", origin, tuple(pictures))


def _split_line(line):
    """(path, label or None): the label follows the picture's suffix and a blank or a comma."""
    lower = line.lower()
    for suffix in SUFFIXES:
        end = lower.find(f"{suffix}")
        while end >= 0:
            rest = line[end + len(suffix) :]
            if not rest:
                return line, None
            if rest[0] in " \t,;":
                return line[: end + len(suffix)], rest.strip(" \t,;") or None
            end = lower.find(suffix, end + 1)
    path, separator, label = line.rpartition(" ")
    return (path.strip(), label) if separator else (line, None)
