"""SCALE-Sim: its description of a network and an array, and its answer.

It takes one convolution after another on a systolic array, with a buffer each for inputs, weights
and outputs. A depthwise layer can be described in two ways, see `DEPTHWISE`.

Ref: SCALE-Sim 3.0.0, ``topology_utils.py``, ``layout_utils.py``, ``scale_config.py``,
``simulator.py``.
"""

import configparser
import csv
import io

from mnv2.sim.peers.result import LayerSaid, ToolFailed
from mnv2.sim.report.systolic_formula import systolic_array

__all__ = [
    "DEPTHWISE",
    "PACKAGE",
    "configuration_text",
    "layout_csv",
    "read_layers",
    "topology_csv",
]

PACKAGE = "scalesim"

#: ``"one filter"``: as its users give it, one filter over all channels, whose MACs are right.
#: ``"channel by channel"``: by its own mark ``DP`` in a layer's name, which makes each channel a
#: layer of its own.
DEPTHWISE = ("one filter", "channel by channel")

TOPOLOGY_COLUMNS = (
    "Layer",
    "IFMAP height",
    "IFMAP width",
    "Filter height",
    "Filter width",
    "Channels",
    "Num filter",
    "Strides",
)
#: Prefix of the names of layers that it takes channel by channel.
MARK = "DP_"
#: Numbers in the layout of a layer's tensors in banks, which is read even if it is not used.
LAYOUT_NUMBERS = 20


class _CaseSensitive(configparser.ConfigParser):
    """Keeps the names of options as they are."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _layers(network):
    """The layers that it has: all but the pool."""
    return [layer for layer in network.layers if layer.kind != "pool"]


def topology_csv(network, depthwise=DEPTHWISE[0]):
    """The network as its table of layers.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    depthwise : str
        One of `DEPTHWISE`.

    Returns
    -------
    str
        A row a layer, each ending in a comma, as it wants them. It does not pad, so a map has the
        rows and columns that its windows cover.
    """
    lines = [", ".join(TOPOLOGY_COLUMNS) + ","]
    for layer in _layers(network):
        name, filters = layer.name, layer.output_channels
        if layer.kind == "depthwise":
            filters = 1
            if depthwise == DEPTHWISE[1]:
                # It appends Channel_0 and so on.
                name = f"{MARK}{name}_"
        rows, columns = (
            (size - 1) * layer.stride + kernel
            for size, kernel in zip(layer.output_shape[:2], layer.kernel_size, strict=True)
        )
        numbers = (rows, columns, *layer.kernel_size, layer.input_channels, filters, layer.stride)
        lines.append(f"{name}, {', '.join(map(str, numbers))},")
    return "\n".join(lines) + "\n"


def layout_csv(topology):
    """A layout for each layer of a topology, all ones: no layout is used."""
    names = [row.split(",")[0] for row in topology.splitlines()[1:]]
    channels = [row.split(",")[5] for row in topology.splitlines()[1:]]
    lines = [",".join(["Layer", *(f"factor {n}" for n in range(1, LAYOUT_NUMBERS + 1))]) + ","]
    for name, count in zip(names, channels, strict=True):
        # The fifth number is how often a layer marked DP is repeated, as in the topology.
        numbers = ["1"] * 4 + [count.strip() if name.startswith(MARK) else "1"]
        numbers += ["1"] * (LAYOUT_NUMBERS - len(numbers))
        lines.append(",".join([name, *numbers]) + ",")
    return "\n".join(lines) + "\n"


def configuration_text(config, bandwidth=None):
    """Configuration with an array of as many multipliers and the same bytes on chip.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    bandwidth : int, optional
        Bytes a cycle of each of its three ports to memory. Default: unlimited, it never waits.

    Returns
    -------
    str
    """
    rows, columns = systolic_array(config)
    inside = config.buffer_bytes
    # Inputs and outputs of blocks share one memory here; there each has its own.
    sizes = {
        "IfmapSramSzkB": inside["map"] // 2 + inside["line"],
        "FilterSramSzkB": inside["weights"] + inside["taps"],
        "OfmapSramSzkB": inside["map"] // 2 + inside["strip"],
    }
    width = str(bandwidth or 10)
    content = {
        "general": {"run_name": "mnv2"},
        "architecture_presets": {
            "ArrayHeight": rows,
            "ArrayWidth": columns,
            **{name: max(1, size // 1024) for name, size in sizes.items()},
            "IfmapOffset": 0,
            "FilterOffset": 10_000_000,
            "OfmapOffset": 20_000_000,
            "Dataflow": "ws",
            "Bandwidth": width,
            "ReadRequestBuffer": 64,
            "WriteRequestBuffer": 64,
        },
        "layout": {
            "IfmapCustomLayout": False,
            "IfmapSRAMBankBandwidth": width,
            "IfmapSRAMBankNum": 1,
            "IfmapSRAMBankPort": 2,
            "FilterCustomLayout": False,
            "FilterSRAMBankBandwidth": width,
            "FilterSRAMBankNum": 1,
            "FilterSRAMBankPort": 2,
        },
        "sparsity": {
            "SparsitySupport": False,
            "SparseRep": "ellpack_block",
            "OptimizedMapping": False,
            "BlockSize": 8,
            "RandomNumberGeneratorSeed": 40,
        },
        "run_presets": {
            "InterfaceBandwidth": "USER" if bandwidth else "CALC",
            "UseRamulatorTrace": False,
        },
    }
    parser = _CaseSensitive()
    parser.read_dict(content)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def read_layers(text):
    """Read the results of ``run_scale_sim.py``, channels of a layer together.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of LayerSaid
        Cycles with waits; bytes are its words of DRAM, each a byte.

    Raises
    ------
    ToolFailed
        If they cannot be read.
    """
    cycles: dict[str, int] = {}
    moved: dict[str, int] = {}
    try:
        for row in csv.DictReader(io.StringIO(text)):
            name = row["name"]
            if name.startswith(MARK):
                name = name.removeprefix(MARK).rpartition("_Channel_")[0]
            cycles[name] = cycles.get(name, 0) + int(row["cycles"])
            moved[name] = moved.get(name, 0) + sum(
                int(row[column])
                for column in ("dram_ifmap_reads", "dram_filter_reads", "dram_ofmap_writes")
            )
    except (KeyError, ValueError, TypeError):
        raise ToolFailed("its results cannot be read") from None
    if not cycles:
        raise ToolFailed("its results are empty")
    return tuple(LayerSaid(name, count, moved[name]) for name, count in cycles.items())
