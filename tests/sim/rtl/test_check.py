"""Networks whose arithmetic is the accelerator's, and those whose is not."""

from dataclasses import replace

import numpy as np
import pytest

from mnv2.golden.arithmetic import LITERT, Arithmetic
from mnv2.golden.synthetic import random_model
from mnv2.hw.config import PRESETS
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.check import accelerator_arithmetic, check_formats
from tests.sim.rtl.machines import network_of

DOUBLE = PRESETS["tiny"]
SINGLE = replace(DOUBLE, requantize="single")
NETWORK = network_of([(1, 8, 1, 1), (6, 8, 2, 1)], 33)


def model_of(arithmetic):
    return random_model(np.random.default_rng(2), NETWORK, arithmetic=arithmetic)[0]


def test_arithmetic_of_a_configuration():
    assert accelerator_arithmetic(DOUBLE) == LITERT
    assert accelerator_arithmetic(SINGLE) == Arithmetic(multiplier_bits=17, rounding="single")


@pytest.mark.parametrize("config", [DOUBLE, SINGLE])
def test_a_network_of_its_arithmetic_runs(config):
    check_formats(model_of(accelerator_arithmetic(config)), config)


def test_fewer_bits_of_a_multiplier_run_too():
    """Their last bits are zero, which the wider one multiplies as well."""
    check_formats(model_of(Arithmetic(multiplier_bits=12)), DOUBLE)


@pytest.mark.parametrize(
    ("arithmetic", "config", "message"),
    [
        (
            LITERT,
            SINGLE,
            "^stem has double rounding, but the accelerator single: .* --set requantize=double$",
        ),
        (
            Arithmetic(17, "single"),
            DOUBLE,
            "^stem has single rounding, but the accelerator double: .* --set requantize=single$",
        ),
        (
            Arithmetic(17, "truncate"),
            SINGLE,
            "^stem has truncate rounding, but the accelerator single: .* for the accelerator$",
        ),
        (
            Arithmetic(18, "single"),
            SINGLE,
            "^stem has multipliers of 18 bits, but the accelerator 17: take its float model",
        ),
        (
            Arithmetic(accumulator_bits=24),
            DOUBLE,
            "^stem has accumulators of 24 bits, .* quantise it with 32 bits$",
        ),
    ],
)
def test_another_arithmetic_is_refused(arithmetic, config, message):
    with pytest.raises(UserError, match=message):
        check_formats(model_of(arithmetic), config)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("block3.add", lambda model, other: {"blocks": (*model.blocks[:2], other.blocks[2])}),
        ("pool", lambda model, other: {"pool": other.pool}),
    ],
)
def test_additions_and_the_pool_are_looked_at_too(name, change):
    network = network_of([(1, 8, 1, 1), (6, 12, 2, 2)], 17)
    model, other = (
        random_model(np.random.default_rng(2), network, arithmetic=accelerator_arithmetic(config))[
            0
        ]
        for config in (SINGLE, DOUBLE)
    )
    block = model.blocks[2]
    other = replace(other, blocks=(*model.blocks[:2], replace(block, add=other.blocks[2].add)))
    with pytest.raises(UserError, match=f"^{name} has double rounding, but the accelerator single"):
        check_formats(replace(model, **change(model, other)), SINGLE)
