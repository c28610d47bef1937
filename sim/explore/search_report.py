"""`report.json` of a search: its request, its versions, and everything of its front."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnv2.sim.cycles.predict import PredictedLayer
from mnv2.sim.explore.design import Design
from mnv2.sim.explore.lanes import warning_words
from mnv2.sim.explore.place_designs import Placing
from mnv2.sim.explore.prove import Proof
from mnv2.sim.explore.search_results import SearchResults
from mnv2.sim.explore.search_tables import clock_words, headline
from mnv2.sim.jobs.files import write_json
from mnv2.sim.report.provenance import find_commit, package_versions

__all__ = ["design_as_dict", "search_as_dict", "write_report"]

PACKAGES = ("mnv2", "numpy", "optuna", "dask", "distributed", "pandas", "pyarrow")


def design_as_dict(design: Design) -> dict[str, Any]:
    """Everything of a design in values that JSON holds; figures in SI units without prefix.

    Cycles, waits and bytes are those of all frames abreast, where nothing else is said.

    Parameters
    ----------
    design : mnv2.sim.explore.design.Design

    Returns
    -------
    dict
    """
    total = design.total
    return {
        "name": design.name,
        "number": design.number,
        "key": design.key,
        "command": design.command,
        "configuration": dataclasses.asdict(design.config),
        "point": dict(design.point),
        "clock_hz": design.clock_hz,
        "clock_from": design.clock_from,
        "memory": dict(design.memory),
        "multipliers": design.config.multipliers,
        "buffer_bytes": design.config.buffer_bytes,
        "on_chip_bytes": design.config.on_chip_bytes,
        "resources": dataclasses.asdict(design.resources),
        "uses": [
            {
                "resource": use.resource,
                "used": use.used,
                "available": use.available,
                "share": use.share,
            }
            for use in design.uses
        ],
        "accuracy": design.accuracy,
        "accuracy_format": design.accuracy_format or None,
        "violations": dict(design.violations),
        "notes": list(design.notes),
        "lane_warnings": [dataclasses.asdict(warning) for warning in design.lane_warnings],
        "lane_warnings_in_words": warning_words(design.lane_warnings),
        "predicted": None
        if total is None
        else {
            "cycles": total.cycles,
            "ideal_cycles": total.ideal_cycles,
            "frames_per_second": design.frames_per_second,
            "latency_seconds": design.latency_seconds,
            "mac_utilization": total.mac_utilization,
            "bound": total.bound,
            "bound_share": total.bound_share,
            "worst_wait": total.largest_stall[0],
            "worst_wait_share": total.largest_stall_share,
            "stalls": dict(total.stalls),
            "dram_bytes": total.dram_bytes,
            "dram_read_bytes_by_kind": dict(total.dram_read_bytes_by_kind),
            "dram_write_bytes": total.dram_write_bytes,
            "dram_bytes_of_a_frame": design.dram_bytes,
            "bandwidth_bytes_per_second": design.bandwidth,
            "peak_bandwidth_bytes_per_second": design.peak_bandwidth,
            "relative_energy": design.energy.total if design.energy else None,
            "relative_energy_by_operation": dict(design.energy.by_operation)
            if design.energy
            else None,
            "layers": [_layer(layer) for layer in design.layers],
        },
    }


def _layer(layer: PredictedLayer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "macs": layer.macs,
        "cycles": layer.cycles,
        "ideal_cycles": layer.ideal_cycles,
        "pointwise_cycles": layer.pointwise_cycles,
        "depthwise_cycles": layer.depthwise_cycles,
        "stalls": dict(layer.stalls),
        "bound": layer.bound,
        "worst_wait": layer.largest_stall[0],
        "worst_wait_share": layer.largest_stall_share,
        "mac_utilization": layer.mac_utilization,
        "dram_read_bytes_by_kind": dict(layer.dram_read_bytes_by_kind),
        "dram_write_bytes": layer.dram_write_bytes,
    }


def search_as_dict(
    results: SearchResults, proofs: Sequence[Proof] = (), placings: Sequence[Placing] = ()
) -> dict[str, Any]:
    """Everything of a search in values that JSON holds.

    Parameters
    ----------
    results : mnv2.sim.explore.search_results.SearchResults
    proofs : sequence of mnv2.sim.explore.prove.Proof
    placings : sequence of mnv2.sim.explore.place_designs.Placing

    Returns
    -------
    dict
        ``configuration``; ``objectives`` and ``limits``; ``device``; ``front``, whose designs have
        their layers; ``sensitivity`` of the balanced one; ``proofs``, predicted and measured;
        ``placed``, clocks estimated and routed.
        All other designs are in designs.csv.
    """
    prepared = results.prepared
    judge = prepared.judge
    return {
        "mode": "explore",
        "headline": headline(results),
        "configuration": prepared.configuration,
        "method": results.method,
        "counts": {
            "looked_at": len(results.designs),
            "predicted": len(results.predicted),
            "front": len(results.front),
            "failed": len(results.failures),
            "no_design": sum(results.refused.values()),
        },
        "objectives": [
            {"name": figure.name, "words": figure.words, "unit": figure.unit, "best": figure.best}
            for figure in prepared.objectives
        ],
        "limits": [
            {"name": limit.name, "bound": limit.bound, "words": limit.words}
            for limit in judge.limits
        ],
        "device": None if judge.device is None else dataclasses.asdict(judge.device),
        "family": judge.family,
        "clock": clock_words(results),
        "seed": prepared.request.seed,
        "versions": package_versions(PACKAGES),
        "commit": find_commit(),
        "balanced": results.balanced.name if results.balanced else None,
        "front": [design_as_dict(design) for design in results.front],
        "axis_ends": [dataclasses.asdict(end) for end in results.axis_ends],
        "sensitivity": _sensitivity(results),
        "proofs": [dataclasses.asdict(proof) for proof in proofs],
        "placed": [dataclasses.asdict(placing) for placing in placings],
    }


def _sensitivity(results: SearchResults) -> dict[str, Any] | None:
    """Objectives of the balanced design and of each single change of it."""
    if results.sensitivity is None or results.balanced is None:
        return None

    def objectives(design: Design) -> dict[str, float | None]:
        return {figure.name: figure.of(design) for figure in results.prepared.objectives}

    return {
        "base": {"name": results.balanced.name, "objectives": objectives(results.sensitivity.base)},
        "changes": [
            {
                "axis": change.axis,
                "value": change.value,
                "objectives": objectives(change.design),
                "misses": list(change.design.violations),
            }
            for change in results.sensitivity.changes
        ],
    }


def write_report(
    results: SearchResults,
    path: Path,
    proofs: Sequence[Proof] = (),
    placings: Sequence[Placing] = (),
) -> None:
    """Write the report as JSON, with a newline at the end."""
    write_json(path, search_as_dict(results, proofs, placings), allow_nan=False)
