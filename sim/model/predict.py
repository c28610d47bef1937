"""From a network and a configuration to the rows of a report, predicted."""

from dataclasses import dataclass

from sim.errors import UserError
from sim.mapping.ideal import ideal_block_cycles, ideal_pointwise_cycles, ideal_stem_cycles
from sim.mapping.tiling import DoesNotFit
from sim.model.machine import Machine
from sim.model.passes import CAUSES, DEPTHWISE, POINTWISE
from sim.model.plan import plan_network
from sim.model.reads import CHANNELS
from sim.report.results import LayerResult

__all__ = ["PredictedLayer", "predict_network"]


@dataclass(frozen=True, kw_only=True)
class PredictedLayer(LayerResult):
    """What the accelerator would do with a layer; nothing was run."""

    predicted: bool = True


def predict_network(network, config, *, latency=100, bytes_per_cycle=0):
    """What `sim.rtl.run_network.run_network` would measure, with a memory that never pauses.

    Parameters
    ----------
    network : golden.network.Network
    config : hw.config.AcceleratorConfig
    latency : int
        Cycles from the transfer of a read address to its first beat, 2 or more.
    bytes_per_cycle : int
        Bandwidth that reads and writes share; 0 for a beat a cycle in each direction.

    Returns
    -------
    tuple of PredictedLayer
        Stem, blocks, head (with the pool) and classifier.

    Raises
    ------
    UserError
        If the network does not fit, or never comes to an end.
    """
    try:
        plan = plan_network(network, config)
    except DoesNotFit as error:
        raise UserError(f"{error}: change it with --set, or take a larger --config.") from None
    machine = Machine(config, plan, latency, bytes_per_cycle)
    try:
        machine.run()
    except RuntimeError as error:
        raise UserError(f"The accelerator would be stuck: {error}") from None
    rows = [(machine.counts[0][1], machine.beats[0][1]),
            *((counts[0], beats[0]) for counts, beats
              in zip(machine.counts, machine.beats, strict=True))]
    layers = [
        {"name": "stem", "kind": "stem", "ideal_cycles": ideal_stem_cycles(network.stem, config),
         **_layer(network.stem)},
        *({"name": block.name, "kind": "block", "macs": block.macs,
           "ideal_cycles": ideal_block_cycles(block, config), "input_shape": block.input_shape,
           "output_shape": block.output_shape, "stride": block.stride,
           "residual": block.residual} for block in network.blocks),
        {"name": "head", "kind": "head",
         "ideal_cycles": ideal_pointwise_cycles(network.head, config), **_layer(network.head),
         "output_shape": network.pool.output_shape},
        {"name": "classifier", "kind": "classifier",
         "ideal_cycles": ideal_pointwise_cycles(network.classifier, config),
         **_layer(network.classifier)},
    ]
    written = [0, *(work.store_bytes for work in plan.works)]
    return tuple(
        PredictedLayer(
            multipliers=config.multipliers, cycles=sum(counts),
            pointwise_cycles=counts[POINTWISE], depthwise_cycles=counts[DEPTHWISE],
            stalls=dict(zip(CAUSES, counts, strict=False)),
            dram_read_bytes_by_kind={channel: count * config.data_bytes for channel, count
                                     in zip(CHANNELS, beats, strict=False)},
            dram_write_bytes=stored, mismatches=0, **layer)
        for (counts, beats), layer, stored in zip(rows, layers, written, strict=True))


def _layer(layer):
    """Fields of a layer that is no block."""
    return {"macs": layer.macs, "input_shape": layer.input_shape,
            "output_shape": layer.output_shape, "stride": layer.stride, "residual": False}
