"""Tiling of a block onto the accelerator's memories: strips of rows, and rings for its maps."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from mnv2.golden.network import Block, Layer
from mnv2.hw.config import GROUPS_BITS, IMAGE_CHANNELS, WORDS_BITS, AcceleratorConfig
from mnv2.sim.mapping.turn_order import CLASSIFIER_PARTS

__all__ = [
    "cut_classes",
    "BlockTiling",
    "DoesNotFit",
    "NotSupported",
    "map_words",
    "require",
    "stem_steps",
    "tile_block",
]

# Limits of the fields of a descriptor.
_WORDS_LIMIT = 2**WORDS_BITS - 1
_GROUPS_LIMIT = 2**GROUPS_BITS - 1

#: Options of a configuration that are sizes of buffers.
BUFFERS = (
    "map_words",
    "strip_words",
    "line_words",
    "weight_words",
    "tap_words",
    "parameter_words",
)


class DoesNotFit(ValueError):
    """A block needs more of a buffer than the configuration has.

    Attributes
    ----------
    option : str
        Option of the configuration that is too small; empty if it is none.
    needed : int
        Its least value.
    sizes : function or None
        Gives all options that are too small for the whole network, with their least values, or
        None where no sizes would do. Called only where the advice is read.
    """

    def __init__(self, message: str, option: str = "", needed: int = 0):
        super().__init__(message)
        self.option = option
        self.needed = needed
        self.sizes: Callable[[], dict[str, int] | None] | None = None

    @property
    def advice(self) -> str:
        """The message, and what helps: every size that is too small, as the options that set it."""
        sizes = self.sizes() if self.sizes else None
        if not sizes:
            return f"{self}: change it with --set, or take a larger --config."
        options = " ".join(f"--set {name}={value}" for name, value in sizes.items())
        return f"{self}: change it with {options}, or take a larger --config."


class NotSupported(DoesNotFit):
    """A layer needs what no configuration has."""

    @property
    def advice(self) -> str:
        return f"{self}."


@dataclass(frozen=True)
class BlockTiling:
    """Layout of a block's maps in memory, and the rows that are processed together.

    Attributes
    ----------
    input_shape, hidden_shape, output_shape : tuple of int
        (rows, groups of pixels, channel words); the hidden map is the expanded one.
    strip_rows : int
        Output rows of a strip.
    strips : int
        Number of strips.
    input_ring_rows, output_ring_rows : int
        Rows of the input and of the output that the map memory holds at a time.
    input_base, output_base : int
        Addresses of the first word of each in the map memory.
    weight_words : int
        Words of weights that its ring must hold: those of a tile, or of all tiles where several
        strips take turns at them.
    """

    input_shape: tuple[int, int, int]
    hidden_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    strip_rows: int
    strips: int
    input_ring_rows: int
    output_ring_rows: int
    input_base: int
    output_base: int
    weight_words: int

    @property
    def input_row_words(self) -> int:
        """Words of an input row."""
        return self.input_shape[1] * self.input_shape[2]

    @property
    def output_row_words(self) -> int:
        """Words of an output row."""
        return self.output_shape[1] * self.output_shape[2]

    @property
    def input_end(self) -> int:
        """Address one past the input's last word in the map memory."""
        return self.input_base + self.input_ring_rows * self.input_row_words

    @property
    def output_end(self) -> int:
        """Address one past the output's last word in the map memory."""
        return self.output_base + self.output_ring_rows * self.output_row_words


def map_words(shape: tuple[int, int, int], config: AcceleratorConfig) -> tuple[int, int, int]:
    """(rows, groups of pixels, channel words) of a map of that (rows, columns, channels)."""
    rows, width, channels = shape
    return rows, -(-width // config.pixels), -(-channels // config.inputs)


def require(what: str, needed: int, there: int, layer: Layer | Block, buffer: str) -> None:
    """Raise DoesNotFit if a buffer, or a field, is too small."""
    if needed > there:
        raise DoesNotFit(
            f"{layer.name} needs {needed} {what}, but {buffer} is {there}",
            buffer if buffer in BUFFERS else "",
            needed,
        )


def _require_rows(what, needed, layer):
    """Raise NotSupported if a map has more rows than a descriptor can say: no lanes change that."""
    if needed > _WORDS_LIMIT:
        raise NotSupported(
            f"{layer.name} needs {needed} {what}, but a descriptor's field is {_WORDS_LIMIT}"
        )


def tile_block(
    block: Block,
    config: AcceleratorConfig,
    *,
    load: bool = True,
    store: bool = True,
    stem: Layer | None = None,
    input_on_top: bool = False,
    kept: int = 0,
) -> BlockTiling:
    """Tiling of a block.

    The strip is as high as its depthwise outputs fit into the strip memory, its weights into their
    ring and its maps into the map memory. Input and output lie at the two ends of the map memory.

    Parameters
    ----------
    block : mnv2.golden.network.Block
    config : mnv2.hw.config.AcceleratorConfig
    load : bool
        The input comes from external memory a few rows at a time; else all of it is on chip.
    store : bool
        The output goes to external memory a few rows at a time; else all of it stays on chip.
    stem : mnv2.golden.network.Layer
        Makes the input, a few rows at a time; ``load`` has no meaning then.
    input_on_top : bool
        The input lies at the upper end.
    kept : int
        Words above the upper end of the map memory's part for maps, which something else keeps.

    Returns
    -------
    BlockTiling

    Raises
    ------
    DoesNotFit
        Naming the buffer, its size and the size needed.
    """
    stride = block.depthwise.stride
    (top, _), _ = block.depthwise.padding
    input_shape = map_words(block.input_shape, config)
    hidden_shape = map_words(block.depthwise.input_shape, config)
    output_shape = map_words(block.output_shape, config)
    rows, groups, input_words = input_shape
    output_rows, output_groups, output_words = output_shape
    hidden_words = hidden_shape[2]
    row_words = output_groups * hidden_words
    _check_buffers(block, config, stem, input_shape, hidden_words, output_shape)

    def tiles(words):
        return -(-words // config.tile_words)

    all_weights = hidden_words * tiles(output_words)
    tile_weights = hidden_words
    if block.expand:
        all_weights += input_words * tiles(hidden_words)
        tile_weights = max(tile_weights, input_words)
    if stem:
        # Its tiles take turns at each group of pixels: it keeps them all.
        stem_weights = stem_steps(stem, config) * tiles(input_words)
        all_weights += stem_weights
        tile_weights = max(tile_weights, stem_weights)

    def short(strip_rows):
        """Whether the last of several strips has too few rows: for stride 1 it needs two, since
        a single one would be taken in with the previous strip."""
        return stride == 1 and strip_rows < output_rows and (output_rows - 1) % strip_rows == 0

    input_row_words, output_row_words = groups * input_words, output_groups * output_words
    map_end = config.map_words - kept
    needed = None
    for strip_rows in range(min(output_rows, config.strip_words // row_words), 0, -1):
        strips = -(-output_rows // strip_rows)
        strip_rows = -(-output_rows // strips)  # of equal height
        strips = -(-output_rows // strip_rows)
        if short(strip_rows):
            continue
        weights = all_weights if strips > 1 else tile_weights
        if weights > config.weight_words:
            needed = needed or ("words of weights", weights, "weight_words", config.weight_words)
            continue
        # Rows that a strip takes in; a residual also needs the row above, which came before.
        taken = strip_rows + 1 if stride == 1 else 2 * strip_rows + 1 - top
        input_ring = min(rows, taken + bool(block.residual)) if load or stem else rows
        output_ring = min(output_rows, 2 * strip_rows) if store else output_rows
        used = input_ring * input_row_words + output_ring * output_row_words
        if used > map_end:
            needed = ("words of maps", used + kept, "map_words", config.map_words)
            continue
        if load and not stem:
            spare = map_end - output_ring * output_row_words
            input_ring = min(rows, spare // input_row_words)
        input_base = map_end - input_ring * input_row_words if input_on_top else 0
        output_base = 0 if input_on_top else map_end - output_ring * output_row_words
        return BlockTiling(
            input_shape=input_shape,
            hidden_shape=hidden_shape,
            output_shape=output_shape,
            strip_rows=strip_rows,
            strips=strips,
            input_ring_rows=input_ring,
            output_ring_rows=output_ring,
            input_base=input_base,
            output_base=output_base,
            weight_words=weights,
        )
    lowest = next(height for height in range(1, output_rows + 1) if not short(height))
    what, words, buffer, there = needed or (
        f"words for {lowest} rows of depthwise outputs",
        lowest * row_words,
        "strip_words",
        config.strip_words,
    )
    raise DoesNotFit(f"{block.name} needs {words} {what}, but {buffer} is {there}", buffer, words)


def stem_steps(stem: Layer, config: AcceleratorConfig) -> int:
    """Steps that the products of a stem's output take: its taps times an image's channels.

    An image of fewer channels is stored with `IMAGE_CHANNELS` too, and its stem with zeros there.
    """
    taps = stem.kernel_size[0] * stem.kernel_size[1]
    return -(-taps * IMAGE_CHANNELS // config.inputs)


def _check_stride(layer):
    """Refuse a stride that the stem does not have."""
    if layer.kind == "stem" and layer.stride != 2:
        raise NotSupported(f"{layer.name} needs stride {layer.stride}, but a stem has stride 2")


def _check_buffers(block, config, stem, input_shape, hidden_words, output_shape):
    """Refuse what no choice of strips makes fit."""
    rows, groups, input_words = input_shape
    _, output_groups, output_words = output_shape
    for words in (input_words, hidden_words, output_words):
        require("channel words", words, _WORDS_LIMIT, block, "a descriptor's field")
    _require_rows("rows", rows + 1, block)
    require(
        "groups of pixels in a row",
        2 * output_groups + 1,
        _GROUPS_LIMIT,
        block,
        "a descriptor's field",
    )
    lines = groups * hidden_words
    parameters = (hidden_words if block.expand else 0) + hidden_words + output_words
    if stem:
        _check_stride(stem)
        if stem.input_channels > IMAGE_CHANNELS:
            raise NotSupported(
                f"{stem.name} needs an image of {stem.input_channels} channels, but "
                f"images have at most {IMAGE_CHANNELS}"
            )
        image_rows, image_groups, _ = map_words(stem.input_shape, config)
        _require_rows("rows of the image", image_rows + 1, stem)
        require(
            "groups of pixels in a row of the image",
            max(image_groups, 2 * groups + 1),
            _GROUPS_LIMIT,
            stem,
            "a descriptor's field",
        )
        lines += image_groups
        parameters += input_words
    require(
        "words for a row of each map in the line buffer",
        lines,
        config.line_words,
        block,
        "line_words",
    )
    require("words of 3x3 kernels", hidden_words, config.tap_words, block, "tap_words")
    require("words of parameters", parameters, config.parameter_words, block, "parameter_words")
    require(
        "words of a row of depthwise outputs",
        output_groups * hidden_words,
        config.strip_words,
        block,
        "strip_words",
    )


def cut_classes(classes: int, config: AcceleratorConfig) -> list[tuple[int, int]]:
    """Classes of each part of a classifier, see `mnv2.sim.mapping.turn_order`.

    Each part but the last is whole tiles, and its logits are whole beats of the memory port: the
    parts lie in memory as the whole classifier's logits do.

    Parameters
    ----------
    classes : int
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    list of (int, int)
        The first class of each part, and one past its last.
    """
    tiles = math.ceil(classes / config.outputs)
    logits = config.streams["logits"]
    whole = logits.beat_bits // math.gcd(logits.beat_bits, config.tile_words * logits.taken_bits)
    step = math.ceil(math.ceil(tiles / CLASSIFIER_PARTS) / whole) * whole * config.outputs
    return [(begin, min(begin + step, classes)) for begin in range(0, classes, step)]
