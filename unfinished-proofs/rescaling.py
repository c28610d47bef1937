"""Requantisation and the residual addition equal the integer model for all inputs.

Their multiplications are cut out: each becomes a free input, whatever its operands are, and the
operands are checked on their way to it. So the proof holds for all 2**33 products, and needs no
multiplier; that of :mod:`tests.formal.proofs.products` is about the multipliers.
"""

import contextlib
from unittest import mock

from amaranth.hdl import C, Mux, Signal, signed

from tests.formal.arithmetic import clamped, rescaled
from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]


class _CutProduct:
    """Takes the place of ``multiply``: notes operands, and gives a free input as result."""

    def __init__(self):
        self.calls = []

    def __call__(self, m, advance, wide, narrow, drop, shape, *, stages, name, **_):
        result = Signal(shape, name=f"cut_{name}")
        self.calls.append((wide, narrow, drop, stages, result))
        return result


@contextlib.contextmanager
def _cut(module):
    cut = _CutProduct()
    with mock.patch.object(module, "multiply", cut):
        yield cut


def _pipeline(unit, module):
    """A unit that never waits, with its products cut out.

    Returns
    -------
    b : Bench
    cuts : list of tuple
        Operands, bits that are dropped, stages and result of each multiplication.
    """
    with _cut(module) as cut:
        elaborated = unit.elaborate(None)
    b = Bench(unit, elaborated)
    b.drive(unit.i.payload, "i_payload")
    b.drive(unit.i.valid, "i_valid")
    b.module.d.comb += unit.o.ready.eq(1)
    b.release(*(call[-1] for call in cut.calls))
    return b, cut.calls


def _golden(high, shift, limits, rounding):
    """Output of a layer, from a product."""
    scaled = rescaled(high, shift, C(1, 1), lambda value: value < 0, rounding=rounding)
    return clamped(limits.zero_point + scaled, limits.minimum, limits.maximum, Mux)


def requantize(rounding, accumulator_bits):
    """One lane: operands on their way to the product, and the result of any product."""
    from mnv2.hw import requantize as module
    from mnv2.hw.config import REQUANTIZERS

    assert rounding in REQUANTIZERS
    unit = module.Requantize(
        channels=1, pixels=1, accumulator_bits=accumulator_bits, rounding=rounding
    )
    b, ((wide, narrow, drop, stages, high),) = _pipeline(unit, module)
    item = unit.i.payload
    parameters, limits = item.parameters[0], item.range
    shifts_left = rounding == "double" and accumulator_bits == 32
    shift = parameters.shift.as_signed() if shifts_left else parameters.shift[:5]
    if accumulator_bits == 32:
        least = -30 if shifts_left else 0
        b.assume((parameters.shift >= least) & (parameters.shift <= 31))
        b.assume(parameters.multiplier >= 0)
    factor_bits = 31 if rounding == "double" else 16
    if rounding == "single":
        b.assume(parameters.multiplier[: 31 - factor_bits] == 0)
    b.assume(parameters.bias == parameters.bias[:accumulator_bits].as_signed())
    b.assume(limits.minimum <= limits.maximum)

    valid = b.late(unit.i.valid, unit.latency, "valid", resets=True)
    b.check("latency is as stated", unit.o.valid == valid)
    # The product's operands, and how many bits of it are dropped.
    before = 2 if shifts_left else 1
    total = (item.accumulators[0][0] + parameters.bias)[:accumulator_bits].as_signed()
    left = Mux(shift < 0, -shift, 0)[:5] if shifts_left else C(0, 5)
    lifted = Signal(signed(accumulator_bits))
    b.module.d.comb += lifted.eq(total << left)
    b.check("the value that is multiplied", wide == b.late(lifted, before, "lifted"))
    multiplier = parameters.multiplier[31 - factor_bits : 31]
    b.check("the multiplier", narrow == b.late(multiplier, before, "multiplier"))
    assert drop == factor_bits - 1
    # Its result, which is free, and what becomes of it.
    after = unit.latency - before - stages
    right = Mux(shift < 0, 0, shift)[:5] if shifts_left else shift
    golden = _golden(
        b.late(high, after, "high"),
        b.late(right, unit.latency, "right"),
        _Limits(b, limits, unit.latency),
        rounding,
    )
    result = unit.o.payload.word[0][0]
    b.check("the output", ~valid | (result == golden))
    b.cover(valid & (result == 5) & (b.late(right, unit.latency, "covered") == 9))
    return b


class _Limits:
    """A layer's range, as it was some cycles ago."""

    def __init__(self, b, limits, cycles):
        for name in ("zero_point", "minimum", "maximum"):
            setattr(self, name, b.late(getattr(limits, name), cycles, name))


def residual_add(rounding, plain):
    """One lane: operands on their way to both products, and the sum of any products.

    Parameters
    ----------
    rounding : str
    plain : str
        The input of the factor 1/2, ``"a"`` or ``"b"``; the other one is multiplied.
    """
    from mnv2.hw import residual as module

    unit = module.ResidualAdd(channels=1, pixels=1, lanes=1, rounding=rounding)
    b, (first, second) = _pipeline(unit, module)
    m, item = b.module, unit.i.payload
    parameters, limits = item.parameters, item.parameters.range
    factor_bits = 31 if rounding == "double" else 16
    other = "b" if plain == "a" else "a"
    for name in ("a_", "b_", ""):
        shift, multiplier = parameters[f"{name}shift"], parameters[f"{name}multiplier"]
        b.assume((shift >= 0) & (shift <= 31) & (multiplier >= 0))
        b.assume(multiplier[: 31 - factor_bits] == 0)
    b.assume((parameters[f"{plain}_multiplier"] == 1 << 30) & (parameters[f"{plain}_shift"] == 0))
    if plain == "b":  # both may have it, and then `a` is the plain one
        b.assume((parameters.a_multiplier != 1 << 30) | (parameters.a_shift != 0))
    b.assume(limits.minimum <= limits.maximum)
    valid = b.late(unit.i.valid, unit.latency, "valid", resets=True)
    b.check("latency is as stated", unit.o.valid == valid)

    def less_zero_point(name):
        return item[name][0][0] - parameters[f"{name}_zero_point"]

    def compare(name, operand, expected, cycles):
        b.check(name, operand == b.late(expected, cycles, name.replace(" ", "_")))

    # The scaled input, lifted by 20 bits, times its factor; then the sum, times the output's.
    factor, narrow, drop, stages, high = first
    multiplier = parameters[f"{other}_multiplier"][31 - factor_bits : 31]
    compare("the scaled input's multiplier", factor, multiplier, 2)
    compare("the scaled input", narrow, less_zero_point(other), 2)
    lost = factor_bits - 1 - 20
    assert drop == max(lost, 0)
    product = high << max(-lost, 0)
    began = 2 + stages
    shift = b.late(parameters[f"{other}_shift"][:5], began + 2, f"{other}_shift")
    scaled = rescaled(
        b.late(product, 2, "product"), shift, C(1, 1), lambda value: value < 0, rounding=rounding
    )
    added = Signal(signed(30))
    m.d.comb += added.eq(scaled + (b.late(less_zero_point(plain), began + 2, "plain") << 19))
    wide, narrow, drop, stages, high = second
    b.check("the sum is multiplied", wide == added)
    compare(
        "the output's multiplier", narrow, parameters.multiplier[31 - factor_bits : 31], began + 2
    )
    assert drop == factor_bits - 1
    after = unit.latency - (began + 2) - stages
    golden = _golden(
        b.late(high, after, "high"),
        b.late(parameters.shift[:5], unit.latency, "shift"),
        _Limits(b, limits, unit.latency),
        rounding,
    )
    result = unit.o.payload.word[0][0]
    b.check("the output", ~valid | (result == golden))
    b.cover(valid & (result == 5))
    return b


PROOFS = [
    Proof(
        "requantize-double-32",
        "for all accumulators, biases, shifts, products and ranges: the output is golden's",
        lambda: requantize("double", 32),
        Fault("rounding", "half & ~item.solid", "half"),
        depth=8,
        cover_depth=10,
        fault_depth=9,
    ),
    Proof(
        "requantize-double-16",
        "the same with accumulators of 16 bits",
        lambda: requantize("double", 16),
        Fault("requantize", "biased.eq(accumulator + bias)", "biased.eq(accumulator - bias)"),
        depth=8,
        cover_depth=10,
        fault_depth=9,
    ),
    Proof(
        "requantize-single-16",
        "the same with a single rounding",
        lambda: requantize("single", 16),
        Fault("requantize", 'scaling["fine"][1:], 2, 11,', 'scaling["fine"][1:], 2, 10,'),
        depth=7,
        cover_depth=10,
        fault_depth=9,
    ),
    *(
        Proof(
            f"residual-add-{rounding}-{plain}",
            f"for all words, parameters and products, {plain} unscaled: the output is golden's",
            lambda rounding=rounding, plain=plain: residual_add(rounding, plain),
            fault,
            depth=12,
            cover_depth=13,
            fault_depth=13,
        )
        for rounding, plain, fault in (
            ("double", "a", Fault("residual", "Mux(plain_a, a, b) -", "Mux(plain_a, b, a) -")),
            ("double", "b", Fault("residual", "Cat(C(0, 19), plain)", "Cat(C(0, 18), plain)")),
            ("single", "a", Fault("residual", "coarse[3:], 8, 17,", "coarse[3:], 8, 16,")),
        )
    ),
]
