"""Vela, the compiler of Arm's Ethos-U: descriptions of systems for it, and its estimates.

It compiles a .tflite for an NPU of a fixed number of MACs and estimates each operator's cycles, the
maximum of the NPU's, the SRAM's and the DRAM's.

Ref: Vela 5.2.0, ``config_files/Arm/vela.ini``, ``architecture_features.py``, ``stats_writer.py``.
"""

import csv
import io

from mnv2.sim.peers.result import LayerSaid, ToolFailed

__all__ = [
    "ACCELERATORS",
    "PACKAGE",
    "STOCK",
    "dram_bytes_per_cycle",
    "nearest_accelerators",
    "read_reports",
    "system_text",
]

PACKAGE = "ethos-u-vela"

#: MACs a cycle, by family.
ACCELERATORS = {"u65": (256, 512), "u85": (128, 256, 512, 1024, 2048)}
#: System configuration and memory mode of its own file, of each family.
STOCK = {
    "u65": ("Ethos_U65_High_End", "Dedicated_Sram_384KB"),
    "u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_512KB"),
}
#: Bytes a cycle of an AXI port of either, and how many ports of it may lead to DRAM.
PORT_BYTES = 16
DRAM_PORTS = {"u65": 1, "u85": 2}


def nearest_accelerators(multipliers):
    """The NPU of each family with the nearest number of MACs, if it is within a factor of two.

    Parameters
    ----------
    multipliers : int

    Returns
    -------
    list of (str, int)
        Family and MACs.
    """
    found = []
    for family, sizes in ACCELERATORS.items():
        size = min(sizes, key=lambda macs: abs(macs - multipliers))
        if max(size, multipliers) < 2 * min(size, multipliers):
            found.append((family, size))
    return found


def dram_bytes_per_cycle(config, family):
    """Bytes a cycle of an NPU's DRAM for an accelerator's port, at most those of its own port."""
    return min(config.data_bytes, PORT_BYTES * DRAM_PORTS[family])


def system_text(config, family, latency):
    """System with the accelerator's port and bytes on chip, called Mnv2, as the text of an .ini.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    family : str
        Of the NPU; `ACCELERATORS` lists them.
    latency : int
        Cycles of the external memory.

    Returns
    -------
    str
    """
    moved = dram_bytes_per_cycle(config, family)
    ports = -(-moved // PORT_BYTES)
    used = {"Dram": f"Dram_ports_used={ports}\n"} if family == "u85" else {}
    return (
        "[System_Config.Mnv2]\n"
        "core_clock=200e6\naxi0_port=Sram\naxi1_port=Dram\n"
        "Sram_clock_scale=1.0\n"
        + ("Sram_ports_used=2\n" if family == "u85" else "")
        + "Sram_burst_length=32\nSram_read_latency=2\nSram_write_latency=2\n"
        f"Sram_max_reads={config.outstanding}\nSram_max_writes={config.outstanding}\n"
        f"Dram_clock_scale={moved / (PORT_BYTES * ports)}\n"
        + used.get("Dram", "")
        + f"Dram_burst_length={min(256, config.burst_beats * config.data_bytes)}\n"
        f"Dram_read_latency={latency}\nDram_write_latency={latency}\n"
        f"Dram_max_reads={config.outstanding}\nDram_max_writes={config.outstanding}\n"
        "\n[Memory_Mode.Mnv2]\n"
        "const_mem_area=Axi1\narena_mem_area=Axi1\ncache_mem_area=Axi0\n"
        f"arena_cache_size={config.on_chip_bytes // 16 * 16}\n"
    )


def read_reports(layers, summary):
    """Read its two tables: ``…_per-layer.csv`` and ``…_summary_….csv``.

    Parameters
    ----------
    layers, summary : str

    Returns
    -------
    tuple of LayerSaid
        Each operator's cycles. Bytes are those of the whole: they stand in a row without
        cycles called ``DRAM``, and all others have 0.

    Raises
    ------
    ToolFailed
        If they cannot be read, or the rows do not add up to the summary.
    """
    try:
        rows = [
            LayerSaid(row["Name"], int(row["Op Cycles"]), 0)
            for row in csv.DictReader(io.StringIO(layers))
        ]
        (whole,) = csv.DictReader(io.StringIO(summary))
        cycles, moved = int(whole["cycles_total"]), int(whole["dram_total_bytes"])
    except (KeyError, ValueError, TypeError):
        raise ToolFailed("its reports cannot be read") from None
    if sum(row.cycles for row in rows) != cycles:
        raise ToolFailed(
            f"its operators' {sum(row.cycles for row in rows):,} cycles are not its sum, {cycles:,}"
        )
    return (*rows, LayerSaid("DRAM", 0, moved))
