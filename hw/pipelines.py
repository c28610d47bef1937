"""Signals of a stalling pipeline: its registers, and named values between them."""

from amaranth import *

__all__ = ["delay", "name_value", "register"]


def register(shape, name):
    """Data register of a stage: holds anything until the first item, so it needs no reset."""
    return Signal(shape, name=name, reset_less=True)


def name_value(m, value, name):
    """Signal that has a value: for one that is read several times."""
    signal = Signal(value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal


def delay(m, advance, value, stages, *, name, reset_less=True):
    """Value as it was ``stages`` advances ago.

    Parameters
    ----------
    m : Module
        Gets the registers, in domain ``sync``.
    advance : Value
        High in each cycle in which the pipeline moves.
    value : ValueLike
        What is delayed; a view stays one.
    stages : int
        Registers, 0 or more.
    name : str
        The registers are called ``{name}_1`` to ``{name}_{stages}``.
    reset_less : bool
        False where the initial 0 matters, as for a valid bit.

    Returns
    -------
    ValueLike
        The last register, or ``value`` itself without any.
    """
    for stage in range(1, stages + 1):
        after = Signal(value.shape(), name=f"{name}_{stage}", reset_less=reset_less)
        with m.If(advance):
            m.d.sync += after.eq(value)
        value = after
    return value
