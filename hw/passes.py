"""Passes over rows of a map: their commands, targets, settings, and causes of waiting."""

from amaranth import *
from amaranth.lib import data, enum

from .config import ADDRESS_BITS, GROUPS_BITS, INDEX_BITS, PIXELS_BITS, WORDS_BITS
from .layouts import AddParameters, ChannelParameters, LayerRange

__all__ = ["LayerSettings", "PassCommand", "Range", "Stall", "Target", "slot_layout"]


class Range(enum.Enum, shape=2):
    """Layer whose zero point and clamp a result takes; head and classifier are PROJECT."""

    EXPAND    = 0
    DEPTHWISE = 1
    PROJECT   = 2
    STEM      = 3


class Target(enum.Enum, shape=3):
    """Destination of a requantised word."""

    #: To the line buffer, by way of its queue.
    QUEUE    = 0
    #: To the strip memory.
    STRIP    = 1
    #: To the map memory.
    MAP      = 2
    #: To the map memory, through the residual adder.
    RESIDUAL = 3
    #: To the pool, whose results go to the map memory.
    POOL     = 4
    #: Out of the accelerator, with its accumulators.
    LOGITS   = 5


class Stall(enum.Enum, shape=4):
    """Why the array does nothing in a cycle: :data:`mnv2.hw.config.CAUSES`, in that order."""

    #: The array works.
    NONE         = 0
    #: The input map has not arrived from memory.
    ACTIVATIONS  = 1
    #: The pointwise weights have not arrived.
    WEIGHTS      = 2
    #: The 3x3 kernels or the requantisation parameters have not arrived.
    PARAMETERS   = 3
    #: The requantiser still works on the results before.
    REQUANTIZE   = 4
    #: The line buffer has no room for more words, or has no window yet.
    LINE_BUFFER  = 5
    #: The residual adder, or the queue of logits, has no room for more words.
    RESIDUAL     = 6
    #: Output rows wait to be written to memory.
    OUTPUT       = 7
    #: A pass waits for the results of the pass before to leave the pipeline.
    DRAIN        = 8
    #: The program has not arrived.
    PROGRAM      = 9


class PassCommand(data.Struct):
    """A convolution over some rows, or a move of a map to the line buffer.

    Loops over tiles of output channels; for each, all rows; for each, all groups of pixels; for
    each, all input words. The stem takes its input from windows, each of which comes only once:
    tiles within groups of pixels.

    Members
    -------
    copy
        Move words from the map memory to the line buffer, unchanged.
    stem
        The input is windows of an image; ``input_words`` is the number of steps that their taps
        take.
    from_strip
        The input comes from the strip memory, not from the map memory.
    target
        Where the results go.
    range
        Range that they take.
    free_weights
        Release each tile's weights after use.
    rewind
        Begin with the oldest weights in the ring; otherwise, after those of the previous pass.
    rows, groups
        Rows to process, groups of pixels in a row.
    input_words, output_words
        Channel words of the input and of the output.
    parameters
        Position of the first output word's parameters, from the oldest in the ring.
    input
        Address of the first input word.
    input_base, input_end
        Ring that holds the input map; the second is one past its last word.
    index
        Words of the input map that lie before the first one; of the output map if ``from_strip``.
    output, output_base, output_end
        Address of the first output word and ring of the output map. A pool's output is a ring of
        one pixel.
    """

    copy:         1
    stem:         1
    from_strip:   1
    target:       Target
    range:        Range
    free_weights: 1
    rewind:       1
    rows:         WORDS_BITS
    groups:       GROUPS_BITS
    input_words:  WORDS_BITS
    output_words: WORDS_BITS
    parameters:   WORDS_BITS
    input:        ADDRESS_BITS
    input_base:   ADDRESS_BITS
    input_end:    ADDRESS_BITS
    index:        INDEX_BITS
    output:       ADDRESS_BITS
    output_base:  ADDRESS_BITS
    output_end:   ADDRESS_BITS


def slot_layout(tile_words):
    """Handling of a word of accumulators, which travels with the item through the array.

    Members
    -------
    load
        The item completes a tile: take the accumulators over.
    valid
        A word goes to the requantiser: of the windows if ``depthwise``, of the pool's totals if
        ``mean``, else ``tile_word`` of the tile taken over.
    parameters
        Position of its parameters, from the oldest in the ring.
    range
        Layer it belongs to.
    target
        Where it goes.
    address, residual_address
        Its address there, and that of the word that the residual adder adds.
    first_pixels, last_pixels, row_ends
        It belongs to the first or last group of pixels of the pass; to the last group of a row.
    """
    return data.StructLayout({
        "load":             1,
        "valid":            1,
        "depthwise":        1,
        "mean":             1,
        "tile_word":        range(max(tile_words, 2)),
        "parameters":       WORDS_BITS,
        "range":            Range,
        "target":           Target,
        "address":          ADDRESS_BITS,
        "residual_address": ADDRESS_BITS,
        "first_pixels":     1,
        "last_pixels":      1,
        "row_ends":         1,
    })


class LayerSettings(data.Struct):
    """Settings that are the same for all passes of a block.

    Members
    -------
    stem, expand, depthwise, project
        Output ranges of the layers.
    pool_parameters, pool
        Factor and output range of the pool.
    tail
        Pixels of the last group of a row that belong to the pool's input.
    add
        Parameters of the residual addition.
    depthwise_parameters
        Position of the depthwise layer's first parameters, from the oldest in the ring.
    residual_base, residual_end
        Ring in the map memory that holds the block's input.
    """

    stem:                 LayerRange
    expand:               LayerRange
    depthwise:            LayerRange
    project:              LayerRange
    pool_parameters:      ChannelParameters
    pool:                 LayerRange
    tail:                 PIXELS_BITS
    add:                  AddParameters
    depthwise_parameters: WORDS_BITS
    residual_base:        ADDRESS_BITS
    residual_end:         ADDRESS_BITS
