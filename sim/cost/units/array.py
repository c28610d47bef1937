"""Cost of the multiplier array: see hw/mac_array.py."""

from mnv2.hw.config import ACCUMULATOR_BITS, TAPS, AcceleratorConfig
from mnv2.sim.cost.pieces import tree_levels, tree_luts
from mnv2.sim.cost.unit_cost import Energies, Operation, Product, Sizing, UnitCost

__all__ = ["ARRAY"]


def _pairs(config: AcceleratorConfig) -> int:
    """Pairs of a weight's products that share a multiplier."""
    return {
        "none": 0,
        "pixels": config.frames * (config.pixels // 2),
        "frames": config.pixels,
    }[config.packing]


def _products(config: AcceleratorConfig) -> tuple[Product, ...]:
    """Products of each weight: of pairs of activations, and of those that are left."""
    weights, pairs = config.outputs * config.inputs, _pairs(config)
    bits = config.weight_bits
    # Activations are not negative, and so are pairs of them: a zero is their sign.
    return (
        Product(weights * pairs, config.operand_bits, bits, config.operand_bits - 1 + bits),
        Product(
            weights * (config.frames * config.pixels - 2 * pairs),
            1 + config.activation_bits,
            bits,
            config.activation_bits + bits,
        ),
    )


def _lane_bits(config: AcceleratorConfig) -> int:
    """Bits of the sum of a lane's products."""
    return config.weight_bits + config.activation_bits + (config.inputs - 1).bit_length()


def _flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    outputs, inputs, pixels = config.outputs, config.inputs, config.pixels
    lane = _lane_bits(config)
    registers = (
        outputs * inputs * config.weight_bits
        + TAPS * config.word_bits
        # An activation that no window goes to is one for all outputs.
        + pixels * min(inputs, outputs - TAPS) * config.activation_bits
        + config.multipliers * (config.weight_bits + config.activation_bits)
        + outputs * pixels * lane
        + outputs * pixels * ACCUMULATOR_BITS
        + inputs * pixels * (lane + (config.tile_words - 1).bit_length())
    )
    return (registers,)


def _luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    outputs, inputs, pixels = config.outputs, config.inputs, config.pixels
    tiles, product = config.tile_words, config.weight_bits + config.activation_bits
    deepest = max(tree_levels(inputs), tree_levels(tiles))
    trees = sum(
        count * tree_luts(terms, bits, sizing.luts_of, slack=tree_levels(terms) < deepest)
        for count, terms, bits in (
            (outputs * pixels, inputs, product),
            (inputs * pixels, tiles, _lane_bits(config)),
        )
    )
    soft = sum(product.dsps(sizing.family) for product in _products(config)) == 0
    return (
        trees,
        outputs * pixels * ACCUMULATOR_BITS,
        TAPS * config.word_bits
        + TAPS * inputs * config.weight_bits
        + outputs * inputs * config.weight_bits,
        config.multipliers * config.weight_bits * config.activation_bits * soft,
    )


def _energy(config: AcceleratorConfig, energies: Energies) -> float:
    product = energies["multiply_8x8"] * config.weight_bits * config.activation_bits / 64
    return product + energies["add_32"]


ARRAY = UnitCost(
    kind="array",
    group="multiplier array",
    paths=("core.array",),
    flip_flops=_flip_flops,
    luts=_luts,
    products=_products,
    operations=(Operation("multiply-accumulate", "operations", lambda frame: frame.macs, _energy),),
)
