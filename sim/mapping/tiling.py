"""How a block is laid onto the accelerator's memories: strips of rows, and rings for its maps."""

from dataclasses import dataclass

__all__ = ["BlockTiling", "DoesNotFit", "tile_block"]

# Limits of the fields of a descriptor.
_WORDS_LIMIT  = 2**12 - 1
_GROUPS_LIMIT = 2**8 - 1


class DoesNotFit(ValueError):
    """A block needs more of a buffer than the configuration has."""


@dataclass(frozen=True)
class BlockTiling:
    """Where the maps of a block are, and how many rows are worked off together.

    Attributes
    ----------
    input_shape, hidden_shape, output_shape
        (rows, groups of pixels, channel words); the hidden map is the expanded one.
    strip_rows
        Output rows of a strip.
    strips
        Number of strips.
    input_ring_rows, output_ring_rows
        Rows of the input and of the output that the map memory holds at a time.
    """

    input_shape:      tuple
    hidden_shape:     tuple
    output_shape:     tuple
    strip_rows:       int
    strips:           int
    input_ring_rows:  int
    output_ring_rows: int

    @property
    def input_row_words(self):
        """Words of an input row."""
        return self.input_shape[1] * self.input_shape[2]

    @property
    def output_row_words(self):
        """Words of an output row."""
        return self.output_shape[1] * self.output_shape[2]

    @property
    def output_base(self):
        """Address of the output ring, behind the input ring at address 0."""
        return self.input_ring_rows * self.input_row_words

    @property
    def map_words(self):
        """Words of the map memory that are in use."""
        return self.output_base + self.output_ring_rows * self.output_row_words


def _words(shape, config):
    rows, width, channels = shape
    return rows, -(-width // config.pixels), -(-channels // config.inputs)


def _require(what, needed, there, block, buffer):
    if needed > there:
        raise DoesNotFit(f"{block.name} needs {needed} {what}, but {buffer} is {there}")


def tile_block(block, config):
    """Tiling of a block whose maps come from and go to external memory.

    The strip is as high as its depthwise outputs fit into the strip memory, and as its input and two strips of
    output fit into the map memory.

    Parameters
    ----------
    block : golden.network.Block
    config : hw.config.AcceleratorConfig

    Returns
    -------
    BlockTiling

    Raises
    ------
    DoesNotFit
        Naming the buffer, its size and the size needed.
    """
    depthwise = block.depthwise
    stride    = depthwise.stride
    (top, _), _ = depthwise.padding
    input_shape  = _words(block.input_shape, config)
    hidden_shape = _words(depthwise.input_shape, config)
    output_shape = _words(block.output_shape, config)
    rows, groups, _ = hidden_shape
    output_rows, output_groups, output_words = output_shape
    hidden_words = hidden_shape[2]

    for words in (input_shape[2], hidden_words, output_words, rows + 1):
        _require("channel words or rows", words, _WORDS_LIMIT, block, "a descriptor's field")
    _require("groups of pixels in a row", 2 * output_groups + 1, _GROUPS_LIMIT, block,
             "a descriptor's field")
    _require("words of a row of the expanded map", groups * hidden_words, config.line_words, block,
             "line_words")
    _require("words of 3x3 kernels", hidden_words, config.tap_words, block, "tap_words")
    parameters = (hidden_words if block.expand else 0) + hidden_words + output_words
    _require("words of parameters", parameters, config.parameter_words, block, "parameter_words")
    row_words = output_groups * hidden_words
    _require("words of a row of depthwise outputs", row_words, config.strip_words, block,
             "strip_words")

    def tiles(words):
        return -(-words // config.tile_words)

    expand_weights  = input_shape[2] * tiles(hidden_words) if block.expand else 0
    project_weights = hidden_words * tiles(output_words)
    tile_weights    = max(input_shape[2] if block.expand else 0, hidden_words)

    input_row_words, output_row_words = groups * input_shape[2], output_groups * output_words
    needed = None
    for strip_rows in range(min(output_rows, config.strip_words // row_words), 0, -1):
        strips = -(-output_rows // strip_rows)
        # Of equal height; for stride 1 the last of several has two rows, since the one row that it
        # might have is taken in with the strip before.
        strip_rows = -(-output_rows // strips)
        strips     = -(-output_rows // strip_rows)
        if stride == 1 and strips > 1 and output_rows % strip_rows == 1:
            continue
        weights = expand_weights + project_weights if strips > 1 else tile_weights
        if weights > config.weight_words:
            needed = needed or ("words of weights", weights, "weight_words", config.weight_words)
            continue
        taken       = strip_rows + 1 if stride == 1 else 2 * strip_rows + 1 - top
        input_rows  = min(rows, taken)
        output_ring = min(output_rows, 2 * strip_rows)
        used = input_rows * input_row_words + output_ring * output_row_words
        if used > config.map_words:
            needed = ("words of maps", used, "map_words", config.map_words)
            continue
        spare = (config.map_words - output_ring * output_row_words) // input_row_words
        return BlockTiling(
            input_shape=input_shape, hidden_shape=hidden_shape, output_shape=output_shape,
            strip_rows=strip_rows, strips=strips, input_ring_rows=min(rows, spare),
            output_ring_rows=output_ring)
    what, words, buffer, there = needed or (
        "rows in a strip", 2, "strip_words", config.strip_words // row_words)
    raise DoesNotFit(f"{block.name} needs {words} {what}, but {buffer} is {there}")
