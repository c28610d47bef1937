"""Cycles that work takes on the array if nothing ever waits: counted from the tiling alone."""

__all__ = ["ideal_block_cycles"]


def ideal_block_cycles(tiling, config, *, expand):
    """Steps of the pointwise layers plus windows of the depthwise layer, one a cycle.

    A tile of ``outputs`` channels and a group of ``pixels`` take a step for each word of input
    channels; a window of a channel word and a group of pixels takes one. Lanes that a shape leaves
    empty count as work.

    Parameters
    ----------
    tiling : sim.mapping.tiling.BlockTiling
    config : hw.config.AcceleratorConfig
    expand : bool
        Whether the block has an expansion.

    Returns
    -------
    int
    """
    rows, groups, input_words = tiling.input_shape
    hidden_words = tiling.hidden_shape[2]
    output_rows, output_groups, output_words = tiling.output_shape

    def tiles(words):
        return -(-words // config.tile_words)

    expansion  = rows * groups * input_words * tiles(hidden_words) if expand else 0
    depthwise  = output_rows * output_groups * hidden_words
    projection = output_rows * output_groups * hidden_words * tiles(output_words)
    return expansion + depthwise + projection
