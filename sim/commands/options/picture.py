"""Pictures by the names that the user gives."""

from pathlib import Path

__all__ = ["find_picture"]


def find_picture(name):
    """Path of a picture: a file, or else the bundled photograph of that name.

    Parameters
    ----------
    name : str
        Path of a file, or a name such as ``chelsea`` or ``imagenet_05_836``.

    Returns
    -------
    Path
        If there is neither, the path as given: opening it says so.

    Raises
    ------
    UserError
        If a name without folder and suffix is that of neither.
    """
    from mnv2.sim.errors import UserError
    from mnv2.sim.pictures.photographs import calibration_photographs, labelled_photographs

    path = Path(name).expanduser()
    if not path.exists() and path.parent == Path("."):
        for find in (calibration_photographs, labelled_photographs):
            for photograph in find():
                if photograph.name == name:
                    return photograph.path
        if not path.suffix:
            names = ", ".join(photograph.name for photograph in calibration_photographs())
            raise UserError(f"There is no file {name!r}, and the bundled photographs are {names}")
    return path
