"""Cost of the units that rescale results: see hw/requantize.py, hw/residual.py and hw/pool.py."""

from mnv2.hw.config import ACCUMULATOR_BITS, AcceleratorConfig
from mnv2.sim.cost.unit_cost import Energies, Operation, Product, Sizing, UnitCost

__all__ = ["POOL", "POOL_REQUANTIZE", "REQUANTIZE", "RESIDUAL"]

#: Bits of a multiplier in Q31 and of one of 17 bits, the zero of their sign included, and of the two
#: parts that a product with the former is written as where the accumulators are narrow.
_MULTIPLIER, _SHORT_MULTIPLIER, _PARTS = 32, 17, (18, 15)

#: Bits of a difference to a zero point, and of the sum of two scaled ones.
_DIFFERENCE, _SUM = 9, 30

#: Additions of a requantised element: bias, rounding before and after the shift, zero point.
_ADDITIONS = 4


def _elements(sizing: Sizing) -> int:
    return sizing.config.word_channels * sizing.config.pixels


def _multiplier_bits(config: AcceleratorConfig) -> tuple[int, ...]:
    """Bits of the multipliers that each accumulator is multiplied by, one product each."""
    if config.requantize == "single":
        return (_SHORT_MULTIPLIER,)
    return (_MULTIPLIER,) if config.accumulator_bits == ACCUMULATOR_BITS else _PARTS


def _requantise_products(config: AcceleratorConfig) -> tuple[Product, ...]:
    lanes = 0 if config.multipliers_in_luts else config.word_channels * config.pixels
    return tuple(
        Product(lanes, config.accumulator_bits, bits) for bits in _multiplier_bits(config)
    )


def _residual_products(config: AcceleratorConfig) -> tuple[Product, ...]:
    """Both differences times their multipliers, and the sum times its own."""
    lanes = 0 if config.multipliers_in_luts else config.residual_lanes
    return (Product(2 * lanes, _DIFFERENCE, _MULTIPLIER), Product(lanes, _SUM, _MULTIPLIER))


def _requantise_energy(config: AcceleratorConfig, energies: Energies) -> float:
    bits = config.accumulator_bits * min(_MULTIPLIER, sum(_multiplier_bits(config)))
    return energies["multiply_32x32"] * bits / 32**2 + _ADDITIONS * energies["add_32"]


def _add_energy(config: AcceleratorConfig, energies: Energies) -> float:
    add = energies["add_32"]
    # Each summand is scaled by 9 x 32 bits, the sum by 32 x 32.
    summand = energies["multiply_32x32"] * 9 / 32 + 2 * add
    total = energies["multiply_32x32"] + _ADDITIONS * add
    return 2 * summand + add + total


REQUANTIZE = UnitCost(
    kind="requantize",
    group="requantisation",
    paths=("core.requantize",),
    flip_flops=lambda sizing, path: (_elements(sizing), sizing.config.inputs),
    luts=lambda sizing, path: (_elements(sizing), sizing.config.inputs),
    products=_requantise_products,
    operations=(
        Operation(
            "requantise",
            "elements",
            lambda frame: (
                frame.requantised * frame.elements
                + frame.words_of("pool") * frame.config.word_channels  # the mean has one pixel
            ),
            _requantise_energy,
        ),
    ),
)

RESIDUAL = UnitCost(
    kind="residual",
    group="residual adder",
    paths=("core.residual",),
    flip_flops=lambda sizing, path: (3 * sizing.config.word_bits, sizing.config.inputs),
    luts=lambda sizing, path: (sizing.config.word_bits, sizing.config.inputs),
    products=_residual_products,
    operations=(
        Operation(
            "residual addition",
            "elements",
            lambda frame: frame.added * frame.elements,
            _add_energy,
        ),
    ),
)

POOL = UnitCost(
    kind="pool",
    group="pool",
    paths=("core.pool",),
    flip_flops=lambda sizing, path: (sizing.config.inputs * (sizing.config.tile_words + 2),),
    luts=lambda sizing, path: (
        sizing.config.inputs * sizing.config.tile_words,
        _elements(sizing) * sizing.config.activation_bits,
    ),
    operations=(
        Operation(
            "pool",
            "elements",
            lambda frame: frame.words_of("head") * frame.elements,
            lambda config, energies: energies["add_32"],
        ),
    ),
)

POOL_REQUANTIZE = UnitCost(
    kind="pool_requantize",
    group="pool",
    paths=("core.pool.requantize",),
    flip_flops=lambda sizing, path: (sizing.config.inputs,),
    luts=lambda sizing, path: (sizing.config.inputs,),
    products=lambda config: (Product(config.inputs, ACCUMULATOR_BITS, _MULTIPLIER),),
)
