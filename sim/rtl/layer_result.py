"""From counters to the rows of a report."""

from mnv2.hw.config import STREAMS
from mnv2.sim.errors import UserError
from mnv2.sim.report.results import LayerResult
from mnv2.sim.rtl.multipliers import count_multipliers

__all__ = ["layer_result", "require_counters"]


def require_counters(config):
    """Refuse an accelerator that counts nothing, before anything is built.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    UserError
    """
    if not config.counters:
        raise UserError(
            "A run is measured by the accelerator's counters, which counters=false leaves out: "
            "mnv2 predict gives the same figures without them"
        )


def layer_result(
    counters,
    config,
    *,
    name,
    kind,
    macs,
    ideal_cycles,
    write_bytes,
    input_shape,
    output_shape,
    stride=1,
    residual=False,
):
    """Row of a report.

    Parameters
    ----------
    counters : dict of str to int
        See `mnv2.hw.config.COUNTERS`.
    config : mnv2.hw.config.AcceleratorConfig
    macs : int
        Of one frame.
    name, kind, ideal_cycles, write_bytes, input_shape, output_shape, stride, residual
        See `mnv2.sim.report.results.LayerResult`.

    Returns
    -------
    mnv2.sim.report.results.LayerResult
    """
    return LayerResult(
        name=name,
        kind=kind,
        macs=config.frames * macs,
        multipliers=count_multipliers(config).weights,
        cycles=counters["cycles"],
        ideal_cycles=ideal_cycles,
        pointwise_cycles=counters["pointwise"],
        depthwise_cycles=counters["depthwise"],
        stalls={
            counter.removeprefix("stall_"): cycles
            for counter, cycles in counters.items()
            if counter.startswith("stall_")
        },
        dram_read_bytes_by_kind={
            channel: counters[f"read_{channel}"] * config.data_bytes for channel in STREAMS
        },
        dram_write_bytes=write_bytes,
        mismatches=0,
        input_shape=tuple(input_shape),
        output_shape=tuple(output_shape),
        stride=stride,
        residual=residual,
    )
