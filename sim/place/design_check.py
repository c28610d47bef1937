"""A design and a device: every reason why it cannot be placed there, before any tool runs."""

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.boards.board import load_boards
from mnv2.sim.cost.devices import Device, family_advice, family_lacks
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.errors import UserError

__all__ = ["check_design"]


def check_design(config: AcceleratorConfig, device: Device) -> None:
    """Refuse a design that a device cannot hold, with all the reasons and what would do.

    Its DSPs and block RAMs are counted: `mnv2 cost` counts them as Yosys does. LUTs and flip-flops,
    which it estimates, are left to Yosys.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    device : mnv2.sim.cost.devices.Device

    Raises
    ------
    UserError
        If the family lacks what the configuration is made of, or the device has too little.
    """
    lacks = family_lacks(config, device.family)
    advice = family_advice(config, device.family)
    used = estimate_resources(config, device.family)
    counts = (
        ("DSPs", used.dsp, device.dsp),
        ("block RAMs of 18 kbit", used.block_ram_halves, device.block_ram_18k),
    )
    short = [f"{count:,} of {held:,} {name}" for name, count, held in counts if count > held]
    if not lacks and not short:
        return
    reasons = [lacks] if lacks else []
    if short:
        reasons.append(f"it takes {' and '.join(short)}")
        advice = _smaller_designs(device)
    raise UserError(
        f"This configuration cannot be placed on {device.name}: {'; '.join(reasons)}; use {advice}"
    )


def _smaller_designs(device: Device) -> str:
    """Sources of designs that a device holds, in words that follow "use"."""
    boards = [
        f"--config {name}" for name, board in load_boards().items() if board.device == device.name
    ]
    search = f"a design that mnv2 explore --device {device.name} finds"
    return f"{' or '.join(boards)}, or {search}" if boards else search
