"""From a point of the space to a design: its costs at once, its times after a prediction.

A prediction depends on the configuration and the memory alone, so workers compute it and the
journal keeps it, as rows of plain numbers. Everything else follows from it here.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnv2.golden.network import Network
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.clock import estimate_clock
from mnv2.sim.cost.devices import Device, device_use, family_lacks
from mnv2.sim.cost.energy import frame_energy
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.cycles.predict import PredictedLayer, predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.explore.accuracy import Arithmetic, FormatAccuracy, arithmetic_of
from mnv2.sim.explore.buffers import BufferSizes
from mnv2.sim.explore.design import Design, design_key
from mnv2.sim.explore.lanes import LaneWarning, lane_use, lane_warnings
from mnv2.sim.explore.objectives import Limit
from mnv2.sim.explore.space import Point
from mnv2.sim.memory.parts import find_part
from mnv2.sim.memory.timing import timing_of
from mnv2.sim.report.quantities import format_quantity

__all__ = ["DEFAULT_FAMILY", "Judge", "Task", "predict_parcel", "predict_rows"]

#: Family whose resources are counted if no device is named: AMD UltraScale+.
DEFAULT_FAMILY = "xcup"


@dataclass(frozen=True)
class Task:
    """A prediction to be made.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    latency, bytes_per_cycle : int
    part : str
    part_clock_hz : float
        See `mnv2.sim.cycles.predict.predict_network`.
    """

    config: AcceleratorConfig
    latency: int
    bytes_per_cycle: int = 0
    part: str = ""
    part_clock_hz: float = 0.0

    @property
    def key(self) -> str:
        """Its name in the journal."""
        configuration = design_key(self.config, 1e6).rsplit(" ", 1)[0]
        if self.part:
            return f"{configuration} {self.part} at {self.part_clock_hz:g} Hz"
        return f"{configuration} latency {self.latency} bandwidth {self.bytes_per_cycle}"


def predict_rows(network: Network, task: Task) -> dict[str, Any]:
    """Make a prediction.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    task : Task

    Returns
    -------
    dict
        ``rows``: for each layer, its cycles of work (pointwise, depthwise), ideal cycles, bytes
        written, then lists of cycles by cause and of bytes read by kind. Or ``failure``: why there
        is none.
    """
    try:
        layers = predict_network(
            network,
            task.config,
            latency=task.latency,
            bytes_per_cycle=task.bytes_per_cycle,
            part=task.part,
            part_clock_hz=task.part_clock_hz,
        )
    except UserError as error:
        return {"failure": str(error)}
    return {
        "rows": [
            [
                layer.pointwise_cycles,
                layer.depthwise_cycles,
                layer.ideal_cycles,
                layer.dram_write_bytes,
                list(layer.stalls.values()),
                list(layer.dram_read_bytes_by_kind.values()),
            ]
            for layer in layers
        ]
    }


def predict_parcel(network: Network, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Make several predictions; see `predict_rows`."""
    return [predict_rows(network, task) for task in tasks]


class Judge:
    """Makes designs of points, and complete ones of their predictions.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    limits : sequence of mnv2.sim.explore.objectives.Limit
    clock_hz : float, optional
        The clock of points that state none; default `mnv2.sim.cost.clock.estimate_clock` of each.
    clock_from : str
        Where that clock comes from.
    latency : int
        Latency of the memory, in cycles.
    device : mnv2.sim.cost.devices.Device, optional
    energies : dict of str to float, optional
        Joules by name; see `mnv2.sim.cost.energy.load_energies`.
    accuracies : dict of (int, int, str) to mnv2.sim.explore.accuracy.FormatAccuracy, optional
        By bits of weights and of activations, and rounding.
    part : str
        Name of the memory's part, in place of latency and of the device's bandwidth; may be empty.
    """

    def __init__(
        self,
        network: Network,
        limits: Sequence[Limit],
        *,
        clock_hz: float | None = None,
        clock_from: str = "given",
        latency: int,
        device: Device | None = None,
        energies: Mapping[str, float] | None = None,
        accuracies: Mapping[Arithmetic, FormatAccuracy] | None = None,
        part: str = "",
    ):
        self.network = network
        self.limits = tuple(limits)
        self.clock_hz = clock_hz
        self.clock_from = clock_from
        self.latency = latency
        self.device = device
        self.energies = energies
        self.accuracies = accuracies
        self.part = part
        self._buffers = BufferSizes(network)
        self._lanes: dict[tuple[int, ...], tuple[int, tuple[LaneWarning, ...]]] = {}
        self._templates: dict[int, Sequence[PredictedLayer]] = {}

    def candidate(self, point: Point) -> Design:
        """A design that is not predicted yet, with the limits that it misses already.

        Frames a second are compared with the ideal cycles of its layers: no prediction is lower.
        By default pairs of products are packed for the multipliers of the device's family.

        Parameters
        ----------
        point : dict of str to (int, float, str or bool)

        Returns
        -------
        mnv2.sim.explore.design.Design

        Raises
        ------
        ValueError
            If there is no such design.
        """
        config = self._buffers.configuration(
            {"operand_bits": FAMILIES[self.family].operand_bits, **point}
        )
        lacking = family_lacks(config, self.family)
        if lacking:
            raise ValueError(lacking)
        resources = estimate_resources(config, self.family)
        clock = estimate_clock(
            self.family,
            point["clock_mhz"] * 1e6 if "clock_mhz" in point else self.clock_hz,
            source="given" if "clock_mhz" in point else self.clock_from,
            config=config,
            device="" if self.device is None else self.device.name,
            luts=resources.all_luts,
        )
        design = Design(
            config=config,
            clock_hz=clock.hz,
            point=dict(point),
            clock_from=clock.source,
            memory=self._memory(clock.hz, 0),
            resources=resources,
        )
        if self.accuracies is not None:
            format_ = self.accuracies.get(arithmetic_of(config))
            if format_ is None:
                raise ValueError(
                    f"the sweep has no format of {config.weight_bits}-bit weights and "
                    f"{config.activation_bits}-bit activations with {config.requantize} rounding "
                    "that the accelerator runs"
                )
            design = dataclasses.replace(
                design, accuracy=format_.share, accuracy_format=format_.name
            )
        if self.device is not None:
            design = dataclasses.replace(design, uses=device_use(design.resources, self.device))
        return dataclasses.replace(design, violations=self._violations(design))

    def complete(self, candidate: Design, rows: list, bytes_per_cycle: int = 0) -> Design:
        """A candidate with its prediction.

        Parameters
        ----------
        candidate : mnv2.sim.explore.design.Design
        rows : list
            See `predict_rows`.
        bytes_per_cycle : int
            Bytes a cycle of the memory that it was predicted with.

        Returns
        -------
        mnv2.sim.explore.design.Design
        """
        layers = self._layers(candidate.config, rows)
        design = dataclasses.replace(
            candidate,
            layers=layers,
            memory=self._memory(candidate.clock_hz, bytes_per_cycle),
            lane_warnings=self._of_lanes(candidate.config)[1],
            notes=self._notes(candidate, bytes_per_cycle),
        )
        if self.energies is not None:
            design = dataclasses.replace(
                design,
                energy=frame_energy(layers, candidate.config, self.energies, network=self.network),
            )
        return dataclasses.replace(design, violations=self._violations(design))

    @property
    def family(self) -> str:
        """Family whose resources are counted."""
        return DEFAULT_FAMILY if self.device is None else self.device.family

    def task(self, design: Design, bytes_per_cycle: int = 0) -> Task:
        """The prediction that a design needs."""
        return Task(design.config, **self._memory(design.clock_hz, bytes_per_cycle))

    @property
    def bandwidth(self) -> float | None:
        """Peak of the memory, bytes a second: that of its part, or of the device; None without."""
        if self.part:
            return find_part(self.part).peak
        return None if self.device is None else self.device.bandwidth

    def _memory(self, clock_hz: float, bytes_per_cycle: int) -> dict[str, Any]:
        """Fields of the memory that a design at a clock is predicted with."""
        if not self.part:
            return {"latency": self.latency, "bytes_per_cycle": bytes_per_cycle}
        return {
            "latency": max(timing_of(self.part, clock_hz).unloaded_cycles, 2),
            "bytes_per_cycle": 0,
            "part": self.part,
            "part_clock_hz": clock_hz,
        }

    def short_bandwidth(self, design: Design) -> int:
        """Bytes a cycle of the device's memory, where a design was not predicted with it but has to
        be: its port reads more in a burst. Else 0.
        """
        if (
            self.device is None
            or self.part
            or design.memory["bytes_per_cycle"]
            or design.peak_bandwidth <= self.device.bandwidth
        ):
            return 0
        return max(1, int(self.device.bandwidth / design.clock_hz))

    def _notes(self, design: Design, bytes_per_cycle: int) -> tuple[str, ...]:
        """Sentences on the memory that a design was predicted with."""
        if not bytes_per_cycle or self.device is None:
            return ()
        peak, there = (
            format_quantity(value, "B/s")
            for value in (design.peak_bandwidth, self.device.bandwidth)
        )
        words = (
            f"its port of {design.config.data_bits} bits reads {peak} in a burst, and the "
            f"device's memory gives {there}: predicted with {bytes_per_cycle} bytes a cycle, "
            "reads and writes together"
        )
        return (words,)

    def _violations(self, design: Design) -> dict[str, float]:
        """Limits that a design misses, as far as they are known, and by how much."""
        found = {}
        for limit in self.limits:
            value = limit.figure.of(design)
            if value is None and limit.name in ("fps", "latency"):
                seconds = self._of_lanes(design.config)[0] / design.clock_hz
                value = seconds if limit.name == "latency" else design.config.frames / seconds
            if value is not None and limit.violation(value):
                found[limit.name] = limit.violation(value)
        over = sum(max(0.0, use.share - 1) for use in design.uses)
        if over:
            found["device"] = over
        if self.bandwidth is not None and design.bandwidth is not None:
            over = design.bandwidth / self.bandwidth - 1
            if over > 0:
                found["device bandwidth"] = over
        return found

    def _of_lanes(self, config: AcceleratorConfig) -> tuple[int, tuple[LaneWarning, ...]]:
        """(ideal cycles of the network, lane warnings) of a configuration's lanes."""
        lanes = config.outputs, config.inputs, config.pixels, config.frames
        if lanes not in self._lanes:
            cycles = sum(cycles for _, cycles, _ in lane_use(self.network, config))
            self._lanes[lanes] = cycles, lane_warnings(self.network, config)
        return self._lanes[lanes]

    def _layers(self, config: AcceleratorConfig, rows: list) -> tuple[PredictedLayer, ...]:
        """Rows of a prediction as layers, completed from the network."""
        if config.frames not in self._templates:
            self._templates[config.frames] = predict_network(
                self.network, config, latency=self.latency
            )
        return tuple(
            dataclasses.replace(
                layer,
                multipliers=config.multipliers,
                cycles=pointwise + depthwise + sum(stalls),
                pointwise_cycles=pointwise,
                depthwise_cycles=depthwise,
                ideal_cycles=ideal,
                dram_write_bytes=written,
                stalls=dict(zip(layer.stalls, stalls, strict=True)),
                dram_read_bytes_by_kind=dict(zip(layer.dram_read_bytes_by_kind, read, strict=True)),
            )
            for layer, (pointwise, depthwise, ideal, written, stalls, read) in zip(
                self._templates[config.frames], rows, strict=True
            )
        )
