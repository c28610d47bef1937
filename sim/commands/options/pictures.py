"""The pictures that a command runs in RTL: one, or one for each frame abreast."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.networks.input_files import InputFile

__all__ = ["read_pictures"]

#: Bundled photographs that are run where the user names none.
_DEFAULTS = ("chelsea", "coffee")


def read_pictures(
    names: Sequence[str | None], config: "AcceleratorConfig"
) -> tuple["InputFile", ...]:
    """Decode a picture, or accept an array, for each frame that the accelerator computes abreast.

    Parameters
    ----------
    names : sequence of (str or None)
        Of files or bundled photographs, in order; those that are missing, or None, are bundled
        photographs that differ from the others.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of mnv2.sim.networks.input_files.InputFile

    Raises
    ------
    UserError
        If there are more pictures than frames abreast, or one cannot be read.
    """
    from mnv2.sim.networks.input_files import read_picture

    given = [name for name in names if name is not None]
    if len(given) > config.frames:
        raise UserError(
            f"{len(given)} pictures need an accelerator that computes as many frames abreast, such "
            f"as with --set frames=2, not frames={config.frames}"
        )
    sources = [read_picture(name) for name in given]
    for name in _DEFAULTS:
        if len(sources) < config.frames:
            source = read_picture(name)
            if source.path not in [one.path for one in sources]:
                sources.append(source)
    return tuple(sources)
