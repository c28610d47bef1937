"""Times on a device: pictures a second from pixels to logits, and what a sweep would take."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from mnv2.golden.float_model import FloatModel
from mnv2.golden.gpu.device import find_device, load_float_model
from mnv2.golden.model import QuantizedModel
from mnv2.sim.pictures.pixel_table import float_table, integer_table
from mnv2.sim.sweep.evaluate import (
    Chunk,
    Failure,
    Workload,
    evaluate_chunk,
    make_model,
)
from mnv2.sim.sweep.grid import Point

__all__ = ["describe_device", "kernel_times", "measure_batches", "measure_sweep", "repeat_pictures"]

LOGITS = ("logits_accumulator",)


def describe_device(device: str) -> dict[str, str]:
    """Name of a device, its driver, and versions."""
    import torch

    found = find_device(device)
    described = {"torch": torch.__version__, "numpy": np.__version__, "device": str(found)}
    if found.type == "cuda":
        import subprocess

        described["name"] = torch.cuda.get_device_name(found)
        described["cuda"] = str(torch.version.cuda)
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
            described["driver"] = done.stdout.split()[0]
        except (OSError, subprocess.SubprocessError, IndexError):
            described["driver"] = "unknown"
    return described


def repeat_pictures(pixels: np.ndarray, count: int) -> np.ndarray:
    """At least some pictures enough: the same ones over again, rolled sideways each time."""
    parts = [np.roll(pixels, 3 * turn, axis=2) for turn in range(-(-count // len(pixels)))]
    return np.ascontiguousarray(np.concatenate(parts)[:count])


def measure_batches(
    model: QuantizedModel,
    pixels: np.ndarray,
    normalization: Any,
    device: str,
    sizes: Sequence[int],
    *,
    rounds: int = 5,
    stop: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """Pictures a second from uint8 pixels to logits in this process's memory.

    Parameters
    ----------
    pixels : uint8 [N, H, W, 3]
        All of them are run in each round.
    sizes : sequence of int
        Pictures that the device runs at a time.
    rounds : int
        Timed, after one that is not; their median counts.
    stop : function
        Whether to leave out the sizes that follow.

    Returns
    -------
    list of dict
        ``batch``, ``pictures``, and the median of pictures a second with pixels that come from
        this process (``per_second``, with ``slowest`` and ``fastest``) and with pixels that lie on
        the device already (``resident_per_second``).
    """
    from mnv2.golden.gpu.runner import DeviceRunner

    table, rows = integer_table(model, normalization), []
    for size in sizes:
        if stop():
            break
        runner = DeviceRunner(model, device, group=size)
        rates = _rates(partial(runner.run_pixels, pixels, table, LOGITS), len(pixels), rounds)
        there = runner.upload(pixels)
        resident = _rates(partial(runner.run_pixels, there, table, LOGITS), len(pixels), rounds)
        rows.append(
            {
                "batch": size,
                "pictures": len(pixels),
                "rounds": rounds,
                "per_second": statistics.median(rates),
                "slowest": min(rates),
                "fastest": max(rates),
                "resident_per_second": statistics.median(resident),
            }
        )
    return rows


def _rates(run: Callable[[], Any], pictures: int, rounds: int) -> list[float]:
    """Pictures a second of each round; the first call is not timed."""
    run()
    rates = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        rates.append(pictures / (time.perf_counter() - begin))
    return rates


def kernel_times(
    model: QuantizedModel, pixels: np.ndarray, normalization: Any, device: str, most: int = 14
) -> list[dict[str, Any]]:
    """Time on the device of each kernel in one batch, the slowest first.

    Returns
    -------
    list of dict
        ``kernel``, ``calls``, ``milliseconds``; empty where the device is not a GPU.
    """
    from torch.profiler import ProfilerActivity, profile

    from mnv2.golden.gpu.runner import DeviceRunner

    if find_device(device).type != "cuda":
        return []
    table, runner = integer_table(model, normalization), DeviceRunner(model, device)
    runner.run_pixels(pixels, table, LOGITS)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        runner.run_pixels(pixels, table, LOGITS)
    rows = [
        {
            "kernel": entry.key[:60],
            "calls": entry.count,
            "milliseconds": entry.self_device_time_total / 1000,
        }
        for entry in seen.key_averages()
    ]
    return sorted(rows, key=lambda row: -row["milliseconds"])[:most]


def measure_sweep(
    workload: Workload,
    pixels: np.ndarray,
    points: Sequence[Point],
    device: str,
    *,
    formats: int = 195,
    pictures: int = 50_000,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """The parts of a sweep's time, and what they make of a large one.

    Parameters
    ----------
    points : sequence of Point
        Formats to measure on; as many as there is time for.
    formats, pictures : int
        Of the sweep that is computed from the parts.

    Returns
    -------
    dict
        Measured: seconds to set up a format (``setup_seconds``, mean), pictures a second with
        their figures (``evaluated_per_second``), pictures a second of the float network
        (``float_per_second``), by format in ``rows``. Computed: ``computed_minutes``.
    """
    normalization = workload.model.input_normalization
    table = float_table(normalization)
    network: FloatModel = workload.model
    runner = load_float_model(network, device)
    runner.logits(pixels[:64], table)
    begin = time.perf_counter()
    logits = runner.logits(pixels, table)
    float_rate = len(pixels) / (time.perf_counter() - begin)
    chunk = Chunk(pixels, np.zeros(len(pixels), np.int64), normalization, logits, {})
    rows: list[dict[str, Any]] = []
    for number, point in enumerate(points):
        if number and stop():
            break
        begin = time.perf_counter()
        model = make_model(workload, point)
        if not isinstance(model, Failure):
            model.on_device(device)
        setup = time.perf_counter() - begin
        row: dict[str, Any] = {"format": point.name, "setup_seconds": setup}
        # The first call moves the pictures, and compiles what no earlier format needed.
        for name in ("first_seconds", "seconds"):
            begin = time.perf_counter()
            found = evaluate_chunk(point, model, chunk, device)
            row[name] = time.perf_counter() - begin
            if isinstance(found, Failure):
                row["failure"] = found.reason
        rows.append(row)
    right = [row for row in rows if "failure" not in row]
    setup = statistics.fmean(row["setup_seconds"] for row in right)
    rate = len(pixels) * len(right) / sum(row["seconds"] for row in right)
    seconds = formats * (setup + pictures / rate) + pictures / float_rate
    return {
        "formats_measured": len(right),
        "pictures_measured": len(pixels),
        "setup_seconds": setup,
        "evaluated_per_second": rate,
        "float_per_second": float_rate,
        "computed_formats": formats,
        "computed_pictures": pictures,
        "computed_minutes": seconds / 60,
        "rows": rows,
    }
