"""How a layer's integers are accumulated and scaled: the widths and roundings of a datapath.

The default is LiteRT's reference arithmetic: a 32-bit multiplier, two roundings, an accumulator of
32 bits that wraps.
"""

from dataclasses import dataclass

#: double: LiteRT's two roundings; single: one, half up; truncate: none, towards minus infinity;
#: even: one, half to even, as quantisation-aware training has it.
ROUNDINGS = ("double", "single", "truncate", "even")
OVERFLOWS = ("wrap", "saturate")
MULTIPLIER_BITS = range(8, 33)
ACCUMULATOR_BITS = range(12, 33)


@dataclass(frozen=True)
class Arithmetic:
    """The datapath of one layer.

    Attributes
    ----------
    multiplier_bits : int
        8 to 32, sign included. A multiplier of b bits is rounded to its b - 1 leading magnitude
        bits and stays in Q31 form: in [2**30, 2**31), its low 32 - b bits zero.
    rounding : str
        One of `ROUNDINGS`; see `mnv2.golden.fixed_point.scale_by_multiplier`.
    accumulator_bits : int
        12 to 32, sign included.
    overflow : str
        "wrap": sums are modulo 2**accumulator_bits. "saturate": every addition clamps, in the
        order bias, then taps row by row, then input channels within a tap.

    Raises
    ------
    ValueError
        If a field has another value.
    """

    multiplier_bits: int = 32
    rounding: str = "double"
    accumulator_bits: int = 32
    overflow: str = "wrap"

    def __post_init__(self):
        for what, bits in (
            ("multiplier_bits", MULTIPLIER_BITS),
            ("accumulator_bits", ACCUMULATOR_BITS),
        ):
            value = getattr(self, what)
            if isinstance(value, bool) or value not in bits:
                raise ValueError(f"{what} must be {bits[0]} to {bits[-1]}, not {value!r}")
        choices: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("rounding", ROUNDINGS),
            ("overflow", OVERFLOWS),
        )
        for what, names in choices:
            if getattr(self, what) not in names:
                raise ValueError(
                    f"{what} must be one of {', '.join(names)}, not {getattr(self, what)!r}"
                )


#: The arithmetic of LiteRT's reference kernels.
LITERT = Arithmetic()
