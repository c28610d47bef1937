"""Runs SCALE-Sim in its own environment; nothing of mnv2 is installed there.

    python run_scale_sim.py TOPOLOGY LAYOUT CONFIGURATION FOLDER

Its own command writes gigabytes of traces whatever it is told, and steps every layer, also those
that equal an earlier one. Here its classes are called as its ``simulator.run`` calls them, once for
each shape of layer, for a layer's numbers depend on nothing else. Each shape's row is written to
FOLDER/layers.csv as soon as it is there, so that what was interrupted goes on.
"""

import csv
import sys
from pathlib import Path

from scalesim.layout_utils import layouts
from scalesim.scale_config import scale_config
from scalesim.single_layer_sim import single_layer_sim
from scalesim.topology_utils import topologies

COLUMNS = (
    "name",
    "shape",
    "cycles",
    "stall_cycles",
    "cycles_with_prefetch",
    "dram_ifmap_reads",
    "dram_filter_reads",
    "dram_ofmap_writes",
)


def step(number, configuration, topology, layout):
    """Figures of one layer, as its COMPUTE_REPORT and DETAILED_ACCESS_REPORT name them."""
    layer = single_layer_sim()
    layer.set_params(
        layer_id=number,
        config_obj=configuration,
        topology_obj=topology,
        layout_obj=layout,
        verbose=False,
    )
    layer.run()
    with_prefetch, cycles, stalls = layer.get_compute_report_items()[:3]
    detail = layer.get_detail_report_items()
    return [cycles, stalls, with_prefetch, *(detail[place] for place in (11, 14, 17))]


def write(path, rows):
    """Rows as a file that takes its name when all of it is there."""
    temporary = path.with_suffix(".new")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(path)


def main(topology_file, layout_file, configuration_file, folder):
    configuration, topology, layout = scale_config(), topologies(), layouts()
    configuration.read_conf_file(configuration_file)
    configuration.set_topology_file(topology_file)
    topology.load_arrays(topofile=topology_file)
    layout.load_arrays(layoutfile=layout_file)
    results = Path(folder) / "layers.csv"
    known = {}
    if results.is_file():
        with results.open(newline="") as file:
            known = {row["shape"]: row for row in csv.DictReader(file)}
    rows = []
    for number, (name, *numbers) in enumerate(topology.topo_arrays):
        shape = "x".join(map(str, numbers))
        if shape not in known:
            figures = step(number, configuration, topology, layout)
            known[shape] = dict(zip(COLUMNS, (name, shape, *map(int, figures)), strict=True))
            write(results, known.values())
        rows.append(known[shape] | {"name": name})
    write(results, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
