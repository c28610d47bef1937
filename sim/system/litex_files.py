"""The files with which LiteX takes the accelerator into a SoC."""

import re
from pathlib import Path

from mnv2.hw.register_map import REGISTER_ADDRESS_BITS

__all__ = ["litex_files"]

_MODULE = Path(__file__).with_name("mnv2_litex.py")


def litex_files(config) -> dict[str, str]:
    """Texts of the files for LiteX, to lie next to ``accelerator.v``.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict of str to str
        ``mnv2_litex.py``, a module of LiteX with the widths of this accelerator.
    """
    text = _MODULE.read_text(encoding="utf-8")
    widths = {
        "DATA_BITS": config.data_bits,
        "ADDRESS_BITS": config.address_bits,
        "REGISTER_ADDRESS_BITS": REGISTER_ADDRESS_BITS,
    }
    for name, value in widths.items():
        text, count = re.subn(rf"^{name} = \d+$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    return {_MODULE.name: text}
