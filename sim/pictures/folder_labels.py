"""Classes of folders of pictures: by name, index, synset or order, tried in turn."""

from collections.abc import Sequence
from pathlib import Path

from mnv2.sim.errors import UserError
from mnv2.sim.pictures.class_names import ClassNames, class_names, plain_name
from mnv2.sim.pictures.imagenet_labels import SYNSET, read_synsets

__all__ = ["check_label", "folder_labels", "imagenet_shift"]


def imagenet_shift(classes: int) -> int:
    """Index of ImageNet's first class in a network: 1 of those with a class for the background."""
    return int(classes == len(class_names()) + 1)


def check_label(label: int, classes: int, where: str) -> None:
    """Refuse the index of a class that the network has not.

    Raises
    ------
    UserError
    """
    if not 0 <= label < classes:
        raise UserError(f"{where} must be a class of the network, 0 to {classes - 1}, not {label}")


def folder_labels(
    path: Path, folders: Sequence[str], names: ClassNames
) -> tuple[dict[str, int], str]:
    """Class of each folder of a set.

    Parameters
    ----------
    path : Path
        The folder that they are in.
    folders : sequence of str
        Their names, sorted.
    names : ClassNames
        Of the network's classes. Folders must be called by names that were given, by the user or by
        the model's file; their order decides only where nobody gave names.

    Returns
    -------
    (dict of str to int, str)
        Labels by folder, and where they are from; none, and why.

    Raises
    ------
    UserError
        If a folder is called by no class where others are, or where names were given.
    """
    classes, known = len(names.names), names.indices
    found = {name: known[plain_name(name)] for name in folders if plain_name(name) in known}
    if names.given and len(found) == len(folders):
        return found, f"names of classes in {names.origin} that folders are called by"
    if all(name.isdecimal() for name in folders) and not (names.given and found):
        for name in folders:
            check_label(int(name), classes, f"The folder {name!r} of {str(path)!r}")
        return {name: int(name) for name in folders}, "class indices that folders are called by"
    shift = imagenet_shift(classes)
    synsets = read_synsets(path)
    if (
        synsets is not None
        and len(synsets.order) == classes - shift
        and set(folders) <= set(synsets.order)
    ):
        return (
            {name: synsets.order.index(name) + shift for name in folders},
            f"synsets in the order of {synsets.file.name}",
        )
    if len(found) == len(folders):
        return found, "names of classes that folders are called by"
    by_synset = all(SYNSET.fullmatch(name) for name in folders)
    if len(folders) == classes - shift and (by_synset or not (names.given or shift)):
        # torchvision's ImageFolder; for ImageNet's synsets that is the order of its classes.
        labels = {name: index + shift for index, name in enumerate(folders)}
        return labels, f"the order of the {len(folders)} folders' names"
    if found or names.given:
        wrong = next(name for name in folders if name not in found)
        example = next(iter(found), None)
        if example is not None:
            raise UserError(
                f"The folder {wrong!r} of {str(path)!r} must be called by a class, as "
                f"{example!r} is: by its index, its name or its synset"
            )
        some = next(name for name in names.names if name is not None)
        raise UserError(
            f"The folder {wrong!r} of {str(path)!r} must be called by a class of {names.origin}, "
            f"such as {some!r}, or by its index; --labels FILE gives other names"
        )
    return {}, (
        f"none: folders are called neither by index nor by name of a class, they are not "
        f"{classes}, and no LOC_synset_mapping.txt or synset_words.txt is next to them"
    )
