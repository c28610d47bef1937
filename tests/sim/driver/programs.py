"""Small programs that the tests of the driver share."""

from dataclasses import replace
from functools import cache

import numpy as np

from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import PRESETS
from mnv2.sim.driver.program_files import program_files
from mnv2.sim.mapping.network_program import build_network_program
from mnv2.sim.networks.open import RunnableModel
from tests.sim.rtl.machines import MACHINES, network_of

__all__ = ["CONFIGS", "NETWORK", "made_program", "pictures_of", "write_program"]

CONFIGS = {
    **MACHINES,
    "pair": replace(MACHINES["tiny"], frames=2, packing="frames"),
    "pair, padded": replace(MACHINES["padded"], frames=2, packing="none"),
    "far": replace(MACHINES["tiny"], address_bits=40),
    "beats of 128 bits": replace(MACHINES["tiny"], data_bits=128),
    "large beats": replace(PRESETS["large"], padded_words=True, activation_bits=7),
}

#: Rows that no group of pixels divides, classes that no word divides.
NETWORK = network_of([(1, 8, 1, 1), (6, 16, 2, 2)], 33, classes=27)


@cache
def made_program(name):
    """(model, program) of `NETWORK` with random weights, for a configuration by its name."""
    config = CONFIGS[name]
    rng = np.random.default_rng(3)
    model, _ = random_model(rng, NETWORK, config.weight_bits, config.activation_bits)
    return RunnableModel("random", model), build_network_program(model, config)


def pictures_of(name, count):
    """Random pictures: for each turn a list of int8 [33, 33, 3], one for each frame abreast."""
    config = CONFIGS[name]
    rng = np.random.default_rng(5)
    return [
        [
            random_activation(rng, NETWORK.input_shape, config.activation_bits)
            for _ in range(config.frames)
        ]
        for _ in range(count)
    ]


def write_program(name, folder):
    """Write the files of a program."""
    for file, content in program_files(*made_program(name), CONFIGS[name]).items():
        (folder / file).write_bytes(content)
