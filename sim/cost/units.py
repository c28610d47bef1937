"""What decides the tables and flip-flops of each unit: counts of bits, as the unit's file has them.

A *feature* is a count that follows from the lanes and widths, such as the bits of all adders of a
unit. `sim.cost.resources` multiplies features by coefficients that were fitted to what Yosys made
of whole accelerators; units of one kind share them. A register that a unit declares is one
flip-flop, so those coefficients come out near 1.
"""

from dataclasses import dataclass
from math import gcd

from sim.cost.memories import TAPS, list_memories

__all__ = ["Unit", "list_units"]

IMAGE_CHANNELS  = 3      # hw.layouts.IMAGE_CHANNELS
RECORD_BITS     = 1024   # hw.program.RECORD_BYTES
PARAMETER_BITS  = 72     # hw.config.PARAMETER_BITS
SUM_BITS        = 24     # hw.pool.SUM_BITS
CHANNELS        = 5      # len(hw.config.STREAMS)


@dataclass(frozen=True)
class Unit:
    """A module of the netlist.

    Attributes
    ----------
    path : str
        Its place, without the top's name: ``"core.array"``; ``""`` is the top itself.
    kind : str
        Units of a kind have coefficients in common.
    flip_flops, luts : tuple of int
        Features of either; one coefficient each, beside a constant.
    """

    path:       str
    kind:       str
    flip_flops: tuple[int, ...] = ()
    luts:       tuple[int, ...] = ()


def list_units(config, columns_of, emulated, *, soft_products=False):
    """Units of an accelerator and their features.

    Parameters
    ----------
    config : hw.config.AcceleratorConfig
    columns_of : function of (MemoryShape) to int
        RAMs that the rows of a memory are spread over: the rest of its address is decoded beside.
    emulated : function of (MemoryShape) to bool
        Whether registers stand in where it is read while the same row is written.
    soft_products : bool
        Whether the products of the array are made of tables.

    Returns
    -------
    list of Unit
    """
    outputs, inputs, pixels = config.outputs, config.inputs, config.pixels
    weight, activation = config.weight_bits, config.activation_bits
    word, data, tiles  = config.word_bits, config.data_bits, config.tile_words
    lanes    = inputs * pixels
    glue     = {}            # of the memories in each unit: decoded outside, and emulated
    for memory in list_memories(config):
        decoded, registers = glue.get(memory.unit, (0, 0))
        glue[memory.unit] = (decoded + (columns_of(memory) - 1) * memory.width,
                             registers + emulated(memory) * memory.width)

    # Array: see hw/mac_array.py. An activation that no window goes to is one for all outputs.
    product    = weight + activation
    lane       = product + (inputs - 1).bit_length()
    window     = TAPS * word
    registers  = (outputs * inputs * weight
                  + window + pixels * min(inputs, outputs - TAPS) * activation
                  + config.multipliers * product + outputs * pixels * lane
                  + outputs * pixels * 32 + lanes * (lane + (tiles - 1).bit_length()))
    adder_bits = (outputs * pixels * _tree_bits(inputs, product)
                  + lanes * _tree_bits(tiles, lane) + outputs * pixels * 32)
    chosen     = window + TAPS * inputs * weight + outputs * inputs * weight

    stem_steps = -(-IMAGE_CHANNELS * TAPS // inputs)
    units = [
        Unit("", "top", (), (word,)),
        Unit("core", "core",
             (outputs * pixels * 32 + lanes * 32 + window + word + inputs * 32,
              glue["core"][1]),
             (lanes * 32 * tiles, word, stem_steps * word, *glue["core"])),
        Unit("core.array", "array", (registers,),
             (adder_bits, chosen, soft_products * config.multipliers * weight * activation)),
        Unit("core.issue", "issue"),
        Unit("core.issue.walk", "walk"),
        Unit("core.line_buffer", "line_buffer",
             (window + word, glue["core.line_buffer"][1]),
             (word, *glue["core.line_buffer"])),
        Unit("core.requantize", "requantize", (lanes, inputs), (lanes, inputs)),
        Unit("core.pool", "pool", (inputs * (tiles + 2),),
             (inputs * tiles, lanes * activation)),
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
        Unit("write_master.queue", "write_queue", (data, glue["write_master.queue"][1]),
             glue["write_master.queue"]),
        *(Unit(f"read_master.channel_{index}", "read_channel") for index in range(CHANNELS)),
        *(Unit(f"read_master.channel_{index}.queue", "read_queue",
               (glue[f"read_master.channel_{index}.queue"][1],),
               glue[f"read_master.channel_{index}.queue"]) for index in range(CHANNELS)),
        *(Unit(path, "ring", (glue[path][1],), glue[path])
          for path in ("core.weights", "core.taps", "core.parameters")),
        *(Unit(path, "queue", (), glue[path][:1])
          for path in ("core.queue", "core.residual_queue", "core.wide_queue",
                       "core.logits_queue")),
        *(Unit(path, "short_queue") for path in
          ("storer.queue", "write_master.bursts", "read_master.due")),
    ]
    for name, taken, given in (
            ("program", data, RECORD_BITS), ("activations", data, word),
            ("image", data, IMAGE_CHANNELS * pixels * activation),
            ("parameters", data, PARAMETER_BITS * inputs), ("taps", data, config.tap_word_bits),
            ("weights", data, config.weight_word_bits), ("store", word, data),
            ("logits", 40 * inputs, data)):
        units.append(_gearbox(f"{name}_gearbox", taken, given))
    return units


def _tree_bits(terms, bits):
    """Bits of the adders of a balanced tree of ``terms`` values of ``bits`` bits."""
    total = 0
    while terms > 1:
        bits  += 1
        total += terms // 2 * bits
        terms -= terms // 2
    return total


def _gearbox(path, taken_bits, given_bits):
    """A gearbox: see hw/gearbox.py. Each word that comes in goes to one of several places."""
    unit     = gcd(taken_bits, given_bits)
    taken    = taken_bits // unit
    given    = given_bits // unit
    capacity = taken + given + min(taken, given) - 1
    places   = capacity - taken + 1
    return Unit(path, "gearbox", (capacity * unit,), (capacity * unit, places * taken_bits))
