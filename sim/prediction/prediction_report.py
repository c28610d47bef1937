"""The report of a prediction: the same as of a run, marked as predicted in every place."""

import dataclasses

from rich.console import Group, RenderableType
from rich.text import Text

from mnv2.sim.cost.energy import frame_energy, load_energies
from mnv2.sim.cycles.predict import PredictedFrames, PredictedLayer
from mnv2.sim.jobs.files import write_json
from mnv2.sim.memory.timing import shared_bytes_per_cycle
from mnv2.sim.memory.words import memory_words
from mnv2.sim.prediction.distribution import Spreads
from mnv2.sim.prediction.figures import figures
from mnv2.sim.prediction.frames import render_frame_rows
from mnv2.sim.prediction.seeds import render_spreads, spread_records
from mnv2.sim.report.limits import block_limits, frame_limits
from mnv2.sim.report.names import if_several
from mnv2.sim.report.provenance import find_commit
from mnv2.sim.report.run_files import report_as_dict, write_rows
from mnv2.sim.report.run_report import FrameSequence, RunReport
from mnv2.sim.report.run_tables import (
    figures_line,
    frames_line,
    memory_table,
    rounding_note,
    stall_table,
    time_table,
)
from mnv2.sim.report.systolic_formula import estimate_layers

__all__ = [
    "Prediction",
    "make_prediction",
    "prediction_as_dict",
    "prediction_headline",
    "render_prediction",
    "write_prediction",
]

#: Keys of a run's report that a prediction has no figures for.
_MEASURED_ALONE = (
    "image",
    "second_picture",
    "top5",
    "top5_golden",
    "top5_float",
    "wall_seconds",
    "simulated_cycles_per_second",
    "versions",
    "timeline",
    "mismatches",
)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Prediction(RunReport):
    """A whole network, predicted; ``wall_seconds`` is the time that the prediction took.

    Attributes
    ----------
    sequence : mnv2.sim.cycles.predict.PredictedFrames, optional
        Several frames, or pairs abreast, whose ends are in ``frames`` too.
    spreads : dict of str to dict of str to mnv2.sim.prediction.distribution.Spread, optional
        Where the memory pauses: of many seeds, see
        `mnv2.sim.prediction.distribution.column_spreads`. The layers are those of ``seed``.
    """

    layers: tuple[PredictedLayer, ...]
    sequence: PredictedFrames | None = None
    spreads: Spreads | None = dataclasses.field(default=None, hash=False)

    predicted = True


def make_prediction(
    network,
    layers,
    config,
    *,
    latency,
    bytes_per_cycle,
    clock_hz,
    seconds,
    model="",
    stall_percent=0,
    seed=1,
    part="",
    part_clock_hz=0.0,
    sequence=None,
    spreads=None,
    commit=None,
    energies=None,
):
    """Make the prediction of a network.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    layers : tuple of PredictedLayer
        See `mnv2.sim.cycles.predict.predict_network`.
    config : mnv2.hw.config.AcceleratorConfig
    latency, bytes_per_cycle, stall_percent, seed : int
        Of the memory.
    part : str
        Name of the memory's part, if it is one, and ``part_clock_hz`` the clock that it was
        predicted at.
    clock_hz : float
        Clock that times are stated at.
    seconds : float
        That the prediction took.
    model : str
        Path of the model's file, if it came from one.
    sequence, spreads
        See `Prediction`.
    commit : str, optional
        Of the project, where it is known.
    energies : dict of str to float, optional
        Joules of an operation, see `mnv2.sim.cost.energy.load_energies`, whose default is taken.

    Returns
    -------
    Prediction
    """
    frames = None
    if sequence:
        rows = [row for frame in sequence.layers for row in frame]
        frames = FrameSequence(
            ends=sequence.ends,
            macs=config.frames * network.macs,
            multipliers=config.multipliers,
            dram_bytes=sum(row.dram_bytes for row in rows),
            abreast=config.frames,
        )
    return Prediction(
        mode="network",
        image="",
        model=model,
        layers=layers,
        block_limits=tuple(block_limits(block, config.frames) for block in network.blocks),
        limits=frame_limits(network, config.frames),
        configuration=dataclasses.asdict(config),
        memory={
            "latency": latency,
            "bytes_per_cycle": bytes_per_cycle,
            "stall_percent": stall_percent,
            "seed": seed,
            "part": part,
            "part_clock_hz": part_clock_hz,
        },
        buffer_bytes=config.buffer_bytes,
        port_bytes=config.data_bytes,
        shared_bytes_per_cycle=shared_bytes_per_cycle(bytes_per_cycle, part, part_clock_hz),
        clock_hz=clock_hz,
        seed=seed,
        versions={},
        commit=commit or find_commit(),
        wall_seconds=seconds,
        frames=frames,
        sequence=sequence,
        spreads=spreads,
        scale_sim=estimate_layers(network.rows, config),
        energy=frame_energy(
            layers, config, energies or load_energies(), network=network
        ).by_operation,
    )


def prediction_as_dict(prediction):
    """Everything in the prediction, in a form that JSON knows, ``predicted`` in every row."""

    def marked(row):
        return {
            "predicted": True,
            **{key: value for key, value in row.items() if key not in _MEASURED_ALONE},
        }

    content = marked(report_as_dict(prediction))
    content["prediction_seconds"] = prediction.wall_seconds
    for name in ("layers", "bottlenecks"):
        content[name] = list(map(marked, content[name]))
    content["total"] = marked(content["total"])
    if prediction.frames:
        content["frames"]["layers"] = [
            [
                {
                    "predicted": True,
                    "name": row.name,
                    **{name.replace(" ", "_"): value for name, value in figures(row).items()},
                }
                for row in frame
            ]
            for frame in prediction.sequence.layers
        ]
    if prediction.spreads:
        content["spreads"] = spread_records(prediction.spreads)
    return content


def write_prediction(prediction, folder):
    """Write ``report.json`` and ``report.csv``, whose columns are named like the JSON's keys."""
    content = prediction_as_dict(prediction)
    write_json(folder / "report.json", content)
    write_rows(content, folder / "report.csv")


def prediction_headline(prediction):
    """The prediction in one line, which says that it is one."""
    frames = if_several(prediction.abreast, "{}, ")
    return f"predicted, not run: {frames}{figures_line(prediction)}{rounding_note(prediction)}"


def render_prediction(prediction):
    """Time, waiting and traffic of each layer; the main figures stand last.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    rich.console.Group
    """
    notes: list[RenderableType] = []
    more: list[RenderableType] = []
    if prediction.frames:
        notes.append(Text(f"predicted, not run: {frames_line(prediction)}"))
        more += ["", render_frame_rows(prediction.sequence, prediction.abreast)]
    pauses = "without pauses"
    if stalls := prediction.memory["stall_percent"]:
        pauses = f"each channel pausing in {stalls} % of the cycles, seed {prediction.seed}"
    if prediction.spreads:
        cycles = prediction.spreads["total"]["cycles"]
        notes.append(
            Text(
                f"predicted, not run: {cycles.mean:,.0f} ± {cycles.deviation:,.0f} cycles over "
                f"{cycles.count} seeds, 90 % of them {cycles.low:,.0f} to {cycles.high:,.0f}"
            )
        )
        more += [
            "",
            render_spreads(
                prediction.spreads, f"Cycles predicted over {cycles.count} seeds of the pauses"
            ),
        ]
    return Group(
        time_table(prediction),
        "",
        stall_table(prediction),
        "",
        memory_table(prediction),
        *more,
        "",
        Text(
            f"predicted in {prediction.wall_seconds * 1e3:.0f} ms for "
            f"{memory_words(prediction.memory)}, {pauses}; commit {prediction.commit[:12]}",
            style="dim",
        ),
        "",
        *notes,
        Text(prediction_headline(prediction), style="bold"),
    )
