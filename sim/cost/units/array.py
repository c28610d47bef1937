"""Cost of the multiplier array: see hw/mac_array.py and hw/packing.py."""

from mnv2.hw.config import TAPS, AcceleratorConfig, field_bits, packed_products
from mnv2.sim.cost.unit_cost import Energies, Operation, Product, Sizing, UnitCost
from mnv2.sim.cost.units.wide_product import WideProduct, cut_product

__all__ = ["ARRAY"]


def _columns(config: AcceleratorConfig) -> tuple[int, int]:
    """Pairs of pixels that share the multipliers of a weight, and pixels that are alone."""
    pixels = config.frames * config.pixels
    pairs = {
        "none": 0,
        "pixels": config.frames * (config.pixels // 2),
        "frames": config.pixels,
    }[config.packing]
    return pairs, pixels - 2 * pairs


def _dsp_outputs(config: AcceleratorConfig) -> int:
    """Outputs whose products are made by DSPs, where the family has them."""
    return config.outputs - config.lut_outputs


def _lut_product(config: AcceleratorConfig) -> WideProduct:
    """A product of an output in LUTs, which is a sum of rows."""
    return cut_product(
        config.weight_bits, config.activation_bits, config.operand_bits, in_luts=True
    )


def _lut_lane(config: AcceleratorConfig) -> tuple[int, int]:
    """Bits of the adders of a pixel of such an output, and of its registers after the operands."""
    terms = _lut_product(config).terms
    bits = [term.position + term.bits for term in terms] * config.inputs
    adders, _ = _add_up(bits)
    total = config.weight_bits + config.activation_bits + (config.inputs - 1).bit_length()
    stages = 2 if 1 < _chunk(config) < config.inputs else 1
    return adders, config.inputs * sum(term.bits for term in terms) + stages * total


def _product_bits(config: AcceleratorConfig) -> tuple[int, int]:
    """Bits of the product of a pair, and of one that is alone."""
    pair = config.operand_bits - 1 + config.weight_bits
    return pair, config.activation_bits + config.weight_bits


def _products(config: AcceleratorConfig) -> tuple[Product, ...]:
    weights, (pairs, alone) = _dsp_outputs(config) * config.inputs, _columns(config)
    pair_bits, single_bits = _product_bits(config)
    # Activations are not negative, and so are pairs of them: a zero is their sign.
    return (
        Product(weights * pairs, config.operand_bits, config.weight_bits, pair_bits),
        Product(weights * alone, 1 + config.activation_bits, config.weight_bits, single_bits),
    )


def _chunk(config: AcceleratorConfig) -> int:
    """Products of a lane that are added before the sums of a pair are split."""
    if config.packing == "none":
        return config.inputs
    most = packed_products(config.operand_bits, config.activation_bits, config.weight_bits)
    return min(config.inputs, most)


def _chunks(config: AcceleratorConfig) -> list[int]:
    """Products of each packed sum of a lane."""
    chunk = _chunk(config)
    return [min(chunk, config.inputs - first) for first in range(0, config.inputs, chunk)]


def _tree(terms: int, bits: int) -> tuple[int, int]:
    """Bits of a balanced tree's adders, and of its sum, for terms of one width."""
    return _add_up([bits] * terms)


def _add_up(widths: list[int]) -> tuple[int, int]:
    """Bits of a balanced tree's adders, and of its sum."""
    adders = 0
    while len(widths) > 1:
        sums = [max(pair) + 1 for pair in zip(widths[::2], widths[1::2], strict=False)]
        adders += sum(sums)
        widths = sums + widths[len(widths) // 2 * 2 :]
    return adders, widths[0]


def _lane_trees(config: AcceleratorConfig) -> tuple[int, int]:
    """Bits of the adders and of the registers of the sums of an output's products."""
    adders = registers = 0
    chunks, field = _chunks(config), field_bits(config.operand_bits, config.activation_bits)
    for columns, product, pixels in zip(
        _columns(config), _product_bits(config), (2, 1), strict=True
    ):
        of_pair = pixels == 2
        widths = []
        for terms in chunks:
            adder, width = _tree(terms, product)
            adders += columns * adder
            # One product is its own sum.
            registers += columns * width * (_chunk(config) > 1 or config.inputs == 1)
            widths.append(max(field, width - field) if of_pair else width)
        if len(chunks) > 1:
            adder, width = _tree(len(chunks), max(widths))
            adders += columns * pixels * adder
            registers += columns * (pixels * width + of_pair)
    return adders, registers


def _shared_inputs(config: AcceleratorConfig) -> int:
    """Inputs with an activation that is one for all outputs that no window goes to."""
    return min(config.inputs, config.outputs - TAPS)


def _sum_bits(config: AcceleratorConfig) -> int:
    """Bits of the sum of a window's products."""
    product = config.weight_bits + config.activation_bits
    return min(config.accumulator_bits, product + (TAPS - 1).bit_length())


def _flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    """Registers, and those of products apart, which some families keep in their DSPs."""
    config = sizing.config
    pixels = config.frames * config.pixels
    weights = config.outputs * config.inputs
    in_dsps = _dsp_outputs(config)
    columns = zip(_columns(config), _product_bits(config), strict=True)
    products = in_dsps * config.inputs * sum(count * bits for count, bits in columns)
    registers = (
        weights * config.weight_bits
        + TAPS * config.word_bits
        + pixels * _shared_inputs(config) * config.activation_bits
        + in_dsps * _lane_trees(config)[1]
        + config.lut_outputs * pixels * _lut_lane(config)[1]
        + config.outputs * pixels * config.accumulator_bits
        + config.inputs * pixels * _sum_bits(config)
    )
    return sizing.registers(registers, products, _products(config))


def _luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    outputs, inputs, pixels = config.outputs, config.inputs, config.frames * config.pixels
    # Lanes of a channel that have taps take the sum of the lanes above instead of their own.
    tapped = min(-(-TAPS // inputs), config.tile_words)
    in_dsps = _dsp_outputs(config)
    in_luts = config.lut_outputs
    if sum(product.dsps(sizing.family) for product in _products(config)) == 0:
        in_luts = outputs
    return (
        in_dsps * _lane_trees(config)[0] + config.lut_outputs * pixels * _lut_lane(config)[0],
        outputs * pixels * config.accumulator_bits,
        inputs * tapped * pixels * config.accumulator_bits,
        TAPS * config.word_bits
        + TAPS * inputs * config.weight_bits
        + outputs * inputs * config.weight_bits,
        in_luts * inputs * pixels * config.weight_bits * config.activation_bits,
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
