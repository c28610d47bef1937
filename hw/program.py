"""Records of a program: a header, then one descriptor for each block.

The host packs them with the same classes, ``Descriptor.const({...}).as_bits()``, least significant
byte first.
"""

from amaranth import *
from amaranth.lib import data, enum

from .config import (
    ADDRESS_BITS,
    BEATS_BITS,
    BYTES_BITS,
    GROUPS_BITS,
    INDEX_BITS,
    OFFSET_BITS,
    PIXELS_BITS,
    SEGMENTS,
    WORDS_BITS,
)
from .layouts import AddParameters, ChannelParameters, LayerRange

__all__ = ["Descriptor", "Header", "Turns", "Work"]


class Header(data.Struct):
    """First record: for whom the program is, and the streams of constants that it uses up.

    A program is executed once a turn: for each frame, or pair of frames abreast. The parts of the
    classifier belong to the turn before, and are executed between the first blocks. Weights and
    parameters lie in this order, one after another: those of the first blocks, of the first part of
    the classifier, of the next blocks, of the next part, and so on, and at last those of all other
    blocks and of the head. Each of these segments is whole beats, and may be empty. The first turn
    leaves out the parts of the classifier; after the last turn they alone are read.

    Members
    -------
    configuration
        Hash of the accelerator that executes it, see
        :func:`mnv2.hw.identity.configuration_hash`.
    weights_offset, taps_offset, parameters_offset
        Where each stream begins, in bytes from the header.
    weights_beats, parameters_beats
        Beats of the memory port of each segment.
    taps_beats
        Beats of the kernels, all of which belong to blocks.
    """

    configuration:     32
    weights_offset:    OFFSET_BITS
    weights_beats:     data.ArrayLayout(BEATS_BITS, SEGMENTS)
    taps_offset:       OFFSET_BITS
    taps_beats:        BEATS_BITS
    parameters_offset: OFFSET_BITS
    parameters_beats:  data.ArrayLayout(BEATS_BITS, SEGMENTS)


class Turns(enum.Enum, shape=2):
    """Turns in which a descriptor is executed; in others it is left out."""

    #: In each of them.
    ALL   = 0
    #: In all but the first: what it makes belongs to the turn before.
    LATER = 1
    #: In the last.
    LAST  = 2


class Work(enum.Enum, shape=2):
    """Kind of a descriptor."""

    #: An inverted-residual block, the stem before it included if it has one.
    BLOCK      = 0
    #: A pointwise convolution and the mean of its output over all pixels.
    HEAD       = 1
    #: A pointwise convolution of one pixel, whose results are logits.
    CLASSIFIER = 2


class Descriptor(data.Struct):
    """One inverted-residual block, or the head, or the classifier.

    A map lies in memory, on or off the chip, row by row, group of pixels by group of pixels,
    channel word by channel word.

    Members
    -------
    work
        What kind of descriptor it is. Head and classifier have no strips, no hidden map and no
        residual.
    turns
        Turns in which it is executed. The first descriptor of a program is in all of them, and the
        last one is not left out in the last.
    ends_turn
        When it has ended, the results of a turn are in memory.
    stem
        The block's input is the stem's output, and the stem's input is an image in external memory:
        three channels a pixel, dense within a group of pixels.
    image_rows, image_groups, image_tail, image_steps, image_pad_top, image_pad_left, image_line
        The image as the line buffer takes it in, with stride 2, see
        :class:`mnv2.hw.line_buffer.LineCommand`.
    image_padding
        Zero point of the image.
    stem_steps
        Steps of the stem's 27 products.
    copy
        The block has no expansion; its input goes to the depthwise layer as it is.
    residual
        The input is added to the output.
    load, store
        The input comes from, and the output goes to, external memory. The classifier stores logits,
        see :func:`mnv2.hw.layouts.logits_word`.
    stride_2, pad_top, pad_left, steps
        See :class:`mnv2.hw.line_buffer.LineCommand`.
    input_rows, input_groups, input_tail, input_words
        Rows of the input, groups of pixels in a row, pixels of the last group that belong to the
        map, channel words.
    hidden_words
        Channel words of the expanded map.
    output_rows, output_groups, output_words
        The same of the output.
    strip_rows
        Output rows processed together: their depthwise outputs are in the strip memory. For stride
        1 the last strip has more than one row, or is the only one.
    strip_output_words
        Words of output that a strip of ``strip_rows`` rows gives.
    parameter_words
        Words of parameters: stem if any, expansion if any, depthwise, projection; or those of the
        only layer.
    input_base, input_end, output_base, output_end
        Rings in the map memory for whole rows of input and of output, each with the address one
        past its last word.
    load_offset, load_beats, load_words
        Input map in external memory: bytes from the header of the program, or of an image from the
        turn's picture; beats, words.
    store_offset, store_bytes, store_words
        Output map in external memory: bytes from the header of the program, or of logits from the
        turn's; bytes, words.
    padding
        Zero point of the expanded map.
    stem_range, expand, depthwise, project
        Output ranges; head and classifier take the projection's.
    pool_parameters, pool
        Factor and output range of the pool after the head.
    add
        Residual addition.
    """

    work:               Work
    turns:              Turns
    ends_turn:          1
    stem:               1
    image_rows:         WORDS_BITS
    image_groups:       GROUPS_BITS
    image_tail:         PIXELS_BITS
    image_steps:        8
    image_pad_top:      1
    image_pad_left:     1
    image_line:         WORDS_BITS
    image_padding:      signed(8)
    stem_steps:         5
    copy:               1
    residual:           1
    load:               1
    store:              1
    stride_2:           1
    pad_top:            1
    pad_left:           1
    steps:              8
    input_rows:         WORDS_BITS
    input_groups:       GROUPS_BITS
    input_tail:         PIXELS_BITS
    input_words:        WORDS_BITS
    hidden_words:       WORDS_BITS
    output_rows:        WORDS_BITS
    output_groups:      GROUPS_BITS
    output_words:       WORDS_BITS
    strip_rows:         WORDS_BITS
    strip_output_words: ADDRESS_BITS
    parameter_words:    WORDS_BITS
    input_base:         ADDRESS_BITS
    input_end:          ADDRESS_BITS
    output_base:        ADDRESS_BITS
    output_end:         ADDRESS_BITS
    load_offset:        OFFSET_BITS
    load_beats:         BEATS_BITS
    load_words:         INDEX_BITS
    store_offset:       OFFSET_BITS
    store_bytes:        BYTES_BITS
    store_words:        INDEX_BITS
    padding:            signed(8)
    stem_range:         LayerRange
    expand:             LayerRange
    depthwise:          LayerRange
    project:            LayerRange
    add:                AddParameters
    pool_parameters:    ChannelParameters
    pool:               LayerRange
