"""What a network's program asks of the accelerator: sizes alone, no weights and no addresses."""

from dataclasses import dataclass

from sim.mapping.placement import place_network
from sim.mapping.tiling import map_words, stem_steps

__all__ = ["Plan", "Work", "plan_network"]

#: Bits of the requantisation parameters of a channel, and of its logit with its accumulator.
_PARAMETER_BITS, _LOGIT_BITS = 72, 40

#: Bytes of a record of a program.
_RECORD_BYTES = 128


@dataclass(frozen=True, kw_only=True)
class Work:
    """One descriptor, as `hw.program.Descriptor`; all sizes in words, rows and groups of pixels.

    Attributes
    ----------
    kind : str
        ``"block"``, ``"head"`` or ``"classifier"``.
    input_ring, output_ring : int
        Words of the map memory for the input and for the output.
    load_words, load_beats : int
        Map, or with a stem the beats of the image, that comes from external memory.
    store_words, store_bytes : int
        Map, or words of logits, that goes to external memory.
    """

    kind:            str
    input_rows:      int
    input_groups:    int
    input_words:     int
    output_words:    int
    parameter_words: int
    hidden_words:    int = 0
    output_rows:     int = 0
    output_groups:   int = 0
    strip_rows:      int = 1
    steps:           int = 0
    copy:            bool = False
    residual:        bool = False
    stride_2:        bool = False
    pad_start:       bool = False
    stem:            bool = False
    image_rows:      int = 0
    image_groups:    int = 0
    image_steps:     int = 0
    image_pad_start: bool = False
    stem_steps:      int = 0
    input_ring:      int = 0
    output_ring:     int = 0
    load:            bool = False
    load_words:      int = 0
    load_beats:      int = 0
    store:           bool = False
    store_words:     int = 0
    store_bytes:     int = 0


@dataclass(frozen=True)
class Plan:
    """A program.

    Attributes
    ----------
    works : tuple of Work
        One for each descriptor.
    program_beats, weights_beats, taps_beats, parameters_beats : int
        Beats of the streams that are read from start to end.
    """

    works:            tuple
    program_beats:    int
    weights_beats:    int
    taps_beats:       int
    parameters_beats: int


def _bytes(bits):
    return -(-bits // 8)


def _tiles(words, config):
    return -(-words // config.tile_words)


def plan_network(network, config):
    """Plan of a network's program for a single image.

    Parameters
    ----------
    network : golden.network.Network
    config : hw.config.AcceleratorConfig

    Returns
    -------
    Plan

    Raises
    ------
    sim.mapping.tiling.DoesNotFit
        If a buffer is too small.
    """
    placement = place_network(network, config)
    works, weights, taps, parameters = [], 0, 0, 0
    for number, block in enumerate(network.blocks):
        work = _block_work(network, placement, number, config)
        works.append(work)
        parameters += work.parameter_words
        taps       += work.hidden_words
        weights    += work.hidden_words * _tiles(work.output_words, config)
        if block.expand:
            weights += work.input_words * _tiles(work.hidden_words, config)
        if work.stem:
            weights += work.stem_steps * _tiles(work.input_words, config)
    for kind, layer in (("head", network.head), ("classifier", network.classifier)):
        work = _pointwise_work(kind, layer, config, load=kind == "head" and placement.spilled[-1])
        works.append(work)
        parameters += work.parameter_words
        weights    += work.input_words * _tiles(work.output_words, config)
    return Plan(
        works=tuple(works),
        program_beats=(1 + len(works)) * (_RECORD_BYTES // config.data_bytes),
        weights_beats=_beats(weights * config.weight_word_bits, config),
        taps_beats=_beats(taps * config.tap_word_bits, config),
        parameters_beats=_beats(parameters * config.parameter_word_bits, config))


def _beats(bits, config):
    return -(-_bytes(bits) // config.data_bytes)


def _block_work(network, placement, number, config):
    block, tiling = network.blocks[number], placement.tilings[number]
    rows, groups, words = tiling.input_shape
    output_rows, output_groups, output_words = tiling.output_shape
    hidden_words = tiling.hidden_shape[2]
    top      = bool(block.depthwise.padding[0][0])
    stride_2 = block.depthwise.stride == 2
    fields   = {}
    if number == 0:
        stem = network.stem
        image_rows, image_groups, _ = map_words(stem.input_shape, config)
        image_top = bool(stem.padding[0][0])
        image_bits = (image_rows * image_groups * config.pixels * stem.input_channels
                      * config.activation_bits)
        fields |= {
            "stem": True, "image_rows": image_rows, "image_groups": image_groups,
            "image_steps": 2 * groups + 1 - image_top, "image_pad_start": image_top,
            "stem_steps": stem_steps(stem, config), "load_beats": _beats(image_bits, config),
        }
    elif placement.spilled[number - 1]:
        fields |= _load(rows * groups * words, config)
    if placement.spilled[number]:
        stored  = output_rows * output_groups * output_words
        fields |= {"store": True, "store_words": stored,
                   "store_bytes": _bytes(stored * config.word_bits)}
    return Work(
        kind="block", input_rows=rows, input_groups=groups, input_words=words,
        output_words=output_words, hidden_words=hidden_words, output_rows=output_rows,
        output_groups=output_groups, strip_rows=tiling.strip_rows,
        parameter_words=(hidden_words * (1 + bool(block.expand)) + output_words
                         + (words if number == 0 else 0)),
        steps=2 * output_groups + 1 - top if stride_2 else output_groups + 1,
        copy=block.expand is None, residual=block.residual, stride_2=stride_2, pad_start=top,
        input_ring=tiling.input_end - tiling.input_base,
        output_ring=tiling.output_end - tiling.output_base, **fields)


def _load(words, config):
    return {"load": True, "load_words": words,
            "load_beats": _beats(words * config.word_bits, config)}


def _pointwise_work(kind, layer, config, *, load):
    rows, groups, words = map_words(layer.input_shape, config)
    output_words = map_words(layer.output_shape, config)[2]
    fields = _load(rows * groups * words, config) if load else {}
    if kind == "classifier":
        fields = {"store": True, "store_words": output_words,
                  "store_bytes": output_words * config.inputs * _LOGIT_BITS // 8}
    return Work(
        kind=kind, input_rows=rows, input_groups=groups, input_words=words,
        output_words=output_words, parameter_words=output_words,
        input_ring=rows * groups * words, output_ring=2**16, **fields)
