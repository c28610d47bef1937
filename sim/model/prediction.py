"""The report of a prediction: as that of a run, and marked in every place as predicted."""

import dataclasses
import json

from rich.console import Group
from rich.text import Text

from sim.model.predict import PredictedLayer
from sim.report.files import report_as_dict, write_rows
from sim.report.limits import block_limits, frame_limits
from sim.report.provenance import find_commit
from sim.report.run_report import RunReport
from sim.report.scale_sim import estimate_layers
from sim.report.tables import memory_table, stall_table, time_table

__all__ = ["Prediction", "make_prediction", "prediction_as_dict", "prediction_headline",
           "render_prediction", "write_prediction"]

#: Keys of a run's report that nothing stands behind here.
_MEASURED_ALONE = ("image", "top5", "top5_golden", "top5_float", "frames", "seed", "wall_seconds",
                   "simulated_cycles_per_second", "versions", "timeline", "mismatches")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prediction(RunReport):
    """A whole network, predicted; ``wall_seconds`` is the time that the prediction took."""

    layers: tuple[PredictedLayer, ...]

    predicted = True


def make_prediction(network, layers, config, *, latency, bytes_per_cycle, clock_hz, seconds,
                    model="", commit=None):
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
    commit : str, optional
        Of the project, where it is known.

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
        commit=commit or find_commit(), wall_seconds=seconds,
        scale_sim=estimate_layers(
            (network.stem, *network.blocks, network.head, network.classifier), config))


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
    write_rows(content, folder / "report.csv")


def prediction_headline(prediction):
    """The prediction in one line, which says that it is one."""
    total, clock = prediction.total, prediction.clock_hz
    return (f"predicted, not run: {total.cycles:,} cycles = {total.microseconds(clock) / 1e3:.3f} "
            f"ms at {clock / 1e6:g} MHz, {clock / total.cycles:,.1f} frames/s, "
            f"{total.mac_utilization:.1%} of {prediction.multipliers:,} multipliers, "
            f"{total.dram_bytes:,} bytes of DRAM ({prediction.over_floor:.3f} x floor)")


def render_prediction(prediction):
    """Time, waiting and traffic of each layer.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    rich.console.Group
    """
    bandwidth = prediction.shared_bytes_per_cycle
    return Group(
        Text(prediction_headline(prediction), style="bold"),
        "", time_table(prediction), "", stall_table(prediction), "", memory_table(prediction), "",
        Text(f"predicted in {prediction.wall_seconds * 1e3:.0f} ms for a memory "
             f"{prediction.memory['latency']} cycles away, "
             + (f"{bandwidth} bytes a cycle" if bandwidth else "a beat a cycle each way")
             + f", without pauses; commit {prediction.commit[:12]}", style="dim"),
    )
