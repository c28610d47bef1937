"""Drivers and monitors of a unit's streams, cycle by cycle, for any simulator.

A simulator's loop is short: in each cycle it drives what the `Source` and `Sink` objects of a
`Traffic` say (``valid``, ``payload``, ``ready``), waits for the clock's edge, and hands what the
edge sampled to `Traffic.observe`, until `Traffic.finished`. Random decisions depend on the
generator and on what was observed alone, so the same seed makes the same cycles in every simulator.
"""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Sink", "Source", "Trace", "Traffic"]


@dataclass(frozen=True)
class Trace:
    """Transfers of a run.

    Attributes
    ----------
    items : dict of str to list of int
        Payloads by port, in order; of the inputs too.
    cycles : dict of str to int64 [N]
        Cycle of each transfer, counted from the first after reset.
    """

    items: dict[str, list[int]] = field(default_factory=dict)
    cycles: dict[str, np.ndarray] = field(default_factory=dict)


class Source:
    """Offers items to an input stream: valid holds, with its payload, until the transfer.

    Parameters
    ----------
    items : list of int
        Payloads.
    width : int
        Bits of a payload; while valid is low it carries random bits.
    stall : float
        Probability, in a cycle, of not offering the next item.
    """

    def __init__(self, name, items, width, stall, rng):
        self.name, self.items, self.stall = name, items, stall
        self._bytes, self._mask, self._rng = -(-width // 8), (1 << width) - 1, rng
        self.cycles = []
        self._choose(offered=False)

    def _choose(self, offered):
        more = len(self.cycles) < len(self.items)
        self.valid = more and (offered or self._rng.random() >= self.stall)
        if self.valid:
            self.payload = self.items[len(self.cycles)]
        else:
            self.payload = int.from_bytes(self._rng.bytes(self._bytes), "little") & self._mask

    def observe(self, cycle, ready):
        """Take note of the edge that ends a cycle."""
        taken = self.valid and ready
        if taken:
            self.cycles.append(cycle)
        self._choose(offered=self.valid and not taken)


class Sink:
    """Takes items from an output stream and checks that they hold while it waits.

    Parameters
    ----------
    expected : int
        Number of items; more are an error.
    stall : float
        Probability, in a cycle, of not being ready.
    reluctant : bool
        Ready is low until valid is seen: a unit whose valid waits for ready hangs.
    """

    def __init__(self, name, expected, stall, reluctant, rng):
        self.name, self.expected, self.stall, self.reluctant = name, expected, stall, reluctant
        self._rng = rng
        self.items, self.cycles = [], []
        self._held = None
        self._choose(waiting=False)

    def _choose(self, waiting):
        self.ready = (waiting or not self.reluctant) and self._rng.random() >= self.stall

    def observe(self, cycle, valid, payload):
        """Take note of the edge that ends a cycle; ``payload`` is an int where valid is high."""
        if self._held is not None:
            assert valid, f"{self.name}.valid fell without a transfer in cycle {cycle}"
            assert payload == self._held, (
                f"{self.name}.payload changed while it waited in cycle {cycle}"
            )
        taken = valid and self.ready
        self._held = payload if valid and not self.ready else None
        if taken:
            assert len(self.items) < self.expected, (
                f"{self.name} gave more than {self.expected} items, one in cycle {cycle}"
            )
            self.items.append(payload)
            self.cycles.append(cycle)
        self._choose(waiting=valid and not taken)


class Traffic:
    """All streams of a unit in one run.

    Parameters
    ----------
    inputs : dict of str to (items, width)
        Payloads and their bits by port. A port of a nested interface is ``"outer.inner"``.
    outputs : dict of str to int
        Number of items that each port is to give.
    stall : float or dict of str to float
        Probability of a stall by port, 0 where none is given.
    reluctant : bool
        See `Sink`.
    deadline : int
        Cycles after which the run fails.
    drain : int
        Cycles to watch after the last transfer for items too many.
    """

    def __init__(
        self, inputs, outputs, *, rng, stall=0.0, reluctant=False, deadline=20_000, drain=48
    ):
        stalls = stall if isinstance(stall, dict) else dict.fromkeys([*inputs, *outputs], stall)
        unknown = stalls.keys() - inputs.keys() - outputs.keys()
        if unknown:
            raise ValueError(f"Stalls must be of ports that are driven, not {sorted(unknown)}")
        self.sources = {
            name: Source(name, items, width, stalls.get(name, 0.0), rng)
            for name, (items, width) in inputs.items()
        }
        self.sinks = {
            name: Sink(name, count, stalls.get(name, 0.0), reluctant, rng)
            for name, count in outputs.items()
        }
        self.deadline, self.drain = deadline, drain
        self.cycle, self._idle = 0, 0

    @property
    def finished(self):
        """Whether everything was transferred and nothing came in the ``drain`` cycles after."""
        return self._idle > self.drain

    def observe(self, readies, valids, payloads):
        """Take note of what an edge sampled, each a dict by port, and choose what to drive next."""
        for name, source in self.sources.items():
            source.observe(self.cycle, readies[name])
        for name, sink in self.sinks.items():
            sink.observe(self.cycle, valids[name], payloads[name])
        self.cycle += 1
        counts = {
            name: (len(source.cycles), len(source.items)) for name, source in self.sources.items()
        }
        counts |= {name: (len(sink.items), sink.expected) for name, sink in self.sinks.items()}
        missing = [
            f"{name} {count} of {whole}" for name, (count, whole) in counts.items() if count < whole
        ]
        self._idle = 0 if missing else self._idle + 1
        assert not missing or self.cycle < self.deadline, (
            f"Transfers within {self.deadline} cycles: {', '.join(missing)}"
        )

    def trace(self):
        """The transfers until now."""
        items = {
            name: list(source.items[: len(source.cycles)]) for name, source in self.sources.items()
        }
        items |= {name: list(sink.items) for name, sink in self.sinks.items()}
        return Trace(
            items=items,
            cycles={
                name: np.array(end.cycles, np.int64)
                for name, end in (self.sources | self.sinks).items()
            },
        )
