"""The report of a prediction: as that of a run, and marked in every place as predicted."""

import csv
import dataclasses
import json

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from sim.model.predict import PredictedLayer
from sim.report.files import report_as_dict
from sim.report.labels import words
from sim.report.limits import block_limits, frame_limits
from sim.report.provenance import find_commit
from sim.report.run_report import RunReport

__all__ = ["Prediction", "make_prediction", "prediction_as_dict", "render_prediction",
           "write_prediction"]

#: Keys of a run's report that nothing stands behind here.
_MEASURED_ALONE = ("image", "top5", "top5_golden", "top5_float", "frames", "seed", "wall_seconds",
                   "simulated_cycles_per_second", "versions", "timeline", "mismatches")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prediction(RunReport):
    """A whole network, predicted; ``wall_seconds`` is the time that the prediction took."""

    layers: tuple[PredictedLayer, ...]


def make_prediction(network, layers, config, *, latency, bytes_per_cycle, clock_hz, seconds,
                    model=""):
    """Prediction of a network.

    Parameters
    ----------
    network : golden.network.Network
    layers : tuple of PredictedLayer
        See `sim.model.predict.predict_network`.
    config : hw.config.AcceleratorConfig
    latency, bytes_per_cycle : int
        Of the memory.
    clock_hz : float
        Clock that times are stated at.
    seconds : float
        That the prediction took.
    model : str
        Path of the model's file, if it came from one.

    Returns
    -------
    Prediction
    """
    return Prediction(
        mode="network", image="", model=model, layers=layers,
        block_limits=tuple(map(block_limits, network.blocks)), limits=frame_limits(network),
        configuration=dataclasses.asdict(config),
        memory={"latency": latency, "bytes_per_cycle": bytes_per_cycle, "stall_percent": 0},
        buffer_bytes=config.buffer_bytes, port_bytes=config.data_bytes,
        shared_bytes_per_cycle=bytes_per_cycle, clock_hz=clock_hz, seed=0, versions={},
        commit=find_commit(), wall_seconds=seconds)


def prediction_as_dict(prediction):
    """Everything in the prediction, in a form that JSON knows, ``predicted`` in every row."""
    def marked(row):
        return {"predicted": True,
                **{key: value for key, value in row.items() if key not in _MEASURED_ALONE}}

    content = marked(report_as_dict(prediction))
    content["prediction_seconds"] = prediction.wall_seconds
    for name in ("layers", "bottlenecks"):
        content[name] = list(map(marked, content[name]))
    content["total"] = marked(content["total"])
    return content


def write_prediction(prediction, folder):
    """Write ``report.json`` and ``report.csv``, whose columns are named like the JSON's keys."""
    content = prediction_as_dict(prediction)
    text = json.dumps(content, indent=2) + "\n"
    (folder / "report.json").write_text(text, encoding="utf-8")
    total = {key: value for key, value in content["total"].items() if key in content["layers"][0]}
    rows  = [_flatten(row) for row in (*content["layers"], total)]
    with (folder / "report.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)


def _flatten(row):
    """A row of plain values: ``stalls.weights`` for a nested one, shapes as ``112x112x32``."""
    flat = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = "x".join(map(str, value)) if isinstance(value, list) else value
    return flat


def new_table(title, *columns):
    """A table whose first column is text."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold",
                  box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0),
                  caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def render_prediction(prediction):
    """Time, waiting and traffic of each layer.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    rich.console.Group
    """
    total, clock = prediction.total, prediction.clock_hz
    bandwidth = prediction.shared_bytes_per_cycle
    return Group(
        Text(f"predicted, not run: {total.cycles:,} cycles = {total.microseconds(clock) / 1e3:.3f} "
             f"ms at {clock / 1e6:g} MHz, {clock / total.cycles:,.1f} frames/s, "
             f"{total.mac_utilization:.1%} of {prediction.multipliers:,} multipliers, "
             f"{total.dram_bytes:,} bytes of DRAM ({prediction.over_floor:.3f} x floor)",
             style="bold"),
        "", _time_table(prediction), "", _wait_table(prediction), "", _memory_table(prediction), "",
        Text(f"predicted in {prediction.wall_seconds * 1e3:.0f} ms for a memory "
             f"{prediction.memory['latency']} cycles away, "
             + (f"{bandwidth} bytes a cycle" if bandwidth else "a beat a cycle each way")
             + f", without pauses; commit {prediction.commit[:12]}", style="dim"),
    )


def _rows(prediction, table):
    yield from prediction.layers
    table.add_section()
    yield prediction.total


def _style(result):
    return "bold" if result.name == "total" else None


def _time_table(prediction):
    table = new_table(
        f"Layers, predicted: {prediction.multipliers:,} multipliers, "
        f"{prediction.on_chip_bytes:,} bytes on chip, {prediction.clock_hz / 1e6:g} MHz",
        "layer", "output", "s", "MACs", "predicted\ncycles", "ideal", "cycles/\nbound*",
        "MAC\nutil.", "µs")
    for result in _rows(prediction, table):
        layer = result.name != "total"
        table.add_row(
            result.name, "x".join(map(str, result.output_shape)) if layer else "",
            f"{result.stride} {'+' if result.residual else ' '}" if layer else "",
            f"{result.macs:,}", f"{result.cycles:,}", f"{result.ideal_cycles:,}",
            f"{prediction.over_bound(result):.3f}", f"{result.mac_utilization:.1%}",
            f"{result.microseconds(prediction.clock_hz):,.1f}", style=_style(result))
    table.caption = ("s: stride, +: residual; ideal: computed from the tiles, if nothing waits\n"
                     "* the ideal, or the cycles of the bytes moved meanwhile, whichever is more; "
                     "head: and pool")
    return table


def _wait_table(prediction):
    causes = prediction.stall_causes
    table = new_table(
        "Cycles, predicted: the array works, or waits for …", "layer", "point-\nwise",
        "depth-\nwise", *(words(cause).replace(" ", "\n") for cause in causes), "waits",
        "bound by")
    for result in _rows(prediction, table):
        table.add_row(
            result.name, f"{result.pointwise_cycles:,}", f"{result.depthwise_cycles:,}",
            *(f"{result.stalls[cause]:,}" for cause in causes), f"{1 - result.busy_share:.1%}",
            f"{words(result.bound)} {result.bound_share:.1%}", style=_style(result))
    table.caption = "bound by: what takes most cycles, the array's work or one cause"
    return table


def _memory_table(prediction):
    kinds = prediction.read_kinds
    table = new_table(
        "External memory, bytes, predicted", "layer", *(f"read\n{kind}" for kind in kinds),
        "written", "together", "B/cycle", "GB/s")
    for result in _rows(prediction, table):
        read = result.dram_read_bytes_by_kind
        table.add_row(
            result.name, *(f"{read[kind]:,}" for kind in kinds), f"{result.dram_write_bytes:,}",
            f"{result.dram_bytes:,}", f"{result.bytes_per_cycle:.2f}",
            f"{result.gigabytes_per_second(prediction.clock_hz):.2f}", style=_style(result))
    limits = prediction.limits
    table.caption = (
        "a byte counts for the layer that runs while it is read, often ahead of its use;\n"
        f"computed: floor {limits.floor_bytes:,} (image, logits, every weight and parameter once),"
        f"\nlayer by layer {limits.layer_by_layer_bytes:,}")
    return table
