"""All questions about a network and an accelerator, in the order of the table."""

import functools
import json
from pathlib import Path

from mnv2.sim.peers import scale_sim, vela, zigzag
from mnv2.sim.peers.question import Question
from mnv2.sim.peers.result import ToolFailed
from mnv2.sim.report.systolic_formula import systolic_array

__all__ = ["list_questions"]

_RUNNERS = Path(__file__).parent / "runners"


def _read(read, *names):
    """Make a function that calls ``read`` with the texts of a folder's files of these names."""

    def from_folder(folder):
        texts = []
        for name in names:
            found = sorted(folder.glob(name))
            if len(found) != 1:
                raise ToolFailed(f"it wrote no {name}")
            texts.append(found[0].read_text(encoding="utf-8"))
        return read(*texts)

    return from_folder


def list_questions(network, config, model, *, latency):
    """Questions to each tool.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    model : bytes
        The same network as an int8 .tflite.
    latency : int
        Cycles of the external memory, for the tool that takes them.

    Returns
    -------
    list of Question
    """
    return [*_scale_sim(network, config), *_zigzag(network, config), *_vela(config, model, latency)]


def _scale_sim(network, config):
    rows, columns = systolic_array(config)
    one_filter, by_channel = scale_sim.DEPTHWISE
    beat = config.data_bytes
    ask = functools.partial(
        Question,
        tool="SCALE-Sim",
        package=scale_sim.PACKAGE,
        array=f"{rows} x {columns}, weight-stationary",
        multipliers=rows * columns,
        slow=True,
        command=("python", "run_scale_sim.py", "topology.csv", "layout.csv", "scale.cfg", "."),
        read=_read(scale_sim.read_layers, "layers.csv"),
    )

    def files(depthwise, bandwidth=None):
        topology = scale_sim.topology_csv(network, depthwise)
        return {
            "topology.csv": topology.encode(),
            "layout.csv": scale_sim.layout_csv(topology).encode(),
            "scale.cfg": scale_sim.configuration_text(config, bandwidth).encode(),
            "run_scale_sim.py": (_RUNNERS / "run_scale_sim.py").read_bytes(),
        }

    free = "the same bytes on chip, memory never waits"
    idle = (
        f"a depthwise mapping: {columns - 1} of {columns} columns idle, and every fold of "
        f"weights fills and drains the array, {2 * rows + columns - 2} cycles"
    )
    return [
        ask(
            name="scale-sim",
            label="no waits",
            memory=free,
            files=files(one_filter),
            mapping="depthwise as one filter over all channels",
            untold=idle,
        ),
        ask(
            name="scale-sim-by-channel",
            label="by channel",
            memory=free,
            files=files(by_channel),
            mapping="depthwise channel by channel, its own way",
            untold=f"channels side by side: each takes 9 of {rows} rows of one column, alone",
        ),
        ask(
            name="scale-sim-bandwidth",
            label="with waits",
            memory=f"the same bytes on chip, {beat} B/cycle each for inputs, weights and outputs",
            mapping="depthwise as one filter over all channels",
            files=files(one_filter, beat),
            untold="maps that stay on chip: inputs are read again for folds of weights, partial "
            "sums go out; reading ahead across layers",
        ),
    ]


def _zigzag(network, config):
    rows, columns = systolic_array(config)
    depthwise = [block.depthwise.name for block in network.blocks]
    ask = functools.partial(
        Question,
        tool="ZigZag",
        package=zigzag.PACKAGE,
        multipliers=config.multipliers,
        slow=True,
        command=("python", "run_zigzag.py", "task.json", "."),
        read=_read(zigzag.read_layers, "layers.json"),
    )

    def files(bits=zigzag.ACCUMULATOR_BITS, **task):
        content = {"workload": zigzag.workload(network, bits), **task}
        return {
            "task.json": (json.dumps(content, indent=1) + "\n").encode(),
            "run_zigzag.py": (_RUNNERS / "run_zigzag.py").read_bytes(),
        }

    stock = {
        "stock": "tpu_like",
        "sizes": [columns, rows],
        "keep_maps": False,
        "bits": zigzag.STOCK_ACCUMULATOR_BITS,
    }
    array = f"{rows} x {columns} in its tpu_like"
    memory = "its own: 2 MiB on chip, 8 B/cycle"
    return [
        ask(
            name="zigzag-own",
            label="our array",
            array=f"{config.outputs} x {config.inputs} x {config.pixels}",
            memory=f"the same bytes on chip, {config.data_bytes} B/cycle each way",
            mapping="lanes as ours; maps stay on chip between layers where they fit",
            untold="fused blocks: what is expanded goes to DRAM and back where it does not fit; "
            "reading ahead across layers; the stem's 27 products on the input lanes",
            files=files(
                accelerator=zigzag.accelerator(config),
                mapping=zigzag.mapping(network, config),
                keep_maps=True,
            ),
        ),
        ask(
            name="zigzag-free",
            label="free depthwise",
            array=array,
            memory=memory,
            mapping="its own, depthwise as its search finds",
            untold="fused blocks, reading ahead across layers: every map goes to DRAM and back, "
            "and nothing hides a layer's first loads",
            files=files(mapping=zigzag.stock_mapping(rows, columns, free=depthwise), **stock),
        ),
        ask(
            name="zigzag-stock",
            label="as it comes",
            array=array,
            memory=memory,
            mapping="its own for every layer",
            untold="fused blocks; depthwise has one channel for each side of the array, so one "
            "multiplier works",
            files=files(mapping=zigzag.stock_mapping(rows, columns), **stock),
        ),
    ]


def _vela(config, model, latency):
    questions = []
    for family, macs in vela.nearest_accelerators(config.multipliers):
        npu = f"ethos-{family}-{macs}"
        ask = functools.partial(
            Question,
            tool="Vela",
            package=vela.PACKAGE,
            array=npu.title(),
            multipliers=macs,
            mapping="its own",
            read=_read(vela.read_reports, "*_per-layer.csv", "*_summary_*.csv"),
        )
        command = (
            "vela",
            "network.tflite",
            "--accelerator-config",
            npu,
            "--output-dir",
            ".",
            "--verbose-performance",
            "--config",
        )
        system, mode = vela.STOCK[family]
        moved = vela.dram_bytes_per_cycle(config, family)
        fixed = (
            "another array: depthwise and 1x1 layers of few channels leave most of its own "
            "idle; reading ahead across layers"
        )
        short = f"{family.upper()}-{macs}"
        questions += [
            ask(
                name=f"vela-{family}-own",
                label=f"{short}, our port",
                untold=fixed,
                memory=f"the same bytes on chip, {moved} B/cycle, {latency} cycles away",
                files={
                    "network.tflite": model,
                    "mnv2.ini": vela.system_text(config, family, latency).encode(),
                },
                command=(
                    *command,
                    "./mnv2.ini",
                    "--system-config",
                    "Mnv2",
                    "--memory-mode",
                    "Mnv2",
                ),
            ),
            ask(
                name=f"vela-{family}",
                label=f"{short}, as it comes",
                untold=fixed,
                memory=f"its {system}, {mode}",
                files={"network.tflite": model},
                command=(
                    *command,
                    "Arm/vela.ini",
                    "--system-config",
                    system,
                    "--memory-mode",
                    mode,
                ),
            ),
        ]
    return questions
