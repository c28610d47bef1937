"""Cost of the units that rescale results: see hw/requantize.py, hw/residual.py and hw/pool.py."""

from mnv2.hw.config import ACCUMULATOR_BITS, POOL_SUM_BITS, AcceleratorConfig
from mnv2.sim.cost.unit_cost import Energies, Operation, Product, Sizing, UnitCost
from mnv2.sim.cost.units.wide_product import WideProduct, cut_product

__all__ = ["POOL", "REQUANTIZE", "RESIDUAL"]

#: Bits of a multiplier in Q31 that are multiplied, by the rounding.
_FACTOR_BITS = {"double": 31, "single": 16}

#: Bits of a difference to a zero point, and of the sum of two scaled ones.
_DIFFERENCE, _SUM = 9, 30

#: Bits of a result between the shifts: its value; its sign, and what was shifted out; after them.
_FIELD, _SHIFT_FACTS, _SHIFTED = 17, 3, 10
_COARSE = _FIELD + _SHIFT_FACTS

#: Bits of a shift, and of its part for the last stage.
_SHIFT, _FINE = 5, 3

#: Additions of a requantised element: bias, rounding before and after the shift, zero point.
_ADDITIONS = 4


def _elements(config: AcceleratorConfig) -> int:
    return config.word_channels * config.pixels


def _shifts_left(config: AcceleratorConfig) -> bool:
    """Whether accumulators are shifted to the left before they are multiplied."""
    return config.accumulator_bits == ACCUMULATOR_BITS and config.requantize == "double"


def _scaled(config: AcceleratorConfig) -> WideProduct:
    """An accumulator times its multiplier."""
    return cut_product(
        config.accumulator_bits,
        _FACTOR_BITS[config.requantize],
        config.operand_bits,
        in_luts=config.multipliers_in_luts,
    )


def _summand(config: AcceleratorConfig) -> WideProduct:
    """The multiplier of the summand that has one times its difference to its zero point."""
    return cut_product(
        _FACTOR_BITS[config.requantize],
        _DIFFERENCE,
        config.operand_bits,
        wide_signed=False,
        narrow_signed=True,
        in_luts=config.multipliers_in_luts,
    )


def _total(config: AcceleratorConfig) -> WideProduct:
    """The sum of both times its multiplier."""
    return cut_product(
        _SUM,
        _FACTOR_BITS[config.requantize],
        config.operand_bits,
        in_luts=config.multipliers_in_luts,
    )


def _requantise_products(config: AcceleratorConfig) -> tuple[Product, ...]:
    return _scaled(config).products(_elements(config))


def _residual_products(config: AcceleratorConfig) -> tuple[Product, ...]:
    lanes = config.residual_lanes
    return _summand(config).products(lanes) + _total(config).products(lanes)


def _requantise_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    """Registers of the lanes, and of the parameters that the pixels of a channel share.

    Those of the terms of products apart, which some families keep in their DSPs.
    """
    config = sizing.config
    bits, factor = config.accumulator_bits, _FACTOR_BITS[config.requantize]
    scaled = _scaled(config)
    stages = 2
    lane = bits + bits + 1 + _COARSE + _SHIFTED + config.activation_bits
    channel = factor
    if _shifts_left(config):
        lane += bits
        channel += factor + _SHIFT
    elif config.requantize == "double":
        # The highest term is multiplied a cycle after the sum of the others.
        stages = 3
        lane += bits + scaled.low_bits
        channel += factor
    delays = stages + (2 if _shifts_left(config) else 1)
    channel += _SHIFT * delays + _FINE
    lanes = _elements(config)
    return sizing.registers(
        lanes * lane + config.inputs * channel,
        lanes * scaled.registers,
        _requantise_products(config),
    )


def _requantise_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    lanes, scaled = _elements(config), _scaled(config)
    return (
        lanes,
        lanes * (config.accumulator_bits + scaled.adder_bits),
        lanes * scaled.row_bits,
        lanes * ACCUMULATOR_BITS * _shifts_left(config),
    )


def _residual_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    """Registers of the lanes, and the words that come in and leave."""
    config = sizing.config
    # Of one summand the difference, which waits; of the other one the terms, the product without
    # its last zeros, and what is left in the middle of the shift.
    product = min(_SUM, _DIFFERENCE + _FACTOR_BITS[config.requantize])
    scaled = _DIFFERENCE + product + _SUM + _SHIFT_FACTS
    lane = 4 * _DIFFERENCE + scaled + _SUM + _SUM + 1 + _COARSE + _SHIFTED
    return sizing.registers(
        3 * config.word_bits + config.residual_lanes * lane,
        config.residual_lanes * (_summand(config).registers + _total(config).registers),
        _residual_products(config),
    )


def _residual_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    lanes, summand, total = config.residual_lanes, _summand(config), _total(config)
    return (
        config.word_bits,
        lanes,
        lanes * (summand.adder_bits + _SUM + total.adder_bits),
        lanes * (summand.row_bits + total.row_bits),
    )


def _requantise_energy(config: AcceleratorConfig, energies: Energies) -> float:
    # A multiplier has a zero as its sign.
    bits = config.accumulator_bits * (_FACTOR_BITS[config.requantize] + 1)
    return energies["multiply_32x32"] * bits / 32**2 + _ADDITIONS * energies["add_32"]


def _add_energy(config: AcceleratorConfig, energies: Energies) -> float:
    add = energies["add_32"]
    share = (_FACTOR_BITS[config.requantize] + 1) / 32
    # One summand is scaled by 9 x 32 bits, the sum by 32 x 32, or by half of them.
    summand = energies["multiply_32x32"] * share * 9 / 32 + 2 * add
    total = energies["multiply_32x32"] * share + _ADDITIONS * add
    return summand + add + total


REQUANTIZE = UnitCost(
    kind="requantize",
    group="requantisation",
    paths=("core.requantize",),
    flip_flops=_requantise_flip_flops,
    luts=_requantise_luts,
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
    paths=("core.residual.adder",),
    flip_flops=_residual_flip_flops,
    luts=_residual_luts,
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


def _pool_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    """Sums of a word, and of all words of each channel of a tile."""
    config = sizing.config
    partial = (config.pixels - 1).bit_length() + config.activation_bits
    return (config.word_channels * (partial + config.tile_words * POOL_SUM_BITS),)


POOL = UnitCost(
    kind="pool",
    group="pool",
    paths=("core.pool",),
    flip_flops=_pool_flip_flops,
    luts=lambda sizing, path: (
        sizing.config.word_channels * POOL_SUM_BITS,
        sizing.config.word_channels * sizing.config.tile_words * POOL_SUM_BITS,
        sizing.config.word_bits,
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
