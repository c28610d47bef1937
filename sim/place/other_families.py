"""Families of devices that open tools place, and why accelerators are not placed on them here."""

import re

from mnv2.sim.cost.placed import load_placed
from mnv2.sim.errors import UserError

__all__ = ["check_family"]

_RAM = "block RAM, 18 kbit"

#: Beginnings of part numbers and names of boards, and why, in words that follow the device's name.
#: Counts are what nextpnr 0.11.1 states of an empty design; Yosys 0.66 maps the multiplier so.
_FAMILIES = {
    r"lifcl|lfcpnx|lfd2nx|nexus|crosslink|certus": (
        "the largest Nexus that nextpnr-nexus has, LIFCL-40, has 84 block RAMs and 56 multipliers "
        "of 18 x 18 bits"
    ),
    r"gw\d|gowin|tang": (
        "Yosys maps no multiplication to the DSPs of Gowin's GW5A, and each of 8 x 8 bits takes "
        "331 of its LUTs; the GW2A-18, whose DSPs it does map to, has 46 block RAMs"
    ),
    r"ccgm|gatemate|colognechip": (
        "a GateMate multiplies in its logic elements, and its largest that nextpnr has, CCGM1A2, "
        "has 128 block RAMs of 20 kbit"
    ),
}


def check_family(name: str) -> None:
    """Refuse a device of a family that is not described here, though open tools place it.

    Parameters
    ----------
    name : str
        Of a device or a board, as a user gives it.

    Raises
    ------
    UserError
        With the reason.
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for pattern, reason in _FAMILIES.items():
        if re.match(pattern, plain):
            least = min(design.resources[_RAM] for design in load_placed().values())
            raise UserError(
                f"{name} cannot be placed here: {reason}; the smallest accelerator that was placed "
                f"for 1.0/224 takes {least} of 18 kbit, and what smaller ones take is not counted "
                "for the family"
            )
