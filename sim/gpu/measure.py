"""All checks of a GPU within a budget of time; one that fails is reported, and the next runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mnv2.golden.quantize import calibrate
from mnv2.sim.gpu.equality import compare_format
from mnv2.sim.gpu.material import FORMATS, Material, load_material
from mnv2.sim.gpu.throughput import (
    describe_device,
    kernel_times,
    measure_batches,
    measure_sweep,
    repeat_pictures,
)
from mnv2.sim.jobs.files import write_json
from mnv2.sim.pictures.images import normalize
from mnv2.sim.sweep.evaluate import Failure, Workload, make_model
from mnv2.sim.sweep.format_options import quantization_options
from mnv2.sim.sweep.grid import DEFAULT_GRIDS, Point, expand_grids

__all__ = ["GpuRequest", "measure_gpu"]

#: Pictures that each format is compared on; golden takes seconds for each at 16 bits.
COMPARED = 2
#: Images a second asked of one H100, and minutes of the sweep.
ASKED_PER_SECOND, ASKED_MINUTES = 30_000, 15
#: Shares of the budget after which a check is left out, by its name.
SHARES = {"equality": 0.55, "throughput": 0.75, "kernels": 0.8, "sweep": 0.95}


@dataclass(frozen=True)
class GpuRequest:
    """A request to measure a GPU.

    Attributes
    ----------
    device : str
        See `mnv2.golden.gpu.device.find_device`.
    budget : float
        Seconds, about.
    data : Path or None
        Folder of `mnv2.sim.gpu.material.pack_material`.
    output : Path or None
        The JSON file of all results; written again after each check.
    sizes : tuple of int
        Pictures that the device runs at a time.
    pictures : int
        For throughput.
    random : (float, int), optional
        Width multiplier and rows of a random network to be measured instead.
    """

    device: str = "cuda"
    budget: float = 210
    data: Path | None = None
    output: Path | None = None
    sizes: tuple[int, ...] = (512, 256, 1024, 2048, 128)
    pictures: int = 8192
    random: tuple[float, int] | None = None


@dataclass(eq=False)
class _Checks:
    """The results so far, and what is left of the time.

    Attributes
    ----------
    results : dict
        Plain values, by check.
    failures : list of str
        Checks that could not be made, or found a fault.
    """

    request: GpuRequest
    say: Callable[[str], None]
    begin: float = field(default_factory=time.perf_counter)
    results: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self.begin

    def late(self, check: str) -> bool:
        """Whether a check has used up its share of the budget."""
        return self.seconds() > SHARES[check] * self.request.budget

    def fail(self, words: str) -> None:
        """Note a failure."""
        self.failures.append(words)
        self.say(f"FAILED {words}")
        self.keep()

    def run(self, name: str, check: Callable[[], None]) -> None:
        """Make a check; what goes wrong in it is a failure of it alone."""
        begin = self.seconds()
        try:
            check()
        except Exception as error:
            self.fail(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[:400]}")
        self.say(f"[{self.seconds():.0f} s] {name} took {self.seconds() - begin:.1f} s")
        self.keep()

    def keep(self) -> None:
        """Write what there is."""
        if self.request.output is not None:
            values = {**self.results, "failures": self.failures, "seconds": self.seconds()}
            write_json(self.request.output, values)


def measure_gpu(request: GpuRequest, say: Callable[[str], None]) -> list[str]:
    """Make every check.

    Parameters
    ----------
    request : GpuRequest
    say : function of str
        Gets a line for each result.

    Returns
    -------
    list of str
        Failures; empty where every tensor is equal and every check was made.

    Raises
    ------
    UserError
        If the data cannot be used.
    DeviceError
        If the device cannot.
    """
    checks = _Checks(request, say)
    checks.results["device"] = describe_device(request.device)
    say(", ".join(f"{name} {value}" for name, value in checks.results["device"].items()))
    material = load_material(request.data, random=request.random)
    say(f"{material.words}, {material.model.network.title}, {len(material.pixels)} pictures")
    checks.results["material"] = material.words
    sweep_points = _sample_points()
    workload = _calibrate(material, [*FORMATS.values(), *sweep_points])
    say(f"[{checks.seconds():.0f} s] calibrated on {len(material.calibration)} pictures")
    many = repeat_pictures(material.pixels, request.pictures)
    normalization = material.model.input_normalization

    def equality() -> None:
        rows = checks.results.setdefault("equality", {})
        for name, point in FORMATS.items():
            if rows and checks.late("equality"):
                checks.fail(f"equality of {name}: no time left")
                continue
            checks.run(f"equality of {name}", partial(one_format, rows, name, point))

    def one_format(rows: dict[str, Any], name: str, point: Point) -> None:
        model = _made(workload, point)
        found = compare_format(
            model, material.pixels[1 : 1 + COMPARED], normalization, request.device
        )
        rows[name] = found.as_dict()
        counted = "" if found.overflows_equal else ", counted otherwise"
        say(
            f"{name}: {found.different:,} of {found.elements:,} elements of {found.tensors} "
            f"tensors differ; {found.overflows:,} overflows{counted}"
        )
        if not found.equal:
            checks.fail(f"{name} differs first in {found.first}")

    def throughput() -> None:
        rows = measure_batches(
            _made(workload, Point()),
            many,
            normalization,
            request.device,
            request.sizes,
            stop=lambda: checks.late("throughput"),
        )
        checks.results["throughput"] = {"asked_per_second": ASKED_PER_SECOND, "rows": rows}
        for row in rows:
            say(
                f"batch {row['batch']}: {row['per_second']:,.0f} images/s from pixels here "
                f"({row['slowest']:,.0f} to {row['fastest']:,.0f}), "
                f"{row['resident_per_second']:,.0f} from pixels there; asked {ASKED_PER_SECOND:,}"
            )

    def kernels() -> None:
        if checks.late("kernels"):
            raise TimeoutError("no time left")
        rows = kernel_times(_made(workload, Point()), many[:512], normalization, request.device)
        checks.results["kernels"] = rows
        for row in rows:
            say(f"  {row['milliseconds']:8.3f} ms {row['calls']:4} {row['kernel']}")

    def sweep() -> None:
        found = measure_sweep(
            workload, many, sweep_points, request.device, stop=lambda: checks.late("sweep")
        )
        checks.results["sweep"] = {"asked_minutes": ASKED_MINUTES, **found}
        say(
            f"sweep, measured on {found['formats_measured']} formats: set-up "
            f"{found['setup_seconds']:.2f} s a format, {found['evaluated_per_second']:,.0f} "
            f"pictures/s with figures, float {found['float_per_second']:,.0f} pictures/s"
        )
        say(
            f"sweep, computed: {found['computed_formats']} formats x "
            f"{found['computed_pictures']:,} pictures in {found['computed_minutes']:.1f} minutes; "
            f"asked {ASKED_MINUTES}"
        )

    for name, check in (
        ("equality", equality),
        ("throughput", throughput),
        ("kernels", kernels),
        ("sweep", sweep),
    ):
        checks.run(name, check)
    say(f"{len(checks.failures)} failures in {checks.seconds():.0f} s")
    return checks.failures


def _sample_points(count: int = 39) -> list[Point]:
    """Every few of the default sweep's formats, the order such that any first part is a mixture."""
    points = expand_grids(DEFAULT_GRIDS)
    chosen = points[:: max(1, len(points) // count)]
    return [point for offset in range(7) for point in chosen[offset::7]]


def _calibrate(material: Material, points: list[Point]) -> Workload:
    """The workload of some formats."""
    model = material.model
    pictures = [normalize(picture, model.input_normalization) for picture in material.calibration]
    options = [quantization_options(point, model.network) for point in points]
    return Workload(model, calibrate(model, pictures, options, model.input_normalization.range()))


def _made(workload: Workload, point: Point) -> Any:
    """The integer network of a format."""
    model = make_model(workload, point)
    if isinstance(model, Failure):
        raise ValueError(model.reason)
    return model
