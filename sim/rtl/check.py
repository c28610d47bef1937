"""What the RTL did against golden, and its counters against what was counted beside it."""

import numpy as np

from hw.counters import READ_CHANNELS
from sim.errors import SimulationError, UserError

__all__ = ["Mismatch", "check_counters", "check_map"]


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
    memory : sim.rtl.memory_model.MemoryModel
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
    where = ", ".join(f"{axis} {k}" for axis, k in zip(("row", "column", "channel"), place,
                                                       strict=False))
    raise Mismatch(
        f"The RTL differs from golden in {name}: {len(wrong)} of {expected.size} elements, first "
        f"at {where}, where the RTL gives {output[place]} and golden {expected[place]}; repeat "
        f"with {repeat} --seed {memory.seed} --waves.")


def check_counters(result, config):
    """Insist that all cycles have a cause, and all bytes were counted twice with the same result.

    Parameters
    ----------
    result : sim.rtl.simulate.Simulation
    config : hw.config.AcceleratorConfig

    Raises
    ------
    SimulationError
    """
    parts = [counters for row in result.counters for counters in row.values()]
    total = {name: sum(counters[name] for counters in parts) for name in parts[0]}
    causes = sum(cycles for name, cycles in total.items()
                 if name.startswith("stall_") or name in ("pointwise", "depthwise"))
    read = sum(total[f"read_{kind}"] for kind in READ_CHANNELS) * config.data_bytes
    for what, counted, beside in (
            ("cycles by cause", causes, total["cycles"]),
            ("cycles", total["cycles"], result.cycles),
            ("bytes read", read, result.read_bytes),
            ("beats written", total["write"], result.write_beats)):
        if counted != beside:
            raise SimulationError(
                f"The accelerator counts {counted} {what}, but {beside} were counted beside it")
