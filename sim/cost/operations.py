"""What happens in a frame: operations, and bits of every on-chip memory, counted.

Cycles and bytes are those of the layers, measured or predicted: each step of a 1x1 convolution
reads one word of weights and one of activations, each window one word of 3x3 kernels. The rest
follows from the network's shapes and the lanes: how many words of results are scaled, and where
they go.
"""

from mnv2.sim.mapping.tiling import map_words

__all__ = ["OPERATIONS", "count_operations"]

#: What is counted, and in what unit.
OPERATIONS = {
    "multiply-accumulate": "operations",
    "requantise": "elements",
    "residual addition": "elements",
    "pool": "elements",
    "read weights": "bits",
    "read activations": "bits",
    "read 3x3 kernels": "bits",
    "read parameters": "bits",
    "line buffer": "bits",
    "write results": "bits",
    "memory port queues": "bits",
    "external memory": "bits",
}

TAPS_ROWS = 3


def count_operations(layers, config, network):
    """Operations and moved bits of a frame.

    Parameters
    ----------
    layers : sequence of mnv2.sim.report.results.LayerResult
        All layers of the network, from a run or from `mnv2.sim.cycles.predict.predict_network`.
    config : mnv2.hw.config.AcceleratorConfig
    network : mnv2.golden.network.Network
        The network of these layers.

    Returns
    -------
    dict of str to int
        By the names of `OPERATIONS`.
    """
    word = config.word_bits
    words = {layer.name: _words(layer.output_shape, config) for layer in network.layers}
    elements = config.inputs * config.pixels
    by_kind = {
        kind: [layer for layer in network.layers if layer.kind == kind]
        for kind in ("stem", "expand", "depthwise", "project", "head", "pool", "classifier")
    }

    def total(*kinds):
        return sum(words[layer.name] for kind in kinds for layer in by_kind[kind])

    pointwise = sum(layer.pointwise_cycles for layer in layers)
    stem = sum(layer.pointwise_cycles for layer in layers if layer.kind == "stem")
    windows = sum(layer.depthwise_cycles for layer in layers)
    scaled = total("stem", "expand", "depthwise", "project", "head", "classifier")
    added = sum(words[layer.name] for layer in by_kind["project"] if layer.residual)
    # A block without an expansion copies its input to the line buffer.
    copied = sum(
        _words(block.depthwise.input_shape, config)
        for block in network.blocks
        if block.expand is None
    )
    expanded = total("expand") + copied
    image = _words(network.stem.input_shape, config)
    pooled = total("pool")
    read = 8 * sum(layer.dram_read_bytes for layer in layers)
    written = 8 * sum(layer.dram_write_bytes for layer in layers)
    return {
        "multiply-accumulate": sum(layer.macs for layer in layers),
        "requantise": scaled * elements + pooled * config.inputs,
        "residual addition": added * elements,
        "pool": total("head") * elements,
        "read weights": pointwise * config.weight_word_bits,
        # The stem's come from the window; an added word is read once more, a copied one once.
        "read activations": (pointwise - stem + added + copied) * word,
        "read 3x3 kernels": windows * config.tap_word_bits,
        "read parameters": scaled * config.parameter_word_bits,
        # Two rows are read and written, and two groups of pixels of three rows.
        "line buffer": (expanded + image) * (2 * 2 + 2 * 2 * TAPS_ROWS) * word,
        # Expanded words pass a queue: written and read; so do those that are added.
        "write results": (
            (scaled - total("head", "classifier", "expand") + pooled) * word
            + 2 * (expanded + added) * word
        ),
        # Every beat is written to a queue and read from it; what was read goes on to a buffer.
        "memory port queues": 3 * read + 2 * written,
        "external memory": read + written,
    }


def _words(shape, config):
    rows, groups, channel_words = map_words(shape, config)
    return rows * groups * channel_words
