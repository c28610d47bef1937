"""Frames abreast: as many tensors as the accelerator has frames, and their maps taken apart."""

from mnv2.sim.errors import UserError
from mnv2.sim.mapping.packing import unpack_map
from mnv2.sim.report.names import name_frames

__all__ = ["each_frame", "frame_label", "to_pack", "unpack_frames"]


def each_frame(given, config):
    """One tensor, or one dictionary of them, for each frame abreast.

    Parameters
    ----------
    given : thing, or sequence of things
        A single one where the accelerator computes a single frame; else one for each, in a list or
        a tuple.
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of things

    Raises
    ------
    UserError
        If there are more or fewer.
    """
    things = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if len(things) != config.frames:
        raise UserError(
            f"An accelerator of {name_frames(config.frames)} takes "
            f"{config.frames} picture{'s' if config.frames > 1 else ''}, not {len(things)}"
        )
    return things


def to_pack(tensors, config):
    """Tensors of the frames abreast as `mnv2.sim.mapping` takes them."""
    return tensors[0] if config.frames == 1 else list(tensors)


def unpack_frames(data, shape, config, layout=None):
    """The map of each frame abreast, int8 [H, W, C], from the bytes of their common one."""
    unpacked = unpack_map(data, shape, config, layout)
    return (unpacked,) if config.frames == 1 else tuple(unpacked)


def frame_label(name, number, config):
    """Name of a tensor of frame ``number``, from 0, with the frame if there are several."""
    return name if config.frames == 1 else f"{name} of picture {number + 1}"
