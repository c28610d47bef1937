"""The argument and the opening that commands share which run pictures turn by turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.mapping.network_program import NetworkProgram
    from mnv2.sim.networks.open import RunnableModel

__all__ = ["SMALL_MACS", "Images", "Turns", "open_turns"]

#: MACs of all pictures up to which a simulation is compiled in a hurry: what runs for a moment is
#: not worth the time of a compiler that makes it fast.
SMALL_MACS = 20_000_000

Images = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[IMAGE]...",
        help="Pictures, or names of bundled photographs; two for each turn of an accelerator "
        "of two frames abreast. Default bundled photographs.",
    ),
]


@dataclass(frozen=True)
class Turns:
    """A network and its pictures for an accelerator.

    Attributes
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    program : mnv2.sim.mapping.network_program.NetworkProgram
    names : tuple of str
        Of the pictures.
    pictures : list of list of int8 [H, W, C]
        For each turn one for each frame abreast.
    """

    model: "RunnableModel"
    program: "NetworkProgram"
    names: tuple[str, ...]
    pictures: list[list[Any]]

    @property
    def macs(self) -> int:
        """MACs of all pictures."""
        return self.model.network.macs * len(self.names)

    @property
    def elements(self) -> int:
        """Elements of all pictures."""
        return sum(picture.size for turn in self.pictures for picture in turn)


def open_turns(
    images: Sequence[str] | None,
    defaults: Sequence[str],
    accelerator: "AcceleratorConfig",
    model: "Path | None",
    **options: Any,
) -> Turns:
    """Open a network and pictures for an accelerator.

    Parameters
    ----------
    images, defaults : sequence of str
        Pictures, and those that are taken where none is named.
    accelerator : mnv2.hw.config.AcceleratorConfig
    model : Path, optional
        See `mnv2.sim.networks.open.open_model`, as the options ``size``, ``resize``, ``labels`` and
        ``calibration``.

    Returns
    -------
    Turns

    Raises
    ------
    UserError
        If the pictures do not fill turns, one cannot be read, or the network does not fit.
    """
    from pathlib import Path

    from mnv2.sim.mapping.network_program import build_network_program
    from mnv2.sim.mapping.tiling import DoesNotFit
    from mnv2.sim.networks.input_files import read_picture
    from mnv2.sim.networks.inputs import load_input
    from mnv2.sim.networks.open import open_model
    from mnv2.sim.rtl.check import accelerator_arithmetic, check_formats

    frames, names = accelerator.frames, images or defaults
    if len(names) % frames:
        raise UserError(f"Pictures must be a multiple of the {frames} frames, not {len(names)}")
    sources = [read_picture(name) for name in names]
    opened = open_model(
        model,
        input_size=options.pop("size"),
        weight_bits=accelerator.weight_bits,
        activation_bits=accelerator.activation_bits,
        arithmetic=accelerator_arithmetic(accelerator),
        **options,
    )
    check_formats(opened.integer, accelerator)
    inputs = [load_input(opened, source).integer for source in sources]
    try:
        program = build_network_program(opened.integer, accelerator)
    except DoesNotFit as error:
        raise UserError(error.advice) from None
    return Turns(
        model=opened,
        program=program,
        names=tuple(Path(name).stem for name in names),
        pictures=[inputs[k : k + frames] for k in range(0, len(inputs), frames)],
    )
