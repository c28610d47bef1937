"""A memory in words, as reports name it."""

from collections.abc import Mapping
from typing import Any

from mnv2.sim.memory.parts import find_part

__all__ = ["memory_words"]


def memory_words(memory: Mapping[str, Any]) -> str:
    """Name a memory.

    Parameters
    ----------
    memory : dict
        Fields of `mnv2.sim.rtl.memory_model.MemoryModel`.

    Returns
    -------
    str
        Such as ``"a memory 100 cycles away, a beat a cycle each way"``, or a part and its clock.
    """
    if part := memory.get("part"):
        return (
            f"{part} ({find_part(part).title}) at {memory['part_clock_hz'] / 1e6:g} MHz, "
            f"{memory['latency']} cycles away"
        )
    bandwidth = memory["bytes_per_cycle"]
    return f"a memory {memory['latency']} cycles away, " + (
        f"{bandwidth} bytes a cycle" if bandwidth else "a beat a cycle each way"
    )
