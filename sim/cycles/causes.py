"""Accounts of cycles: each cycle of a descriptor is work or a wait, and each wait has a cause."""

__all__ = ["CAUSES", "DEPTHWISE", "POINTWISE", "Wait", "empty_counts"]

#: Why the array does nothing, as `mnv2.hw.passes.Stall` without NONE, in the same order.
CAUSES = (
    "activations",
    "weights",
    "parameters",
    "requantize",
    "line_buffer",
    "residual",
    "output",
    "drain",
    "program",
)


class Wait:
    """Places of the causes in a list of counts."""

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


#: Places of the array's work, after those of the causes.
POINTWISE, DEPTHWISE = len(CAUSES), len(CAUSES) + 1


def empty_counts() -> list[int]:
    """Make a list of counts, all 0: one for each cause, then pointwise and depthwise cycles."""
    return [0] * (len(CAUSES) + 2)
