"""The figures in which a prediction and a run are compared."""

from collections.abc import Sequence

from mnv2.sim.report.names import words
from mnv2.sim.report.results import LayerResult

__all__ = ["figures", "total_figures"]


def figures(result: LayerResult) -> dict[str, int]:
    """List the figures of a row that are compared, by name: cycles, then bytes."""
    return {
        "cycles": result.cycles,
        "pointwise cycles": result.pointwise_cycles,
        "depthwise cycles": result.depthwise_cycles,
        **{f"wait for {words(cause)}": cycles for cause, cycles in result.stalls.items()},
        **{f"{kind} bytes": count for kind, count in result.dram_read_bytes_by_kind.items()},
        "written bytes": result.dram_write_bytes,
    }


def total_figures(rows: Sequence[LayerResult]) -> dict[str, int]:
    """Sum the figures of all rows, by name."""
    return {
        name: sum(values)
        for name, *values in zip(
            figures(rows[0]), *(figures(row).values() for row in rows), strict=True
        )
    }
