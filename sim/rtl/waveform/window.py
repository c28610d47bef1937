"""When a waveform is written: cycles of the program, or its layers."""

import re
from dataclasses import dataclass

from mnv2.sim.errors import UserError

__all__ = ["Window", "parse_window", "window_layers"]


#: More descriptors than any program has.
_ALL = 2**31 - 1


@dataclass(frozen=True)
class Window:
    """A window of time; all limits hold together.

    Attributes
    ----------
    first_cycle, last_cycle : int or None
        Cycles of the program, from 0 on, both within; None if they do not limit it.
    first_descriptor, last_descriptor : int or None
        Descriptors, from 0 on, both within.
    """

    first_cycle: int | None = None
    last_cycle: int | None = None
    first_descriptor: int | None = None
    last_descriptor: int | None = None

    def plusargs(self):
        """Plusargs of the simulation, see ``waves.sv``.

        Returns
        -------
        list of str
        """
        limits = {
            "waves_from": self.first_cycle,
            "waves_to": self.last_cycle,
            "waves_first": self.first_descriptor,
            "waves_last": self.last_descriptor,
        }
        return [f"+{name}={value}" for name, value in limits.items() if value is not None]

    def check_reached(self, cycles):
        """Refuse a window of which a run saw nothing.

        Parameters
        ----------
        cycles : int
            Cycles of the run.

        Raises
        ------
        UserError
        """
        if self.first_cycle is not None and self.first_cycle >= cycles:
            raise UserError(
                f"The waveform is empty: its window begins at cycle {self.first_cycle}, and the "
                f"run has {cycles} cycles"
            )


def window_layers(network):
    """Names that a window of a frame may have, and the descriptor of each.

    Parameters
    ----------
    network : mnv2.golden.network.Network

    Returns
    -------
    dict of str to (int, int)
        First and last descriptor of each name. The stem is computed with the first block, under one
        descriptor; the classifier takes all that are left.
    """
    names = [block.name for block in network.blocks]
    layers = {"stem": (0, 0)} | {name: (number, number) for number, name in enumerate(names)}
    head = len(names)
    return layers | {"head": (head, head), "classifier": (head + 1, _ALL)}


def parse_window(text, layers):
    """Read a window as it is typed.

    Parameters
    ----------
    text : str
        ``FROM-TO`` in cycles from 0 on, a layer, or ``LAYER-LAYER``.
    layers : dict of str to (int, int)
        Names of the layers, in order, with the first and last descriptor of each; none where cycles
        alone make sense.

    Returns
    -------
    Window

    Raises
    ------
    UserError
        If it is neither, or ends before it begins.
    """
    if match := re.fullmatch(r"\s*(\d{1,9})\s*-\s*(\d{1,9})\s*", text):
        first, last = int(match[1]), int(match[2])
        if first <= last:
            return Window(first_cycle=first, last_cycle=last)
    names = [name.strip() for name in text.split("-")]
    if len(names) in (1, 2) and all(name in layers for name in names):
        first, last = layers[names[0]][0], layers[names[-1]][1]
        if first <= last:
            return Window(first_descriptor=first, last_descriptor=last)
    known = list(layers)
    asked = "FROM-TO in cycles, as in 0-5000"
    if known:
        asked += f", a layer ({known[0]} to {known[-1]}) or two, as in block3-block5"
    raise UserError(f"The window of the waveform must be {asked}, not {text!r}")
