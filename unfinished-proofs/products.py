"""Two products in one multiplier, and products that are cut or made of LUTs, for all operands."""

from unittest import mock

from amaranth.hdl import C, Module, Shape, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tests.formal.bench import Bench
from tests.formal.fault import Fault
from tests.formal.proof import Proof

__all__ = ["PROOFS"]


def packed(activation_bits, weight_bits, operand_bits, inputs):
    """The array of one output and two pixels, which share its multipliers; sums begin anew."""
    from mnv2.hw.mac_array import MacArray

    unit = MacArray(
        outputs=inputs,
        inputs=inputs,
        pixels=2,
        packing="pixels",
        operand_bits=operand_bits,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        accumulator_bits=24,
        depthwise=False,
    )
    b = Bench(unit)
    m = b.module
    item = unit.i.payload
    weights = [
        b.drive(item.weights[0][k], f"weight_{k}", signed(weight_bits)) for k in range(inputs)
    ]
    valid = b.drive(unit.i.valid, "valid")
    m.d.comb += [item.pointwise.eq(1), item.first.eq(1), unit.o.ready.eq(1)]
    came = b.late(valid, unit.latency, "came", resets=True)
    b.check("an item comes out after the latency", unit.o.valid == came)
    offset = 1 << activation_bits - 1
    for pixel in range(2):
        total = C(0)
        for k in range(inputs):
            x = b.drive(item.x[pixel][k], f"x_{pixel}_{k}", signed(activation_bits))
            total = total + (x + offset) * weights[k]
        exact = b.late(total, unit.latency, f"exact_{pixel}")
        b.check(
            f"the sum of pixel {pixel}",
            ~came | (unit.o.payload.accumulators[0][pixel][0] == exact),
        )
    b.cover(came & (unit.o.payload.accumulators[0][0][0] == -7))
    return b


class _Product(wiring.Component):
    """A product as :func:`mnv2.hw.multiply.multiply` makes it."""

    def __init__(self, multiply, wide, narrow, drop, options):
        self._multiply, self._drop, self._options = multiply, drop, options
        self._result = signed(Shape.cast(wide).width + Shape.cast(narrow).width - drop)
        super().__init__({"wide": In(wide), "narrow": In(narrow), "result": Out(self._result)})

    def elaborate(self, platform):
        m = Module()
        result = self._multiply(
            m, C(1, 1), self.wide, self.narrow, self._drop, self._result, name="p", **self._options
        )
        m.d.comb += self.result.eq(result)
        return m


def product(wide, narrow, drop, stages, *, operand_bits=8, in_luts=False, narrow_bits=5):
    """A product of narrow operands, cut as wide ones are: for a multiplier that is narrower, too."""
    from mnv2.hw import multiply as module

    options = {"stages": stages, "operand_bits": operand_bits, "in_luts": in_luts}
    with mock.patch.multiple(module, _NARROW_BITS=narrow_bits, _ROW_BITS=2):
        unit = _Product(module.multiply, wide, narrow, drop, options)
        b = Bench(unit, unit.elaborate(None))
    operands = [b.drive(unit.wide, "wide", wide), b.drive(unit.narrow, "narrow", narrow)]
    exact = Signal(signed(wide.width + narrow.width))
    b.module.d.comb += exact.eq(operands[0] * operands[1])
    b.check("the product", unit.result == b.late(exact >> drop, stages, "exact"))
    b.cover(unit.result == -3)
    return b


PROOFS = [
    Proof(
        "packed-4x4",
        "two sums of products in one multiplier, of all operands of 4 bits",
        lambda: packed(4, 4, 18, 2),
        Fault(
            "packing", "total[field:].as_signed(), total[field - 1]", "total[field:].as_signed()"
        ),
        depth=6,
        cover_depth=8,
        fault_depth=8,
    ),
    Proof(
        "packed-8x8",
        "two products in one multiplier, of all operands of 8 bits",
        lambda: packed(8, 8, 27, 1),
        Fault("packing", "bits - 1 + k * field", "bits - 1 + k * field + k"),
        depth=6,
        cover_depth=8,
        fault_depth=8,
        small=False,
    ),
    Proof(
        "product-cut",
        "a product whose both operands are cut, of all operands of 9 and 7 bits",
        lambda: product(signed(9), unsigned(7), 6, 3, operand_bits=5),
        Fault("multiply", "dropped  = min(place, drop)", "dropped  = min(place + 1, drop)"),
        depth=5,
        cover_depth=6,
        fault_depth=6,
    ),
    Proof(
        "product-rows",
        "a product of rows of LUTs, of all operands of 8 and 7 bits",
        lambda: product(signed(8), unsigned(7), 6, 2, in_luts=True),
        Fault("multiply", "twos  = digit[1] ^ digit[2]", "twos  = digit[1] & digit[2]"),
        depth=4,
        cover_depth=6,
        fault_depth=6,
    ),
    Proof(
        "product-rows-and-multiplier",
        "a product of a multiplier and a few rows, of all operands of 9 and 7 bits",
        lambda: product(signed(7), unsigned(9), 6, 3, operand_bits=8),
        Fault(
            "multiply",
            "pieces = [(rest, _drop(wide, rest))]",
            "pieces = [(rest, _drop(wide, rest - 1))]",
        ),
        depth=5,
        cover_depth=6,
        fault_depth=6,
    ),
]
