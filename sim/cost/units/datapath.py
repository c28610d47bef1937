"""Cost of the core around its units: maps, line buffer, rings and queues; see hw/core.py."""

from mnv2.hw.config import (
    ACCUMULATOR_BITS,
    ADDRESS_BITS,
    IMAGE_CHANNELS,
    LOGIT_BITS,
    TAPS,
    AcceleratorConfig,
)
from mnv2.sim.cost.unit_cost import (
    Frame,
    MemoryShape,
    Operation,
    Sizing,
    UnitCost,
    buffer,
    queue,
)

__all__ = [
    "CORE",
    "LINE_BUFFER",
    "LINE_INPUT",
    "LOGITS",
    "MAP_MEMORY",
    "PARAMETERS",
    "QUEUES",
    "RESIDUAL_PATH",
    "STEP_INPUT",
    "TAP_RING",
    "TILE",
    "WEIGHTS",
]

_DATAPATH = "maps and datapath"

#: Rows of a window.
_TAP_ROWS = 3


def _word_accumulators(config: AcceleratorConfig) -> int:
    """Bits of the accumulators of a word."""
    return config.word_channels * config.pixels * config.accumulator_bits


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
    group=_DATAPATH,
    paths=("core",),
    # What the array takes, and the windows a cycle before.
    flip_flops=lambda sizing, path: (
        (2 * TAPS + 1) * sizing.config.word_bits
        + sizing.config.weight_word_bits
        + sizing.config.tap_word_bits,
    ),
    luts=lambda sizing, path: (sizing.decoded(path),),
    memories=lambda config: (buffer("core", "strip", config.word_bits, config.strip_words),),
    operations=(
        Operation("read activations", "bits", _activations_read, after="read weights"),
        Operation("write results", "bits", _results_written, after="line buffer"),
    ),
)

MAP_MEMORY = UnitCost(
    kind="map_memory",
    group=_DATAPATH,
    paths=("core.map_memory",),
    # A sum, a result or a loaded word is written.
    luts=lambda sizing, path: (sizing.config.word_bits, sizing.decoded(path)),
    memories=lambda config: (
        buffer("core.map_memory", "words", config.word_bits, config.map_words, config.map_ram),
    ),
)


def _step_input_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    config = sizing.config
    stem_steps = -(-IMAGE_CHANNELS * TAPS // config.inputs)
    return (config.word_bits, stem_steps * config.word_bits)


STEP_INPUT = UnitCost(
    kind="step_input", group=_DATAPATH, paths=("core.step_input",), luts=_step_input_luts
)

TILE = UnitCost(
    kind="tile",
    group=_DATAPATH,
    paths=("core.tile",),
    # A tile, and the sums of a word of windows.
    flip_flops=lambda sizing, path: (
        (sizing.config.tile_words + 1) * _word_accumulators(sizing.config),
    ),
    luts=lambda sizing, path: (
        _word_accumulators(sizing.config),
        sizing.config.tile_words * _word_accumulators(sizing.config),
    ),
)

LINE_INPUT = UnitCost(
    kind="line_input",
    group=_DATAPATH,
    paths=("core.line_input",),
    luts=lambda sizing, path: (sizing.config.word_bits,),
)

RESIDUAL_PATH = UnitCost(
    kind="residual_path",
    group="residual adder",
    paths=("core.residual",),
    flip_flops=lambda sizing, path: (sizing.config.word_bits,),
)

LOGITS = UnitCost(
    kind="logits",
    group=_DATAPATH,
    paths=("core.logits",),
    flip_flops=lambda sizing, path: (sizing.config.word_channels * sizing.config.accumulator_bits,),
    luts=lambda sizing, path: (sizing.config.word_channels * sizing.config.accumulator_bits,),
)

LINE_BUFFER = UnitCost(
    kind="line_buffer",
    group="line buffer",
    paths=("core.line_buffer",),
    flip_flops=lambda sizing, path: (TAPS * sizing.config.word_bits + sizing.config.word_bits,),
    luts=lambda sizing, path: (sizing.config.word_bits, sizing.decoded(path)),
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


def _ring_luts(sizing: Sizing, path: str) -> tuple[float, ...]:
    return (sizing.decoded(path),)


WEIGHTS = UnitCost(
    kind="ring",
    group="weights",
    paths=("core.weights",),
    luts=_ring_luts,
    memories=lambda config: (
        buffer(
            "core.weights",
            "storage",
            config.weight_word_bits,
            config.weight_words,
            config.weight_ram,
        ),
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
    paths=(
        "core.line_input.queue",
        "core.residual.queue",
        "core.logits.total_queue",
        "core.logits.value_queue",
    ),
    luts=lambda sizing, path: (sizing.decoded(path),),
    memories=lambda config: (
        queue("core.line_input.queue", config.word_bits, config.queue_words),
        queue(
            "core.residual.queue",
            config.word_bits + 2 * ADDRESS_BITS,
            config.queue_words,
            # One of the addresses is of the strip memory.
            ADDRESS_BITS - (config.strip_words - 1).bit_length(),
        ),
        queue(
            "core.logits.total_queue", ACCUMULATOR_BITS * config.word_channels, config.queue_words
        ),
        queue(
            "core.logits.value_queue",
            (LOGIT_BITS - ACCUMULATOR_BITS) * config.word_channels,
            config.queue_words,
        ),
    ),
)
