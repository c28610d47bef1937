"""LLVM code of the inner loops on bytes, for CPUs that add four products of bytes at once.

Maps hold each value plus 128, as unsigned bytes, which is what the instruction `vpdpbusd`
multiplies by signed weights; accumulators start at -128 times the sum of an output's weights, so
that they end as the sums of `mnv2.golden.fast.prepared`. Sixteen channels are one vector.

The steps after the sum are those of `mnv2.golden.fast.affine_scale`, one by one and in float32:
nothing is reordered or fused. Addresses are integers; whoever calls keeps the arrays, and sees that
64 bytes after each of them may be read.

Ref: Intel, "Intrinsics Guide", _mm512_dpbusd_epi32.
"""

from llvmlite import ir
from numba import uintp, void
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "LANES",
    "TILE_PIXELS",
    "TILE_VECTORS",
    "VERSION",
    "filter_row",
    "load_count",
    "tiles",
]

#: Of this code. What numba has compiled and kept holds it, and is taken as long as it is the same.
VERSION = 1
#: Channels of a vector.
LANES = 16
#: Pixels and vectors of channels whose sums stay in registers.
TILE_PIXELS, TILE_VECTORS = 7, 3

_I8, _I16, _I32, _I64, _F32 = (*map(ir.IntType, (8, 16, 32, 64)), ir.FloatType())
_BYTES = ir.VectorType(_I8, LANES)
_INTEGERS = ir.VectorType(_I32, LANES)
_FLOATS = ir.VectorType(_F32, LANES)
_MASK = ir.VectorType(ir.IntType(1), LANES)
_VECTOR_BYTES = 4 * LANES
_DOT = "llvm.x86.avx512.vpdpbusd.512"


def _splat(builder, value, kind):
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    zeros = ir.Constant(_INTEGERS, [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def _load(builder, address, kind):
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1, typ=kind)


def _intrinsic(builder, name, kind, *arguments):
    function = builder.module.globals.get(name)
    if function is None:
        signature = ir.FunctionType(kind, [argument.type for argument in arguments])
        function = ir.Function(builder.module, signature, name)
    return builder.call(function, arguments)


def _vectors(builder, address, count, kind):
    """Vectors that follow one another in memory."""
    steps = (_I64(number * _VECTOR_BYTES) for number in range(count))
    return [_load(builder, builder.add(address, step), kind) for step in steps]


def _loop(builder, count, carried, body):
    """The values carried through ``count`` turns of a body, of which there may be none."""
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("loop", "turn", "done"))
    builder.branch(head)
    builder.position_at_end(head)
    turn = builder.phi(_I64)
    turn.add_incoming(_I64(0), before)
    values = [builder.phi(value.type) for value in carried]
    for value, first in zip(values, carried, strict=True):
        value.add_incoming(first, before)
    builder.cbranch(builder.icmp_unsigned("<", turn, count), inside, after)
    builder.position_at_end(inside)
    made = body(turn, values)
    turn.add_incoming(builder.add(turn, _I64(1)), builder.block)
    for value, new in zip(values, made, strict=True):
        value.add_incoming(new, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return values


class _Form:
    """The steps from sums to bytes, for some vectors of channels.

    Its numbers, `_FORM` elsewhere: offset, scale and half of the first channel, whether half
    counts, zero point, clamp; exceptions, their replacements, the step from one to the next of a
    channel, and how many there are.
    """

    def __init__(self, builder, vectors, arguments):
        offset, scale, half, self.two_sided, *numbers = arguments[:7]
        self.exceptions, self.replacements, self.step, self.count = arguments[7:]
        self.builder, self.vectors = builder, vectors
        self.offset = _vectors(builder, offset, vectors, _FLOATS)
        self.scale = _vectors(builder, scale, vectors, _FLOATS)
        self.half = _vectors(builder, half, vectors, _FLOATS)
        self.zero_point, self.low, self.high = (
            _splat(builder, number, _FLOATS) for number in numbers
        )

    def replace(self, sums):
        """Sums by pixel and vector, with exceptions replaced."""
        builder = self.builder

        def body(turn, values):
            where = builder.mul(turn, self.step)
            found = _vectors(builder, builder.add(self.exceptions, where), self.vectors, _INTEGERS)
            new = _vectors(builder, builder.add(self.replacements, where), self.vectors, _INTEGERS)
            return [
                builder.select(
                    builder.icmp_signed("==", value, found[number % self.vectors]),
                    new[number % self.vectors],
                    value,
                )
                for number, value in enumerate(values)
            ]

        return _loop(builder, self.count, sums, body)

    def outputs(self, sums):
        """Bytes of sums by pixel and vector, exceptions replaced."""
        builder = self.builder
        sums = self.replace(sums)
        made = {}
        blocks = [builder.append_basic_block(name) for name in ("two", "one", "scaled")]
        builder.cbranch(self.two_sided, *blocks[:2])
        for block, finish in zip(blocks[:2], (self._two_sided, self._one_sided), strict=True):
            builder.position_at_end(block)
            made[block] = [
                self._clamp(finish(self._scaled(value, number % self.vectors), number))
                for number, value in enumerate(sums)
            ]
            builder.branch(blocks[2])
        builder.position_at_end(blocks[2])
        joined = []
        for values in zip(*made.values(), strict=True):
            value = builder.phi(_BYTES)
            for block, one in zip(made, values, strict=True):
                value.add_incoming(one, block)
            joined.append(value)
        return joined

    def _scaled(self, value, vector):
        builder = self.builder
        shifted = builder.fadd(builder.sitofp(value, _FLOATS), self.offset[vector])
        return builder.fmul(shifted, self.scale[vector])

    def _two_sided(self, value, number):
        builder, half = self.builder, self.half[number % self.vectors]
        away = _intrinsic(builder, f"llvm.copysign.v{LANES}f32", _FLOATS, half, value)
        whole = _intrinsic(builder, f"llvm.trunc.v{LANES}f32", _FLOATS, builder.fadd(value, away))
        return builder.fadd(whole, self.zero_point)

    def _one_sided(self, value, number):
        return _intrinsic(self.builder, f"llvm.rint.v{LANES}f32", _FLOATS, value)

    def _clamp(self, value):
        builder = self.builder
        value = builder.select(builder.fcmp_ordered("<", value, self.low), self.low, value)
        value = builder.select(builder.fcmp_ordered(">", value, self.high), self.high, value)
        whole = builder.add(builder.fptosi(value, _INTEGERS), ir.Constant(_INTEGERS, [128] * LANES))
        return builder.trunc(whole, _BYTES)


def _store(builder, values, address, lanes):
    """Store some vectors after one another, of the last the first lanes alone."""
    for number, value in enumerate(values):
        pointer = builder.inttoptr(builder.add(address, _I64(LANES * number)), _BYTES.as_pointer())
        if number < len(values) - 1:
            builder.store(value, pointer, align=1)
            continue
        numbers = ir.Constant(_INTEGERS, list(range(LANES)))
        wanted = _splat(builder, builder.trunc(lanes, _I32), _INTEGERS)
        mask = builder.icmp_signed("<", numbers, wanted)
        name = f"llvm.masked.store.v{LANES}i8.p0"
        function = builder.module.globals.get(name)
        if function is None:
            kinds = [_BYTES, pointer.type, _I32, _MASK]
            function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
        builder.call(function, [value, pointer, _I32(1), mask])


def _tile(pixels, vectors):
    """An intrinsic: outputs of some pixels for some vectors of channels.

    Its argument is a tuple: activations of the first pixel, step to the next; words of four
    activations; packed weights; starts of the accumulators; `_FORM`; output, step to the next
    pixel, lanes of the last vector.
    """

    @intrinsic
    def tile(typing_context, arguments):
        def generate(context, builder, signature, given):
            values = cgutils.unpack_tuple(builder, given[0])
            source, step, words, weights, starts = values[:5]
            output, output_step, lanes = values[-3:]
            rows = [builder.add(source, builder.mul(step, _I64(row))) for row in range(pixels)]
            starts = _vectors(builder, starts, vectors, _INTEGERS)

            def body(turn, sums):
                place = builder.mul(turn, _I64(vectors * _VECTOR_BYTES))
                factors = _vectors(builder, builder.add(weights, place), vectors, _INTEGERS)
                four = builder.mul(turn, _I64(4))
                made = []
                for row in range(pixels):
                    word = _load(builder, builder.add(rows[row], four), _I32)
                    word = _splat(builder, word, _INTEGERS)
                    for number, factor in enumerate(factors):
                        total = sums[row * vectors + number]
                        made.append(_intrinsic(builder, _DOT, _INTEGERS, total, word, factor))
                return made

            sums = _loop(builder, words, starts * pixels, body)
            made = _Form(builder, vectors, values[5:-3]).outputs(sums)
            for row in range(pixels):
                where = builder.add(output, builder.mul(output_step, _I64(row)))
                _store(builder, made[row * vectors : (row + 1) * vectors], where, lanes)
            return context.get_dummy_value()

        return void(arguments), generate

    return tile


#: Tiles by (pixels, vectors).
tiles = {
    (pixels, vectors): _tile(pixels, vectors)
    for pixels in (1, TILE_PIXELS)
    for vectors in range(1, TILE_VECTORS + 1)
}


@intrinsic
def filter_row(typing_context, arguments):
    """Outputs of a row of a 3x3 depthwise layer, for one vector of channels.

    Its argument is a tuple: the window's first row, steps to the next row, to the next column and
    to the next output's; taps, step to the next; starts of the accumulators; `_FORM`; output, step
    to the next pixel, lanes; pixels.
    """

    def generate(context, builder, signature, given):
        values = cgutils.unpack_tuple(builder, given[0])
        source, row_step, column_step, stride_step, taps, tap_step, starts = values[:7]
        output, output_step, lanes, pixels = values[-4:]
        factors = [
            _load(builder, builder.add(taps, builder.mul(tap_step, _I64(tap))), _INTEGERS)
            for tap in range(9)
        ]
        places = [
            builder.add(builder.mul(row_step, _I64(row)), builder.mul(column_step, _I64(column)))
            for row in range(3)
            for column in range(3)
        ]
        (start,) = _vectors(builder, starts, 1, _INTEGERS)
        form = _Form(builder, 1, values[7:-4])

        def body(turn, carried):
            first = builder.add(source, builder.mul(turn, stride_step))
            total = start
            for factor, place in zip(factors, places, strict=True):
                loaded = _load(builder, builder.add(first, place), _BYTES)
                product = builder.mul(builder.zext(loaded, _INTEGERS), factor)
                total = builder.add(total, product)
            where = builder.add(output, builder.mul(turn, output_step))
            _store(builder, form.outputs([total]), where, lanes)
            return []

        _loop(builder, pixels, [], body)
        return context.get_dummy_value()

    return void(arguments), generate


@intrinsic
def load_count(typing_context, address):
    """The unsigned integer of 64 bits at an address."""

    def generate(context, builder, signature, given):
        return _load(builder, given[0], _I64)

    return uintp(address), generate
