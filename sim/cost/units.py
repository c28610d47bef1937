"""What decides the tables and flip-flops of each unit: counts of bits, as the unit's file has them.

A *feature* is a count that follows from the lanes and widths, such as the bits of all adders of a
unit. `mnv2.sim.cost.resources` multiplies features by coefficients that were fitted to what Yosys
made of whole accelerators; units of one kind share them. A register that a unit declares is one
flip-flop, so those coefficients come out near 1.
"""

from dataclasses import dataclass

from mnv2.hw.config import ACCUMULATOR_BITS, IMAGE_CHANNELS, LOGIT_BITS, RECORD_BYTES, STREAMS, TAPS
from mnv2.sim.cost.families import FAMILIES, array_dsps
from mnv2.sim.cost.memories import list_memories
from mnv2.sim.cost.memory_mapping import memory_columns, reads_while_written
from mnv2.sim.cost.pieces import gearbox_luts, gearbox_shape, tree_levels, tree_luts

__all__ = ["Unit", "list_gearboxes", "list_units"]


@dataclass(frozen=True)
class Unit:
    """A module of the netlist.

    Attributes
    ----------
    path : str
        Its place, without the top's name: ``"core.array"``; ``""`` is the top itself.
    kind : str
        Units of a kind have coefficients in common.
    flip_flops, luts : tuple of float
        Features of either; one coefficient each, beside a constant.
    """

    path: str
    kind: str
    flip_flops: tuple[int, ...] = ()
    luts: tuple[float, ...] = ()


def list_units(config, family):
    """Units of an accelerator and their features.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str
        A key of `mnv2.sim.cost.families.FAMILIES`.

    Returns
    -------
    list of Unit
    """
    outputs, inputs, pixels = config.outputs, config.inputs, config.pixels
    weight, activation = config.weight_bits, config.activation_bits
    word, data, tiles = config.word_bits, config.data_bits, config.tile_words
    lanes = inputs * pixels
    sum_bits = ACCUMULATOR_BITS
    tables = FAMILIES[family].tables
    # Of the memories in each unit, bits that are decoded outside, and those that registers stand in
    # for where a row is read while it is written.
    glue = {}
    for memory in list_memories(config):
        decoded, held = glue.get(memory.unit, (0, 0))
        glue[memory.unit] = (
            decoded + (memory_columns(memory, family) - 1) * memory.width,
            held + reads_while_written(memory, family) * memory.width,
        )

    # Array: see hw/mac_array.py. An activation that no window goes to is one for all outputs.
    product = weight + activation
    lane = product + (inputs - 1).bit_length()
    window = TAPS * word
    registers = (
        outputs * inputs * weight
        + window
        + pixels * min(inputs, outputs - TAPS) * activation
        + config.multipliers * product
        + outputs * pixels * lane
        + outputs * pixels * sum_bits
        + lanes * (lane + (tiles - 1).bit_length())
    )
    deepest = max(tree_levels(inputs), tree_levels(tiles))
    trees = sum(
        count * tree_luts(terms, bits, tables, slack=tree_levels(terms) < deepest)
        for count, terms, bits in ((outputs * pixels, inputs, product), (lanes, tiles, lane))
    )
    soft = config.multipliers * weight * activation * (array_dsps(config, family) == 0)
    operands = window + TAPS * inputs * weight + outputs * inputs * weight

    stem_steps = -(-IMAGE_CHANNELS * TAPS // inputs)
    units = [
        Unit("", "top", (), (word,)),
        Unit(
            "core",
            "core",
            (
                outputs * pixels * sum_bits + lanes * sum_bits + window + word + inputs * sum_bits,
                glue["core"][1],
            ),
            (lanes * sum_bits * tiles, word, stem_steps * word, *glue["core"]),
        ),
        Unit(
            "core.array",
            "array",
            (registers,),
            (trees, outputs * pixels * sum_bits, operands, soft),
        ),
        Unit("core.issue", "issue"),
        Unit("core.issue.walk", "walk"),
        Unit(
            "core.line_buffer",
            "line_buffer",
            (window + word, glue["core.line_buffer"][1]),
            (word, *glue["core.line_buffer"]),
        ),
        Unit("core.requantize", "requantize", (lanes, inputs), (lanes, inputs)),
        Unit("core.pool", "pool", (inputs * (tiles + 2),), (inputs * tiles, lanes * activation)),
        Unit("core.pool.requantize", "pool_requantize", (inputs,), (inputs,)),
        Unit("core.residual", "residual", (3 * word, inputs), (word, inputs)),
        Unit("counters", "counters"),
        Unit("loader", "loader"),
        Unit("storer", "storer"),
        Unit("sequencer", "sequencer"),
        Unit("registers", "registers"),
        Unit("supervisor", "supervisor"),
        Unit("read_master", "read_master"),
        Unit("write_master", "write_master", (), (data,)),
        Unit(
            "write_master.queue",
            "write_queue",
            (data, glue["write_master.queue"][1]),
            glue["write_master.queue"],
        ),
        *(Unit(f"read_master.channel_{index}", "read_channel") for index in range(len(STREAMS))),
        *(
            Unit(
                f"read_master.channel_{index}.queue",
                "read_queue",
                (glue[f"read_master.channel_{index}.queue"][1],),
                glue[f"read_master.channel_{index}.queue"],
            )
            for index in range(len(STREAMS))
        ),
        *(
            Unit(path, "ring", (glue[path][1],), glue[path])
            for path in ("core.weights", "core.taps", "core.parameters")
        ),
        *(
            Unit(path, "queue", (), glue[path][:1])
            for path in (
                "core.queue",
                "core.residual_queue",
                "core.wide_queue",
                "core.logits_queue",
            )
        ),
        *(
            Unit(path, "short_queue")
            for path in ("storer.queue", "write_master.bursts", "read_master.due")
        ),
    ]
    units.extend(_gearbox(*gearbox, tables) for gearbox in list_gearboxes(config))
    return units


def list_gearboxes(config):
    """Path, bits taken, bits given and partial words of each gearbox of an accelerator."""
    data, word = config.data_bits, config.word_bits
    return [
        (f"{name}_gearbox", taken, given, partial)
        for name, taken, given, partial in (
            ("program", data, 8 * RECORD_BYTES, "drop"),
            ("activations", data, word, "drop"),
            ("image", data, IMAGE_CHANNELS * config.pixels * config.activation_bits, "drop"),
            ("parameters", data, config.parameter_word_bits, "drop"),
            ("taps", data, config.tap_word_bits, "drop"),
            ("weights", data, config.weight_word_bits, "drop"),
            ("store", word, data, "emit"),
            ("logits", LOGIT_BITS * config.inputs, data, "emit"),
        )
    ]


def _gearbox(path, taken_bits, given_bits, partial, tables):
    """A gearbox: see hw/gearbox.py; what it holds is whole units."""
    taken, given, unit = gearbox_shape(taken_bits, given_bits)
    held = (taken + given + min(taken, given) - 1) * unit
    return Unit(path, "gearbox", (held,), (gearbox_luts(taken_bits, given_bits, partial, tables),))
