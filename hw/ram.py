"""The RAM of a device that a memory is made of, asked for by an attribute in the Verilog."""

from .arguments import check_choice
from .config import RAMS

__all__ = ["ram_attributes"]


def ram_attributes(ram):
    """Attributes of a memory in the Verilog that ask for a kind of RAM.

    Vivado and Yosys both read ``ram_style``; where it is absent they take block RAM or LUTs, by
    size.

    Parameters
    ----------
    ram : str
        One of :data:`mnv2.hw.config.RAMS`.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If there is no such RAM.

    Ref: AMD UG901, Vivado Design Suite User Guide: Synthesis, "RAM_STYLE".
    """
    check_choice("RAM", ram, RAMS)
    return {"ram_style": "ultra"} if ram == "ultra" else {}
