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
from mnv2.sim.pictures.class_names import class_names
from mnv2.sim.pictures.imagenet_labels import VALIDATION_PICTURE, ValidationLabels, read_synsets

__all__ = ["ImageSet", "Picture", "choose_pictures", "find_image_set"]

SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp")
#: Files of text that may be a list of pictures.
LIST_SUFFIXES = ("", ".csv", ".list", ".lst", ".txt")


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
    """

    source: str
    kind: str
    labels_from: str
    pictures: tuple[Picture, ...]

    __repr__ = short_repr

    @property
    def labelled(self):
        """Whether every picture has a label."""
        return all(picture.label is not None for picture in self.pictures)


def find_image_set(source, classes=1000):
    """The set that a user names.

    Parameters
    ----------
    source : str
        ``"bundled"``, or the path of a folder or of a list file.
    classes : int
        Classes of the network.

    Returns
    -------
    ImageSet

    Raises
    ------
    UserError
        If there is no such file, no picture in it, or a label is not a class of the network.
    """
    if source == "bundled":
        return _bundled(classes)
    path = Path(source).expanduser()
    try:
        if path.is_file():
            return _from_list(path, source, classes)
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
    if by_class:
        return _from_folders(path, source, by_class, classes)
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
    """The labelled photographs of an installed package."""
    from mnv2.sim.pictures.photographs import labelled_photographs

    known = classes == len(class_names())
    pictures = tuple(
        Picture(photograph.path, photograph.name, photograph.label if known else None)
        for photograph in labelled_photographs()
    )
    labels = (
        "ImageNet classes in the files' names"
        if known
        else f"none: they are of ImageNet's {len(class_names())} classes, and the network has "
        f"{classes}"
    )
    return ImageSet("bundled", "the labelled photographs of the package foolbox", labels, pictures)


def _from_folders(path, source, by_class, classes):
    """A set of folders by class; by their indices, synsets, names or order, tried in turn."""
    kind = f"{len(by_class):,} folders by class"
    labels, origin = _folder_labels(path, sorted(by_class), classes)
    pictures = tuple(
        dataclasses.replace(picture, label=labels.get(name))
        for name in sorted(by_class)
        for picture in by_class[name]
    )
    return ImageSet(source, kind, origin, pictures)


def _folder_labels(path, names, classes):
    """(labels by folder, where they are from)."""
    if all(name.isdecimal() for name in names):
        for name in names:
            _check_label(int(name), classes, f"The folder {name!r} of {str(path)!r}")
        return {name: int(name) for name in names}, "class indices that folders are called by"
    synsets = read_synsets(path)
    if synsets is not None and len(synsets.order) == classes and set(names) <= set(synsets.order):
        return (
            {name: synsets.order.index(name) for name in names},
            f"synsets in the order of {synsets.file.name}",
        )
    known = _names_to_indices(classes)
    found = {name: known[_plain(name)] for name in names if _plain(name) in known}
    if len(found) == len(names):
        return found, "names of classes that folders are called by"
    if len(names) == classes:
        # torchvision's ImageFolder; for ImageNet's synsets that is the order of its classes.
        return {
            name: index for index, name in enumerate(names)
        }, f"the order of the {classes} folders' names"
    if found:
        wrong = next(name for name in names if name not in found)
        raise UserError(
            f"The folder {wrong!r} of {str(path)!r} must be called by a class, as "
            f"{next(iter(found))!r} is: by its index, its name or its synset"
        )
    return {}, (
        f"none: folders are called neither by index nor by name of a class, they are not "
        f"{classes}, and no LOC_synset_mapping.txt or synset_words.txt is next to them"
    )


def _from_flat(path, source, pictures, classes):
    """Pictures in one folder: ImageNet's validation pictures with labels, or any without."""
    labels, kind = None, "a folder of pictures"
    if all(VALIDATION_PICTURE.fullmatch(picture.path.stem) for picture in pictures):
        labels, kind = ValidationLabels.find(path, classes), "validation pictures in one folder"
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
        _check_label(label, classes, f"The label of {picture.name!r} in {labels.origin}")
        labelled.append(dataclasses.replace(picture, label=label))
    return ImageSet(source, kind, labels.origin, tuple(labelled))


def _from_list(path, source, classes):
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
    names, known, pictures = [], _names_to_indices(classes), []
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"Line {number} of {str(path)!r}"
        name, label = _split_line(line)
        if label is not None:
            label = int(label) if label.isdecimal() else known.get(_plain(label), label)
            if isinstance(label, str):
                raise UserError(
                    f"{where} must end in the index or the name of a class, not {label!r}"
                )
            _check_label(label, classes, where)
        names.append(name)
        pictures.append(Picture(path.parent / name, name, label))
    if not pictures:
        raise UserError(f"The list {str(path)!r} names no picture")
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


def _check_label(label, classes, where):
    if not 0 <= label < classes:
        raise UserError(f"{where} must be a class of the network, 0 to {classes - 1}, not {label}")


def _plain(name):
    """A class's name as people spell it in folders."""
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def _names_to_indices(classes):
    """Indices of ImageNet's classes by name, where the network has those.

    Two classes whose names differ in a capital alone (a cardigan and a Cardigan) have none.
    """
    names = [_plain(name) for name in class_names()]
    if classes != len(names):
        return {}
    return {name: index for index, name in enumerate(names) if names.count(name) == 1}
