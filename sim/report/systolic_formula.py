"""Cycles of layers on a systolic array by the closed form of SCALE-Sim: computed, not measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ScaleSimEstimate", "estimate_layers", "scale_sim_cycles", "systolic_array"]


@dataclass(frozen=True)
class ScaleSimEstimate:
    """Cycles of the rows of a report by the formula.

    Attributes
    ----------
    array : tuple of int
        Rows and columns of the systolic array.
    cycles : dict of str to int
        By the name of the row, such as ``"stem"`` or ``"block3"``.
    """

    array: tuple[int, int]
    cycles: Mapping[str, int] = field(hash=False)

    @property
    def total_cycles(self):
        """Cycles of all rows."""
        return sum(self.cycles.values())


def scale_sim_cycles(layer, rows, columns):
    """Cycles of a layer on a systolic array that holds its weights, if memory never waits.

    A fold holds ``rows`` products of an output and ``columns`` outputs; its weights are shifted in,
    then all pixels pass. A depthwise layer counts as one filter over all channels, as
    SCALE-Sim's users describe it, which leaves all but one column idle.

    Parameters
    ----------
    layer : mnv2.golden.network.Layer
        A pool, which SCALE-Sim does not have, takes no cycles.
    rows, columns : int
        Of the array.

    Returns
    -------
    int

    Ref: SCALE-Sim 3.0.0, weight-stationary, which the formula equals on all layers of MobileNetV2.
    """
    if layer.kind == "pool":
        return 0
    products = layer.kernel_size[0] * layer.kernel_size[1] * layer.input_channels
    outputs = 1 if layer.kind == "depthwise" else layer.output_channels
    pixels = layer.output_shape[0] * layer.output_shape[1]
    folds = -(-products // rows) * -(-outputs // columns)
    return folds * (pixels + 2 * rows + columns - 2) - 1


def systolic_array(config):
    """(rows, columns) of a systolic array with a multiplier for each product of an accelerator.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
        Its input lanes, pixels and frames abreast become the rows, its output lanes the columns.

    Returns
    -------
    tuple of int
    """
    return config.inputs * config.pixels * config.frames, config.outputs


def estimate_layers(parts, config):
    """The formula's cycles of stem, blocks, head or classifier, with as many products a cycle.

    Parameters
    ----------
    parts : iterable of mnv2.golden.network.Layer or mnv2.golden.network.Block
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    ScaleSimEstimate
        A block's cycles are those of its layers, one after another; where frames are computed
        abreast, those of as many frames, one after another.
    """
    array = systolic_array(config)
    return ScaleSimEstimate(
        array,
        {
            part.name: config.frames
            * sum(scale_sim_cycles(layer, *array) for layer in getattr(part, "layers", (part,)))
            for part in parts
        },
    )
