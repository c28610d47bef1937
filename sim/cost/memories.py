"""Every memory of the netlist: its width, its depth and its ports, as hw/ makes them."""

from dataclasses import dataclass

from mnv2.hw.config import (
    ACCUMULATOR_BITS,
    ADDRESS_BITS,
    COUNTER_ROWS,
    COUNTERS,
    LOGIT_BITS,
    STORE_QUEUE_WORDS,
    STREAMS,
    WRITE_OUTSTANDING,
    AcceleratorConfig,
)

__all__ = ["MemoryShape", "list_memories"]


@dataclass(frozen=True)
class MemoryShape:
    """A memory with one write port and one read port.

    Attributes
    ----------
    unit : str
        Path of the module that it is in, such as ``"core.weights"``.
    name : str
        Its name there.
    width, depth : int
        Bits of a row; rows.
    clocked_read : bool
        Whether what is read comes a cycle later; block RAM can do no other.
    one_address : bool
        Whether it reads and writes the same row in each cycle, so that one port is enough.
    large : bool
        Whether it is one of the buffers that the configuration sizes.
    """

    unit: str
    name: str
    width: int
    depth: int
    clocked_read: bool = True
    one_address: bool = False
    large: bool = False


def list_memories(config):
    """Memories of an accelerator.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    tuple of MemoryShape
        In the order of the units; no two have the same unit and name.
    """
    if not isinstance(config, AcceleratorConfig):
        raise TypeError(f"Configuration must be an AcceleratorConfig, not {config!r}")
    word = config.word_bits
    length = config.burst_beats.bit_length()
    tail = config.data_bytes.bit_length() - 1
    streams = len(STREAMS)

    def buffer(unit, name, width, depth):
        return MemoryShape(unit, name, width, depth, large=True)

    def queue(unit, width, depth, name="storage"):
        return MemoryShape(unit, name, width, depth, clocked_read=False)

    return (
        buffer("core", "map", word, config.map_words),
        buffer("core", "strip", word, config.strip_words),
        buffer("core.line_buffer", "lines", 2 * word, max(config.line_words, 2)),
        # Two groups of pixels of three rows, for each channel word of a tile.
        MemoryShape(
            "core.line_buffer",
            "history",
            6 * word,
            max(config.tile_words, 2),
            clocked_read=False,
            one_address=True,
        ),
        buffer("core.weights", "storage", config.weight_word_bits, config.weight_words),
        buffer("core.taps", "storage", config.tap_word_bits, config.tap_words),
        buffer("core.parameters", "storage", config.parameter_word_bits, config.parameter_words),
        queue("core.queue", word, config.queue_words),
        queue("core.residual_queue", word + 2 * ADDRESS_BITS, config.queue_words),
        queue("core.wide_queue", ACCUMULATOR_BITS * config.inputs, config.queue_words),
        queue(
            "core.logits_queue", (LOGIT_BITS - ACCUMULATOR_BITS) * config.inputs, config.queue_words
        ),
        MemoryShape("counters", "memory", 2 * 32 * len(COUNTERS), COUNTER_ROWS),
        queue("storer.queue", word + 1, STORE_QUEUE_WORDS),
        # A buffered queue keeps one of its beats in a register.
        *(
            MemoryShape(
                f"read_master.channel_{index}.queue",
                "storage",
                config.data_bits + 1,
                config.read_queue_beats - 1,
            )
            for index in range(streams)
        ),
        queue("read_master.due", (streams - 1).bit_length() + length + 1, config.outstanding),
        MemoryShape(
            "write_master.queue", "storage", config.data_bits + 1, config.write_queue_beats - 1
        ),
        queue("write_master.bursts", length + 1 + tail, WRITE_OUTSTANDING),
    )
