"""Least DRAM traffic of a network, for three ways of running it.

Activations and weights are one byte each. Frames abreast share weights and parameters, which count
once, and have activations of their own. All figures are computed from the network alone; nothing
here is measured.
"""

from dataclasses import dataclass
from math import prod

__all__ = [
    "TrafficLimits",
    "add_limits",
    "block_limits",
    "fused_block_bytes",
    "floor_bytes",
    "frame_limits",
    "fused_frame_bytes",
    "layer_by_layer_block_bytes",
    "layer_by_layer_frame_bytes",
    "parameter_bytes",
]

#: Bias (4), multiplier and shift of an output channel, packed into 8 bytes.
BYTES_PER_CHANNEL = 8


@dataclass(frozen=True)
class TrafficLimits:
    """Computed DRAM bytes of a bottleneck, of several, or of a frame, or of frames abreast.

    Attributes
    ----------
    name : str
        Name of the bottleneck, ``"blocks"`` or ``"frame"``.
    floor_bytes : int
        Every weight and parameter once, and the input and output of each frame: no design that
        loads its weights moves less.
    fused_bytes, layer_by_layer_bytes : int
        Activations and weights with each bottleneck fused, and layer by layer.
    """

    name: str
    floor_bytes: int
    fused_bytes: int
    layer_by_layer_bytes: int


def block_limits(block, frames=1):
    """Figures of one bottleneck (`mnv2.golden.network.Block`), from memory to memory.

    Parameters
    ----------
    block : mnv2.golden.network.Block
    frames : int
        Frames abreast.

    Returns
    -------
    TrafficLimits
    """
    fused = fused_block_bytes(block, frames)
    return TrafficLimits(
        name=block.name,
        floor_bytes=fused + parameter_bytes(block),
        fused_bytes=fused,
        layer_by_layer_bytes=layer_by_layer_block_bytes(block, frames),
    )


def add_limits(limits):
    """Figures of several bottlenecks together, each from memory to memory."""
    limits = tuple(limits)
    return TrafficLimits(
        name="blocks",
        floor_bytes=sum(limit.floor_bytes for limit in limits),
        fused_bytes=sum(limit.fused_bytes for limit in limits),
        layer_by_layer_bytes=sum(limit.layer_by_layer_bytes for limit in limits),
    )


def frame_limits(network, frames=1):
    """Figures of a whole network (`mnv2.golden.network.Network`), from the image to the logits.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    frames : int
        Frames abreast.

    Returns
    -------
    TrafficLimits
    """
    return TrafficLimits(
        name="frame",
        floor_bytes=floor_bytes(network, frames) + parameter_bytes(network),
        fused_bytes=fused_frame_bytes(network, frames),
        layer_by_layer_bytes=layer_by_layer_frame_bytes(network, frames),
    )


def layer_by_layer_block_bytes(block, frames=1):
    """Every layer reads its input and weights and writes its output; the residual is read again."""
    total = sum(_layer_bytes(layer, frames) for layer in block.layers)
    return total + (frames * prod(block.input_shape) if block.residual else 0)


def fused_block_bytes(block, frames=1):
    """The block reads its input and weights and writes its output; all between stays on chip."""
    activations = prod(block.input_shape) + prod(block.output_shape)
    return frames * activations + block.weight_bytes()


def layer_by_layer_frame_bytes(network, frames=1):
    """The whole network, layer by layer."""
    others = [stage for stage in network.stages if stage.kind != "block"]
    blocks = sum(layer_by_layer_block_bytes(block, frames) for block in network.blocks)
    return blocks + sum(_layer_bytes(layer, frames) for layer in others)


def fused_frame_bytes(network, frames=1):
    """The whole network with each bottleneck fused, and head, pool and classifier in one."""
    ends = network.stages[len(network.blocks) + 1 :]
    activations = prod(ends[0].input_shape) + network.classes
    end = frames * activations + sum(layer.weight_bytes() for layer in ends)
    blocks = sum(fused_block_bytes(block, frames) for block in network.blocks)
    return _layer_bytes(network.stem, frames) + blocks + end


def floor_bytes(network, frames=1):
    """Every weight once, the images and the logits."""
    return network.weight_bytes() + frames * (prod(network.input_shape) + network.classes)


def parameter_bytes(part):
    """Bias, multiplier and shift of every output channel of a network or a block, once."""
    channels = sum(layer.output_channels for layer in part.layers if layer.kind != "pool")
    return BYTES_PER_CHANNEL * channels


def _layer_bytes(layer, frames):
    """Input, weights and output of one layer."""
    return frames * (prod(layer.input_shape) + prod(layer.output_shape)) + layer.weight_bytes()
