"""The report as a dictionary, as JSON for programs and as CSV for spreadsheets."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from mnv2.sim.report.run_report import RankedClassLike, RunReport

__all__ = ["report_as_dict", "write_csv", "write_report", "write_rows"]


def report_as_dict(report: RunReport) -> dict:
    """Everything of a report, in values that JSON can hold.

    Parameters
    ----------
    report : RunReport

    Returns
    -------
    dict
        ``layers``, those among them that are ``bottlenecks``, ``total``, and the configuration,
        memory, versions and commit of the run. Measured figures and computed ones
        (``computed_…``, ``…_floor_…``, ``ideal_…``) have names of their own. Figures of a layer
        are those of all ``frames_abreast``; ``multipliers`` are products a cycle.
    """
    rows = [_row(result, report) for result in report.layers]
    limits = {limit.name: limit for limit in report.block_limits}
    if report.mode == "blocks":
        for row in rows:
            row["computed_fused_dram_bytes"] = limits[row["name"]].fused_bytes
            row["computed_layer_by_layer_dram_bytes"] = limits[row["name"]].layer_by_layer_bytes
    computed = report.scale_sim
    if computed is not None:
        for row in rows:
            row["computed_scale_sim_cycles"] = computed.cycles[row["name"]]
    made_with = {
        "configuration": dict(report.configuration),
        "memory": dict(report.memory),
        "versions": dict(report.versions),
        "commit": report.commit,
    }
    total = report.total
    return {
        "mode": report.mode,
        "image": report.image,
        "model": report.model,
        "preparation": report.preparation,
        **_classes(report.classes),
        "second_picture": _second_picture(report),
        "clock_hz": report.clock_hz,
        "frames_abreast": report.abreast,
        "frames_per_second": report.frames_per_second if report.mode == "network" else None,
        "frames": _frames(report.frames, report.clock_hz),
        "multipliers": report.multipliers,
        "products_per_cycle": report.multipliers,
        "macs_per_cycle": total.macs_per_cycle,
        "on_chip_bytes": report.on_chip_bytes,
        "on_chip_bytes_by_buffer": dict(report.buffer_bytes),
        "dram_bytes": total.dram_bytes,
        "dram_bytes_per_frame": report.dram_bytes_per_frame if report.mode == "network" else None,
        "dram_floor_bytes": report.limits.floor_bytes,
        "dram_bytes_over_floor": report.over_floor,
        "computed_fused_dram_bytes": report.limits.fused_bytes,
        "computed_layer_by_layer_dram_bytes": report.limits.layer_by_layer_bytes,
        "relative_energy": sum(report.energy.values()) if report.energy else None,
        "relative_energy_by_operation": dict(report.energy) if report.energy else None,
        "computed_scale_sim_array": None if computed is None else list(computed.array),
        "seed": report.seed,
        "wall_seconds": report.wall_seconds,
        "simulated_cycles_per_second": report.simulated_cycles_per_second,
        **made_with,
        "layers": rows,
        "bottlenecks": [row for row in rows if row["kind"] == "block"],
        # The total repeats the configuration and versions, for readers of the total alone.
        "total": {
            "name": "total",
            **_measured(total, report),
            **({} if computed is None else {"computed_scale_sim_cycles": computed.total_cycles}),
            **made_with,
        },
        "timeline": _timeline(report.timeline),
    }


def write_report(report: RunReport, path: Path) -> None:
    """Write the report as JSON, with a newline at the end."""
    content = report_as_dict(report)
    timeline = content.pop("timeline")
    text = json.dumps(content, indent=2)
    if timeline is not None:
        # One line for each step, not for each number.
        steps = ",\n      ".join(map(json.dumps, timeline.pop("steps")))
        head = json.dumps({"timeline": {**timeline, "steps": []}}, indent=2)
        text = text[:-2] + "," + head[1:].replace("[]", f"[\n      {steps}\n    ]")
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(report: RunReport, path: Path) -> None:
    """Write one row for each layer, and their total; nested figures get columns of their own.

    Columns are named like the keys of the JSON, ``stalls.weights`` for a nested one; shapes are
    written as ``112x112x32``.
    """
    write_rows(report_as_dict(report), path)


def write_rows(content: dict, path: Path) -> None:
    """Write the layers of a report's JSON and their total as `write_csv` does."""
    total = {key: value for key, value in content["total"].items() if key in content["layers"][0]}
    rows = [_flatten(row) for row in (*content["layers"], total)]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _row(result, report):
    """Figures of a layer."""
    return {
        "name": result.name,
        "kind": result.kind,
        "input_shape": list(result.input_shape),
        "output_shape": list(result.output_shape),
        "stride": result.stride,
        "residual": result.residual,
        **_measured(result, report),
    }


def _classes(rankings):
    """The five likeliest classes of the RTL, golden and float; none where no class came out."""
    tops: dict[str, Sequence[RankedClassLike]] = {"top5": (), "top5_golden": (), "top5_float": ()}
    if rankings is not None:
        tops = {
            "top5": rankings.rtl_top,
            "top5_golden": rankings.golden_top,
            "top5_float": rankings.float_top,
        }
    return {
        key: [
            {
                "class": one.index,
                "name": one.name,
                "logit": one.logit,
                "probability": one.probability,
            }
            for one in top
        ]
        for key, top in tops.items()
    }


def _second_picture(report):
    """The other picture of two that were computed abreast, and its likeliest classes."""
    if not report.second_image:
        return None
    return {"image": report.second_image, **_classes(report.second_classes)}


def _frames(frames, clock_hz):
    """Figures of several back-to-back frames."""
    if frames is None:
        return None
    return {
        "count": frames.count,
        "abreast": frames.abreast,
        "end_cycles": list(frames.ends),
        "interval_cycles": frames.interval_cycles,
        "frames_per_second": frames.frames_per_second(clock_hz),
        "mac_utilization": frames.mac_utilization,
        "dram_bytes_per_frame": frames.dram_bytes_per_frame,
    }


def _timeline(timeline):
    """The frame in time, as columns by name."""
    if timeline is None:
        return None
    return {
        "step_cycles": timeline.step_cycles,
        "columns": ["pointwise_cycles", "depthwise_cycles", "beats_read", "beats_written"],
        "steps": [list(step) for step in timeline.steps],
    }


def _measured(result, report):
    """Figures that a layer and the total both have."""
    clock_hz = report.clock_hz
    return {
        "macs": result.macs,
        "multipliers": result.multipliers,
        "cycles": result.cycles,
        "ideal_cycles": result.ideal_cycles,
        "cycles_over_ideal": result.over_ideal,
        "bound_cycles": report.bound_cycles(result),
        "cycles_over_bound": report.over_bound(result),
        "busy_cycles": result.busy_cycles,
        "pointwise_cycles": result.pointwise_cycles,
        "depthwise_cycles": result.depthwise_cycles,
        "stalls": dict(result.stalls),
        "bound": result.bound,
        "bound_share": result.bound_share,
        "worst_wait": result.largest_stall[0],
        "worst_wait_share": result.largest_stall_share,
        "mac_utilization": result.mac_utilization,
        "macs_per_cycle": result.macs_per_cycle,
        "dram_read_bytes": result.dram_read_bytes,
        "dram_read_bytes_by_kind": dict(result.dram_read_bytes_by_kind),
        "dram_write_bytes": result.dram_write_bytes,
        "dram_bytes": result.dram_bytes,
        "bytes_per_cycle": result.bytes_per_cycle,
        "gigabytes_per_second": result.gigabytes_per_second(clock_hz),
        "microseconds": result.microseconds(clock_hz),
        "mismatches": result.mismatches,
    }


def _flatten(row):
    """A row of plain values: dictionaries by dotted names, shapes as text."""
    flat = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{name}": item for name, item in value.items()})
        elif isinstance(value, list):
            flat[key] = "x".join(map(str, value))
        else:
            flat[key] = value
    return flat
