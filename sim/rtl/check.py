"""The RTL's results compared with golden, its counters with those of the memory model."""

import numpy as np

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.hw.config import REQUANTIZERS, STREAMS
from mnv2.sim.errors import SimulationError, UserError

__all__ = [
    "Mismatch",
    "accelerator_arithmetic",
    "check_counters",
    "check_formats",
    "check_map",
]

#: How to run a network whose arithmetic is another.
_ADVICE = "take its float model, which is quantised for the accelerator"


class Mismatch(UserError):
    """The RTL's output differs from golden; the message says where, and how to repeat it."""


def check_map(name, output, expected, memory, repeat):
    """Insist that a tensor equals golden's.

    Parameters
    ----------
    name : str
        What it is.
    output, expected : array
        The same shape.
    memory : mnv2.sim.rtl.memory_model.MemoryModel
        Its seed repeats the run.
    repeat : str
        Options that repeat it with a waveform.

    Raises
    ------
    Mismatch
        Naming the first element that differs.
    """
    wrong = np.argwhere(output != expected)
    if not len(wrong):
        return
    place = tuple(int(k) for k in wrong[0])
    where = ", ".join(
        f"{axis} {k}" for axis, k in zip(("row", "column", "channel"), place, strict=False)
    )
    raise Mismatch(
        f"The RTL differs from golden in {name}: {len(wrong)} of {expected.size} elements, first "
        f"at {where}, where the RTL gives {output[place]} and golden {expected[place]}; repeat "
        f"with {repeat} --seed {memory.seed} --waves."
    )


def check_counters(result, config):
    """Insist that all cycles have a cause, and all bytes were counted twice with the same result.

    Parameters
    ----------
    result : mnv2.sim.rtl.simulate.Simulation
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    SimulationError
    """
    parts = [counters for row in result.counters for counters in row.values()]
    total = {name: sum(counters[name] for counters in parts) for name in parts[0]}
    causes = sum(
        cycles
        for name, cycles in total.items()
        if name.startswith("stall_") or name in ("pointwise", "depthwise")
    )
    read = sum(total[f"read_{kind}"] for kind in STREAMS) * config.data_bytes
    for what, counted, expected in (
        ("cycles by cause", causes, total["cycles"]),
        ("cycles", total["cycles"], result.cycles),
        ("bytes read", read, result.read_bytes),
        ("beats written", total["write"], result.write_beats),
    ):
        if counted != expected:
            raise SimulationError(
                f"The accelerator counts {counted} {what}, but {expected} were counted outside it"
            )


def accelerator_arithmetic(config):
    """Arithmetic of an accelerator's layers, for which a float network is quantised.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    mnv2.golden.arithmetic.Arithmetic
    """
    if config.requantize == "single":
        return Arithmetic(multiplier_bits=17, rounding="single")
    return LITERT


def check_formats(integer, config):
    """Refuse an integer network in a format that the accelerator does not have.

    Parameters
    ----------
    integer : mnv2.golden.model.QuantizedModel
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    UserError
        Naming the layer, its bits and the accelerator's.
    """
    there = accelerator_arithmetic(config)
    adds = [block.add for block in integer.blocks if block.add is not None]
    for record in (*integer.layers, *adds, integer.pool):
        arithmetic = record.arithmetic
        if arithmetic.rounding == "even":
            raise UserError(
                f"{record.name} rounds halves to even, as its training did, which the accelerator "
                "cannot: mnv2 classify and predict take the file; to run it, export it with the "
                "rounding mode HALF_UP and steps that are powers of two, or take its float model"
            )
        if arithmetic.rounding != there.rounding:
            other = f", or --set requantize={arithmetic.rounding}"
            raise UserError(
                f"{record.name} has {arithmetic.rounding} rounding, but the accelerator "
                f"{there.rounding}: {_ADVICE}{other if arithmetic.rounding in REQUANTIZERS else ''}"
            )
        if arithmetic.accumulator_bits != there.accumulator_bits:
            raise UserError(
                f"{record.name} has accumulators of {arithmetic.accumulator_bits} bits, in which "
                "sums wrap or saturate, but the accelerator's sums are exact: quantise it with "
                f"{there.accumulator_bits} bits"
            )
        if arithmetic.multiplier_bits > there.multiplier_bits:
            raise UserError(
                f"{record.name} has multipliers of {arithmetic.multiplier_bits} bits, but the "
                f"accelerator {there.multiplier_bits}: {_ADVICE}"
            )
        for what, bits_there in (
            ("weight_bits", config.weight_bits),
            ("activation_bits", config.activation_bits),
        ):
            bits = getattr(record, what, 0)
            if bits > bits_there:
                raise UserError(
                    f"{record.name} has {what} {bits}, but the accelerator {bits_there}: change it "
                    f"with --set {what}={bits}, which may be 4 to 8"
                )
