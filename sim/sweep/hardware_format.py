"""Formats that the accelerator can run."""

from mnv2.sim.sweep.grid import Point

__all__ = ["HARDWARE_BITS", "hardware_lacks"]

#: Least and most bits of a lane.
HARDWARE_BITS = (4, 8)


def hardware_lacks(point: Point) -> str | None:
    """The reason why the accelerator cannot run a format, or None."""
    if point.activation_bits > HARDWARE_BITS[1]:
        return f"its activations have at most {HARDWARE_BITS[1]} bits"
    if point.rounding != "double":
        return "it rounds twice, as LiteRT does"
    if point.accumulator_bits != 32:
        return "its accumulators have 32 bits"
    return None
