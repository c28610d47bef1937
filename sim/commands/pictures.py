"""Pictures as the user names them."""

from pathlib import Path

__all__ = ["find_picture"]


def find_picture(name):
    """Path of a picture: a file, else the installed photograph of that name.

    Parameters
    ----------
    name : str
        Path of a file, or a name such as ``chelsea`` or ``imagenet_05_836``.

    Returns
    -------
    Path
        Where neither is there, the path as given, for whoever opens it to refuse.
    """
    from sim.photographs import calibration_photographs, labelled_photographs

    path = Path(name).expanduser()
    if not path.exists() and path.parent == Path("."):
        for find in (calibration_photographs, labelled_photographs):
            for photograph in find():
                if photograph.name == name:
                    return photograph.path
    return path
