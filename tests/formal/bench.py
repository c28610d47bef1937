"""A unit with free inputs, what is assumed of them, and what must hold in every cycle.

All inputs of a bench are free in every cycle, reset included: what a proof shows of it holds for
every environment that keeps the assumptions, and after a reset in the middle of anything.
"""

from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Shape, Signal, Value
from amaranth.lib.wiring import In

__all__ = ["Bench"]


class Bench:
    """A unit under proof.

    Parameters
    ----------
    unit : Component
        The unit, whose inputs the caller connects; it becomes the submodule ``unit``.
    elaborated : Module or None
        What the unit was elaborated to, where that has happened already.

    Attributes
    ----------
    module : Module
        The top: the unit, and whatever watches it.
    unit : Component
        The unit.
    covers : int
        Statements of what can happen.
    """

    def __init__(self, unit, elaborated=None):
        self.module = Module()
        self.module.submodules.unit = unit if elaborated is None else elaborated
        self.unit = unit
        self._inputs = []
        self._properties = {}
        self.covers = 0

    def free(self, name, shape=1):
        """An input that may take any value in any cycle; returns the signal."""
        signal = Signal(shape, name=name)
        self._inputs.append(signal)
        return signal

    def release(self, *signals):
        """Make inputs of signals that nothing drives."""
        self._inputs.extend(signals)

    def late(self, value, cycles, name, resets=False):
        """A value as it was some cycles ago, of the same shape; 0 after a reset if ``resets``."""
        value = Value.cast(value)
        for cycle in range(cycles):
            after = Signal(value.shape(), name=f"{name}_{cycle}", reset_less=not resets)
            self.module.d.sync += after.eq(value)
            value = after
        return value

    def constant(self, name, shape=1):
        """An input of any value that never changes, a reset included; returns the signal."""
        signal = self.free(name, shape)
        last = Signal.like(signal, name=f"{name}_last", reset_less=True)
        started = Signal(name=f"{name}_started", reset_less=True)
        self.module.d.sync += [last.eq(signal), started.eq(1)]
        self.assume(~started | (signal == last))
        return signal

    def drive(self, port, name, shape=None):
        """Connect an input of the unit to a free input of its width; returns the signal."""
        signal = self.free(name, Shape.cast(port.shape()).width if shape is None else shape)
        self.module.d.comb += Value.cast(port).eq(signal)
        return signal

    def assume(self, condition):
        """Restrict the environment: only runs in which this holds in every cycle are looked at."""
        self.module.d.comb += Assume(condition)

    def check(self, name, condition):
        """State a property: this holds in every cycle."""
        if name in self._properties:
            raise ValueError(f"Property {name!r} is stated twice")
        self._properties[name] = condition

    @property
    def properties(self):
        """Names of the properties, in the order of the bits of the port ``violated``."""
        return list(self._properties)

    def cover(self, condition):
        """State that something can happen, so that the proof is not vacuous."""
        self.covers += 1
        self.module.d.comb += Cover(condition)

    def source(self, port, name, of=None):
        """Feed a stream of the unit with anything that keeps the contract of streams.

        Parameters
        ----------
        port : stream interface
        name : str
        of : Value or View
            The part of the payload that is free, where it is not all of it.

        Returns
        -------
        transfer, payload : Signal
            An item is taken in this cycle; the item, as bits.
        """
        bits = Value.cast(port.payload if of is None else of)
        valid, payload = self.free(f"{name}_valid"), self.free(f"{name}_payload", len(bits))
        waits, last = Signal(name=f"{name}_waits"), Signal(len(bits), name=f"{name}_last")
        transfer = Signal(name=f"{name}_transfer")
        m = self.module
        m.d.comb += [
            port.valid.eq(valid),
            bits.eq(payload),
            transfer.eq(valid & port.ready),
        ]
        m.d.sync += [waits.eq(valid & ~port.ready), last.eq(payload)]
        self.assume(~waits | (valid & (payload == last)))
        return transfer, payload

    def sink(self, port, name, unless=0, of=None):
        """Take a stream of the unit at any time, and check that it keeps the contract of streams.

        Parameters
        ----------
        port : stream interface
        name : str
        unless : Value
            Where it is up, in the cycle of an offer or the one after, the offer may be withdrawn.
        of : Value or View
            The part of the payload that is looked at, where it is not all of it.

        Returns
        -------
        transfer, payload : Signal
            An item is given in this cycle; the item, as bits.
        """
        ready = self.free(f"{name}_ready")
        self.module.d.comb += port.ready.eq(ready)
        bits = Value.cast(port.payload if of is None else of)
        self.hold(name, port.valid, ready, bits, unless)
        transfer = Signal(name=f"{name}_transfer")
        self.module.d.comb += transfer.eq(port.valid & ready)
        return transfer, bits

    def hold(self, name, valid, ready, payload, unless=0):
        """Check that ``valid`` and ``payload``, once offered, hold until ``ready``."""
        waits = Signal(name=f"{name}_waits")
        last = Signal(len(payload), name=f"{name}_last")
        unless = Value.cast(unless).bool()
        self.module.d.sync += [waits.eq(valid & ~ready & ~unless), last.eq(payload)]
        owed = waits & ~unless
        self.check(f"{name} holds valid until ready", ~owed | valid)
        self.check(f"{name} holds its payload until ready", ~owed | (payload == last))

    def drive_inputs(self):
        """Make every input of the unit that is a plain port free."""
        for name, member in self.unit.signature.members.items():
            if member.is_port and member.flow is In:
                self.drive(getattr(self.unit, name), name)

    def text(self):
        """The bench as RTLIL; called once."""
        violated = Signal(max(len(self._properties), 1), name="violated")
        self.module.d.comb += [
            violated.eq(
                Cat(~Value.cast(condition).bool() for condition in self._properties.values())
            ),
            Assert(violated == 0),
        ]
        ports = [*self._inputs, violated]
        return rtlil.convert(self.module, ports=ports, name="top", emit_src=False)
