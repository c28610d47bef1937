"""Identity of an accelerator: hash of its configuration, and values of constant registers."""

import hashlib
import json
from dataclasses import asdict

from amaranth.lib import data

from .config import AcceleratorConfig
from .program import Descriptor, Header
from .register_map import IDENTIFIER, MAP_VERSION, REGISTERS

__all__ = ["configuration_hash", "constant_registers", "packed_fields"]


def configuration_hash(config):
    """Hash of a configuration and of the format of the records of a program.

    The first 32 bits, as a number with the first byte lowest, of the SHA-256 of a JSON text of all
    parameters and of name, place and width of every field of header and descriptors. An accelerator
    executes the programs that were made for its hash.

    Parameters
    ----------
    config : AcceleratorConfig

    Returns
    -------
    int
        32 bits, never 0.
    """
    if not isinstance(config, AcceleratorConfig):
        raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
    state = {"config": asdict(config), "header": _fields(Header), "descriptor": _fields(Descriptor)}
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).digest()
    return int.from_bytes(digest[:4], "little") or 1


def _fields(record):
    return [[name, field.offset, field.width] for name, field in data.Layout.cast(record)]


def packed_fields(name, values):
    """Value of a register.

    Parameters
    ----------
    name : str
        Of the register.
    values : dict of str to int
        By name of the field, all of them.

    Raises
    ------
    ValueError
        If a value does not fit its field.
    """
    fields = {field.name: field for field in REGISTERS[name].fields}
    total = 0
    for key in fields | values:
        value, field = values[key], fields[key]
        if not 0 <= value < 1 << field.width:
            raise ValueError(f"{name}.{key} must have at most {field.width} bits, not {value}")
        total |= value << field.low
    return total


def constant_registers(config):
    """Values of the registers that never change.

    Parameters
    ----------
    config : AcceleratorConfig

    Returns
    -------
    dict of str to int
        By name of the register.
    """
    values = {
        "ID":                      {"ID": IDENTIFIER},
        "VERSION":                 {"MAJOR": MAP_VERSION[0], "MINOR": MAP_VERSION[1]},
        "CONFIGURATION_HASH":      {"HASH": configuration_hash(config)},
        "CAPABILITIES_LANES":      {"OUTPUTS": config.outputs, "INPUTS": config.inputs,
                                    "PIXELS": config.pixels, "FRAMES": config.frames},
        "CAPABILITIES_FORMATS":    {"WEIGHT_BITS": config.weight_bits,
                                    "ACTIVATION_BITS": config.activation_bits,
                                    "ACCUMULATOR_BITS": config.accumulator_bits,
                                    "SINGLE_ROUNDING": int(config.requantize == "single"),
                                    "PADDED_WORDS": int(config.padded_words),
                                    "COUNTERS": int(config.counters)},
        "CAPABILITIES_PORT":       {"DATA_BITS": config.data_bits,
                                    "ADDRESS_BITS": config.address_bits},
        "CAPABILITIES_MAP":        {"WORDS": config.map_words},
        "CAPABILITIES_STRIP":      {"WORDS": config.strip_words},
        "CAPABILITIES_LINE":       {"WORDS": config.line_words},
        "CAPABILITIES_WEIGHTS":    {"WORDS": config.weight_words},
        "CAPABILITIES_TAPS":       {"WORDS": config.tap_words},
        "CAPABILITIES_PARAMETERS": {"WORDS": config.parameter_words},
    }
    return {name: packed_fields(name, fields) for name, fields in values.items()}
