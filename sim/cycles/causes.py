"""Accounts of cycles: each cycle of a descriptor is work or a wait, and each wait has a cause."""

from mnv2.hw.config import CAUSES

__all__ = ["DEPTHWISE", "MEMORY_CAUSES", "POINTWISE", "Wait", "empty_counts"]


class Wait:
    """Places of `mnv2.hw.config.CAUSES` in a list of counts."""

    (
        ACTIVATIONS,
        WEIGHTS,
        PARAMETERS,
        REQUANTIZE,
        LINE_BUFFER,
        RESIDUAL,
        OUTPUT,
        DRAIN,
        PROGRAM,
    ) = range(len(CAUSES))


#: The first causes are waits for words from memory: activations, weights, parameters.
MEMORY_CAUSES = 3

#: Places of the array's work, after those of the causes.
POINTWISE, DEPTHWISE = len(CAUSES), len(CAUSES) + 1


def empty_counts() -> list[int]:
    """Make a list of counts, all 0: one for each cause, then pointwise and depthwise cycles."""
    return [0] * (len(CAUSES) + 2)
