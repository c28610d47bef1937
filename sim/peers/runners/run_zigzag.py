"""Runs ZigZag in its own environment; nothing of mnv2 is installed there.

    python run_zigzag.py TASK FOLDER

TASK is a JSON file with ``workload``, ``mapping``, and ``accelerator``, or ``stock``, the name of
one that comes with ZigZag, and the ``sizes`` its array is given; ``keep_maps`` says whether maps
may stay on chip between layers. FOLDER/layers.json is written: each layer's cycles, and the bytes
that crossed its outermost memory. Where maps may not stay, a layer knows nothing of the others, and
of equal layers one is asked about.
"""

import json
import sys
from pathlib import Path

import yaml
import zigzag
from zigzag.api import get_hardware_performance_zigzag


def dram_bytes(evaluation):
    """Bytes at the memory called dram; ZigZag counts words of a port's full width."""
    total = 0.0
    for operand, levels in evaluation.memory_word_access.items():
        link = evaluation.layer.memory_operand_links.layer_to_mem_op(operand)
        memories = evaluation.accelerator.memory_hierarchy.get_memory_levels(mem_op=link)
        for memory, accesses in zip(memories, levels, strict=True):
            if memory.memory_instance.name != "dram":
                continue
            for direction, count in accesses.data.items():
                if count:
                    total += count * memory.get_max_bandwidth(link, direction) / 8
    return total


def first_equals(workload, mapping):
    """For each layer, the place of the first that is the same but for its name."""
    entries = {entry["name"]: entry for entry in mapping}
    seen: dict[str, int] = {}
    places = []
    for place, layer in enumerate(workload):
        entry = entries.get(layer["name"], entries["default"])
        key = json.dumps(
            [
                {
                    name: value
                    for name, value in layer.items()
                    if name not in ("id", "name", "operand_source")
                },
                {name: value for name, value in entry.items() if name != "name"},
            ]
        )
        places.append(seen.setdefault(key, place))
    return places


def main(task_file, folder):
    task, folder = json.loads(Path(task_file).read_text()), Path(folder)
    accelerator = task.get("accelerator")
    if accelerator is None:
        inputs = Path(zigzag.__file__).parent / "inputs" / "hardware"
        accelerator = yaml.safe_load((inputs / f"{task['stock']}.yaml").read_text())
        accelerator["operational_array"]["sizes"] = task["sizes"]
    workload = task["workload"]
    places = list(range(len(workload)))
    if not task["keep_maps"]:
        places = first_equals(workload, task["mapping"])
        workload = [
            layer | {"operand_source": {"W": layer["id"]}}
            for place, layer in enumerate(workload)
            if places[place] == place
        ]
    # JSON is YAML.
    for name, content in (
        ("workload", workload),
        ("accelerator", accelerator),
        ("mapping", task["mapping"]),
    ):
        (folder / f"{name}.yaml").write_text(json.dumps(content, indent=1))
    _, _, found = get_hardware_performance_zigzag(
        str(folder / "workload.yaml"),
        str(folder / "accelerator.yaml"),
        str(folder / "mapping.yaml"),
        opt="latency",
        dump_folder=str(folder / "outputs"),
        exploit_data_locality=task["keep_maps"],
        loma_show_progress_bar=False,
    )
    by_name = {
        evaluation.layer.name: {
            "cycles": evaluation.latency_total2,
            "ideal_cycles": evaluation.ideal_cycle,
            "busy_cycles": evaluation.latency_total0,
            "dram_bytes": dram_bytes(evaluation),
            "unrolled": str(evaluation.spatial_mapping_int),
        }
        for evaluation, _ in found[0][1]
    }
    names = [layer["name"] for layer in task["workload"]]
    rows = [
        {"name": name, **by_name[names[place]]} for name, place in zip(names, places, strict=True)
    ]
    (folder / "layers.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
