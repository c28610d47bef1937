"""Cost of the units that rescale results: see hw/requantize.py, hw/residual.py and hw/pool.py."""

from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.unit_cost import Energies, Operation, Sizing, UnitCost

__all__ = ["POOL", "POOL_REQUANTIZE", "REQUANTIZE", "RESIDUAL"]

#: DSPs of a product of 32 x 32 bits, and of one of 9 x 32 bits: 18 or 27 bits at a time.
_WIDE, _NARROW = 4, 2

#: Additions of a requantised element: bias, rounding before and after the shift, zero point.
_ADDITIONS = 4


def _elements(sizing: Sizing) -> int:
    return sizing.config.inputs * sizing.config.pixels


def _requantise_energy(config: AcceleratorConfig, energies: Energies) -> float:
    return energies["multiply_32x32"] + _ADDITIONS * energies["add_32"]


def _add_energy(config: AcceleratorConfig, energies: Energies) -> float:
    add = energies["add_32"]
    # Each summand is scaled by 9 x 32 bits, the sum by 32 x 32.
    summand = energies["multiply_32x32"] * 9 / 32 + 2 * add
    return 2 * summand + add + _requantise_energy(config, energies)


REQUANTIZE = UnitCost(
    kind="requantize",
    group="requantisation",
    paths=("core.requantize",),
    flip_flops=lambda sizing, path: (_elements(sizing), sizing.config.inputs),
    luts=lambda sizing, path: (_elements(sizing), sizing.config.inputs),
    dsps=lambda config, family, packed: _WIDE * config.inputs * config.pixels,
    operations=(
        Operation(
            "requantise",
            "elements",
            lambda frame: (
                frame.requantised * frame.elements
                + frame.words_of("pool") * frame.config.inputs  # the mean has one pixel
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
    dsps=lambda config, family, packed: (2 * _NARROW + _WIDE) * config.inputs,
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
    dsps=lambda config, family, packed: _WIDE * config.inputs,
)
