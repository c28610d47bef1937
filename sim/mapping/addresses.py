"""Places in a program's image: what lies where, in a program that is written or planned."""

from collections.abc import Mapping

from mnv2.hw.config import PAGE_BYTES, RECORD_BYTES

__all__ = ["assign_offsets"]


def assign_offsets(records: int, sizes: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Assign offsets to streams and maps, one after another, after a program's records.

    Each begins at the border of a page, so that bursts can be as long as possible.

    Parameters
    ----------
    records : int
        Records of the program, which begins at offset 0.
    sizes : mapping of str to int
        Bytes by name, in order.

    Returns
    -------
    dict of str to int
        Offsets by name.
    int
        One past the last byte.
    """
    offset, places = records * RECORD_BYTES, {}
    for name, size in sizes.items():
        offset = -(-offset // PAGE_BYTES) * PAGE_BYTES
        places[name] = offset
        offset += size
    return places, offset
