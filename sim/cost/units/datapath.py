"""Cost of the core around its units: maps, line buffer, rings and queues; see hw/core.py."""

from mnv2.hw.config import ACCUMULATOR_BITS, ADDRESS_BITS, IMAGE_CHANNELS, LOGIT_BITS, TAPS
from mnv2.sim.cost.unit_cost import (
    Frame,
    MemoryShape,
    Operation,
    Sizing,
    UnitCost,
    buffer,
    queue,
)

__all__ = ["CORE", "LINE_BUFFER", "PARAMETERS", "QUEUES", "TAP_RING", "WEIGHTS"]

#: Rows of a window.
_TAP_ROWS = 3


def _core_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    return (
        config.outputs * config.pixels * ACCUMULATOR_BITS
        + config.inputs * config.pixels * ACCUMULATOR_BITS
        + TAPS * config.word_bits
        + config.word_bits
        + config.inputs * ACCUMULATOR_BITS,
        sizing.held(path),
    )


def _core_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    stem_steps = -(-IMAGE_CHANNELS * TAPS // config.inputs)
    return (
        config.inputs * config.pixels * ACCUMULATOR_BITS * config.tile_words,
        config.word_bits,
        stem_steps * config.word_bits,
        sizing.decoded(path),
        sizing.held(path),
    )


def _activations_read(frame: Frame) -> int:
    # The stem's come from the window; an added word is read once more, a copied one once.
    words = frame.steps - frame.stem_steps + frame.added + frame.copied
    return words * frame.config.word_bits


def _results_written(frame: Frame) -> int:
    kept = frame.requantised - frame.words_of("head", "classifier", "expand")
    # Expanded words pass a queue: written and read; so do those that are added.
    queued = 2 * (frame.expanded + frame.added)
    return (kept + frame.words_of("pool") + queued) * frame.config.word_bits


CORE = UnitCost(
    kind="core",
    group="maps and datapath",
    paths=("core",),
    flip_flops=_core_flip_flops,
    luts=_core_luts,
    memories=lambda config: (
        buffer("core", "map", config.word_bits, config.map_words),
        buffer("core", "strip", config.word_bits, config.strip_words),
    ),
    operations=(
        Operation("read activations", "bits", _activations_read, after="read weights"),
        Operation("write results", "bits", _results_written, after="line buffer"),
    ),
)

LINE_BUFFER = UnitCost(
    kind="line_buffer",
    group="line buffer",
    paths=("core.line_buffer",),
    flip_flops=lambda sizing, path: (
        TAPS * sizing.config.word_bits + sizing.config.word_bits,
        sizing.held(path),
    ),
    luts=lambda sizing, path: (sizing.config.word_bits, sizing.decoded(path), sizing.held(path)),
    memories=lambda config: (
        buffer("core.line_buffer", "lines", 2 * config.word_bits, max(config.line_words, 2)),
        # Two groups of pixels of three rows, for each channel word of a tile.
        MemoryShape(
            "core.line_buffer",
            "history",
            2 * _TAP_ROWS * config.word_bits,
            max(config.tile_words, 2),
            clocked_read=False,
            one_address=True,
        ),
    ),
    operations=(
        Operation(
            "line buffer",
            "bits",
            # Two rows are read and written, and two groups of pixels of three rows.
            lambda frame: (
                (frame.expanded + frame.image)
                * (2 * 2 + 2 * 2 * _TAP_ROWS)
                * frame.config.word_bits
            ),
            after="read parameters",
        ),
    ),
)


def _ring_flip_flops(sizing: Sizing, path: str) -> tuple[float, ...]:
    return (sizing.held(path),)


def _ring_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    return (sizing.decoded(path), sizing.held(path))


WEIGHTS = UnitCost(
    kind="ring",
    group="weights",
    paths=("core.weights",),
    flip_flops=_ring_flip_flops,
    luts=_ring_luts,
    memories=lambda config: (
        buffer("core.weights", "storage", config.weight_word_bits, config.weight_words),
    ),
    operations=(
        Operation(
            "read weights", "bits", lambda frame: frame.steps * frame.config.weight_word_bits
        ),
    ),
)

TAP_RING = UnitCost(
    kind="ring",
    group="3x3 kernels",
    paths=("core.taps",),
    flip_flops=_ring_flip_flops,
    luts=_ring_luts,
    memories=lambda config: (
        buffer("core.taps", "storage", config.tap_word_bits, config.tap_words),
    ),
    operations=(
        Operation(
            "read 3x3 kernels", "bits", lambda frame: frame.windows * frame.config.tap_word_bits
        ),
    ),
)

PARAMETERS = UnitCost(
    kind="ring",
    group="parameters",
    paths=("core.parameters",),
    flip_flops=_ring_flip_flops,
    luts=_ring_luts,
    memories=lambda config: (
        buffer("core.parameters", "storage", config.parameter_word_bits, config.parameter_words),
    ),
    operations=(
        Operation(
            "read parameters",
            "bits",
            lambda frame: frame.requantised * frame.config.parameter_word_bits,
        ),
    ),
)

QUEUES = UnitCost(
    kind="queue",
    group="queues",
    paths=("core.queue", "core.residual_queue", "core.wide_queue", "core.logits_queue"),
    luts=lambda sizing, path: (sizing.decoded(path),),
    memories=lambda config: (
        queue("core.queue", config.word_bits, config.queue_words),
        queue("core.residual_queue", config.word_bits + 2 * ADDRESS_BITS, config.queue_words),
        queue("core.wide_queue", ACCUMULATOR_BITS * config.inputs, config.queue_words),
        queue(
            "core.logits_queue",
            (LOGIT_BITS - ACCUMULATOR_BITS) * config.inputs,
            config.queue_words,
        ),
    ),
)
