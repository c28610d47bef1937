"""ZigZag: descriptions of workload, accelerators and mappings for it, and its answer.

It takes layer by layer, searches the order of the loops on a given array and memories, and counts
cycles, with waits for memory, in closed form. Residual additions are left out: the accelerator adds
while it multiplies, and ZigZag would make layers of them.

Ref: ZigZag 3.9.1, ``parser/workload_validator.py``, ``parser/accelerator_validator.py``,
``parser/mapping_validator.py``, ``parser/onnx/conv_parser.py``.
"""

import json

from mnv2.sim.peers.result import LayerSaid, ToolFailed

__all__ = [
    "ACCUMULATOR_BITS",
    "PACKAGE",
    "STOCK_ACCUMULATOR_BITS",
    "accelerator",
    "mapping",
    "read_layers",
    "stock_mapping",
    "workload",
]

PACKAGE = "zigzag-dse"

#: Bits of an accumulator, and of one in the accelerators that come with ZigZag.
ACCUMULATOR_BITS, STOCK_ACCUMULATOR_BITS = 32, 16
#: Rows and columns of a 3x3 kernel, and its taps.
KERNEL, TAPS = 3, 9
#: Energies are required but not used: all equal and not 0, for a search prefers what costs less.
ENERGY = {"r_cost": 1.0, "w_cost": 1.0, "area": 0.0, "latency": 1}
OPERANDS = {"O": "O", "W": "I2", "I": "I1"}


def workload(network, accumulator_bits=ACCUMULATOR_BITS):
    """The network as a list of layers for ZigZag: all convolutions, without the pool.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    accumulator_bits : int

    Returns
    -------
    list of dict
    """
    rows = []
    for number, layer in enumerate(layer for layer in network.layers if layer.kind != "pool"):
        depthwise = layer.kind == "depthwise"
        height, width, channels = layer.output_shape
        rows.append(
            {
                "id": number,
                "name": layer.name,
                "operator_type": "Conv",
                "equation": "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]",
                "dimension_relations": [f"ix={layer.stride}*ox+1*fx", f"iy={layer.stride}*oy+1*fy"],
                "loop_dims": ["B", "K", "G", "OX", "OY", "C", "FX", "FY"],
                "loop_sizes": [
                    1,
                    1 if depthwise else channels,
                    channels if depthwise else 1,
                    width,
                    height,
                    1 if depthwise else layer.input_channels,
                    layer.kernel_size[1],
                    layer.kernel_size[0],
                ],
                "operand_precision": {"W": 8, "I": 8, "O": accumulator_bits, "O_final": 8},
                "operand_source": {"W": number, "I": max(0, number - 1)} if number else {"W": 0},
                "pr_loop_dims": ["IX", "IY"],
                "pr_loop_sizes": [layer.input_shape[1], layer.input_shape[0]],
                "padding": [list(layer.padding[1]), list(layer.padding[0])],
            }
        )
    return rows


def _port(name, kind, bits, *allocation):
    return {
        "name": name,
        "type": kind,
        "bandwidth_min": 8,
        "bandwidth_max": bits,
        "allocation": list(allocation),
    }


def accelerator(config):
    """Description of the accelerator: its lanes, its memories' bytes and words, and its port.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    dict
        D1 is output lanes, D2 input lanes, D3 pixels. An accumulator for each output and pixel; one
        memory of maps and strips, which inputs and outputs share; between it and the array the
        line buffer, which takes a word a cycle and hands out a window for each lane; a memory of
        weights and taps; the external memory with a beat a cycle each way.
    """
    inside = config.buffer_bytes
    maps = inside["map"] + inside["strip"]
    weights = inside["weights"] + inside["taps"]
    every = ["D1", "D2", "D3"]
    # A window for each input and pixel lane, all of them read in a cycle.
    window = TAPS * config.inputs * config.pixels * 8
    word, beat = config.word_bits, config.data_bits
    return {
        "name": "mnv2",
        "memories": {
            "accumulator": {
                "size": ACCUMULATOR_BITS,
                **ENERGY,
                "operands": ["O"],
                "served_dimensions": [],
                "ports": [
                    _port("r_port_1", "read", ACCUMULATOR_BITS, "O, tl"),
                    _port("r_port_2", "read", ACCUMULATOR_BITS, "O, th"),
                    _port("w_port_1", "write", ACCUMULATOR_BITS, "O, fh"),
                    _port("w_port_2", "write", ACCUMULATOR_BITS, "O, fl"),
                ],
            },
            "lines": {
                "size": inside["line"] * 8,
                **ENERGY,
                "operands": ["I1"],
                "served_dimensions": every,
                "ports": [
                    _port("r_port_1", "read", window, "I1, tl"),
                    _port("w_port_1", "write", word, "I1, fh"),
                ],
            },
            "maps": {
                "size": maps * 8,
                **ENERGY,
                "operands": ["I1", "O"],
                "served_dimensions": every,
                "ports": [
                    _port("r_port_1", "read", word, "I1, tl"),
                    _port("r_port_2", "read", word, "O, tl", "O, th"),
                    _port("w_port_1", "write", word, "I1, fh", "O, fh"),
                    _port("w_port_2", "write", word, "O, fl"),
                ],
            },
            "weights": {
                "size": weights * 8,
                **ENERGY,
                "operands": ["I2"],
                "served_dimensions": every,
                "ports": [
                    _port("r_port_1", "read", config.weight_word_bits, "I2, tl"),
                    _port("w_port_1", "write", config.weight_word_bits, "I2, fh"),
                ],
            },
            "dram": {
                "size": 10**10,
                **ENERGY,
                "operands": ["I1", "I2", "O"],
                "served_dimensions": every,
                "ports": [
                    _port("r_port_1", "read", beat, "I1, tl", "I2, tl", "O, tl", "O, th"),
                    _port("w_port_1", "write", beat, "I1, fh", "I2, fh", "O, fh", "O, fl"),
                ],
            },
        },
        "operational_array": {
            "unit_energy": 1.0,
            "unit_area": 1.0,
            "dimensions": every,
            "sizes": [config.outputs, config.inputs, config.pixels],
        },
    }


def mapping(network, config):
    """Mapping of loops to lanes, as the accelerator unrolls them.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    list of dict
        Output channels, input channels and pixels; a depthwise layer's nine taps on output lanes,
        its channels on input lanes. The stem's input channels stand on the input lanes; that the
        accelerator fills these with its 27 products cannot be told.
    """

    def entry(name, *lanes):
        return {
            "name": name,
            "spatial_mapping": dict(zip(("D1", "D2", "D3"), lanes, strict=True)),
            "memory_operand_links": OPERANDS,
        }

    outputs, inputs, pixels = (
        [f"{dimension}, {size}"]
        for dimension, size in (("K", config.outputs), ("C", config.inputs), ("OX", config.pixels))
    )
    taps, channels = [f"FX, {KERNEL}", f"FY, {KERNEL}"], [f"G, {config.inputs}"]
    return [
        entry("default", outputs, inputs, pixels),
        *(entry(block.depthwise.name, taps, channels, pixels) for block in network.blocks),
    ]


def stock_mapping(rows, columns, *, free=()):
    """The mapping that comes with ZigZag's weight-stationary arrays: channels on both sides.

    Parameters
    ----------
    rows, columns : int
        D2, input channels, and D1, output channels.
    free : iterable of str
        Names of layers whose unrolling ZigZag chooses.

    Returns
    -------
    list of dict
    """
    fixed = {
        "name": "default",
        "memory_operand_links": OPERANDS,
        "spatial_mapping": {"D1": [f"K, {columns}"], "D2": [f"C, {rows}"]},
    }
    return [fixed, *({"name": name, "memory_operand_links": OPERANDS} for name in free)]


def read_layers(text):
    """Read the results of ``run_zigzag.py``.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of mnv2.sim.peers.result.LayerSaid

    Raises
    ------
    ToolFailed
        If they cannot be read.
    """
    # Cycles and bytes come as floating-point numbers, and whole.
    try:
        layers = tuple(
            LayerSaid(row["name"], round(row["cycles"]), round(row["dram_bytes"]))
            for row in json.loads(text)
        )
    except (ValueError, KeyError, TypeError):
        raise ToolFailed("its results cannot be read") from None
    if not layers:
        raise ToolFailed("its results are empty")
    return layers
