"""Places in external memory: what lies where, in a program that is written or planned."""

from collections.abc import Mapping

from mnv2.hw.config import PAGE_BYTES, RECORD_BYTES

__all__ = ["assign_addresses"]


def assign_addresses(records: int, sizes: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Assign addresses to streams and maps, one after another, after a program's records.

    Each begins at the border of a page, so that bursts can be as long as possible.

    Parameters
    ----------
    records : int
        Records of the program, which begins at address 0.
    sizes : mapping of str to int
        Bytes by name, in order.

    Returns
    -------
    dict of str to int
        Addresses by name.
    int
        One past the last byte.
    """
    address, places = records * RECORD_BYTES, {}
    for name, size in sizes.items():
        address = -(-address // PAGE_BYTES) * PAGE_BYTES
        places[name] = address
        address += size
    return places, address
