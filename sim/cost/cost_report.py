"""Cost of a configuration on devices, as one record: counted, predicted, and mapped by Yosys."""

import csv
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from mnv2.golden.summary import short_repr
from mnv2.hw.config import AcceleratorConfig
from mnv2.sim.cost.clock import Clock, estimate_clock
from mnv2.sim.cost.devices import Device, Use, device_use, family_lacks, fits
from mnv2.sim.cost.energy import Energy, frame_energy
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.memory_use import MemoryUse, memory_use
from mnv2.sim.cost.resources import Resources, estimate_units
from mnv2.sim.cost.synthesised import find_synthesised
from mnv2.sim.cost.unit_cost import Energies
from mnv2.sim.cost.unit_list import GROUPS, group_of
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import write_json
from mnv2.sim.memory.parts import find_part
from mnv2.sim.memory.timing import part_timing
from mnv2.sim.report.provenance import find_commit

__all__ = ["CostReport", "DeviceCost", "cost_as_dict", "make_cost_report", "write_cost_report"]


@dataclass(frozen=True)
class DeviceCost:
    """A configuration on one device.

    Attributes
    ----------
    device : Device
    uses : tuple of Use
        Largest share first; of what is counted for the device's family.
    fits : bool
        Whether no share is above 1.
    clock : Clock
    cycles, dram_bytes : int or None
        Cycles of a program, which computes ``frames`` frames, and bytes of a frame, predicted with
        ``bytes_per_cycle``; None where the network does not fit.
    bytes_per_cycle : int
        Bandwidth that the prediction had; 0 is a beat a cycle each way.
    latency : int
        Latency that it had, in cycles.
    part : str
        The memory's part that it had in place of both; empty if none.
    memory : mnv2.sim.cost.memory_use.MemoryUse or None
        What the network needs of the memory's part and what that gives; None where the network does
        not fit, or the memory is no part.
    frames : int
        Frames that are computed abreast.
    note : str
        What the device cannot do that the configuration counts on; empty if there is nothing.
    """

    __repr__ = short_repr

    device: Device
    uses: tuple[Use, ...]
    fits: bool
    clock: Clock
    cycles: int | None
    dram_bytes: int | None
    bytes_per_cycle: int
    frames: int = 1
    note: str = ""
    latency: int = 100
    part: str = ""
    memory: MemoryUse | None = None

    @property
    def frames_per_second(self):
        """Frames one after another at the clock; None where the network does not fit."""
        return self.frames * self.clock.hz / self.cycles if self.cycles else None

    @property
    def needed_bandwidth(self):
        """External memory traffic at that rate, bytes a second, on average."""
        return self.dram_bytes * self.frames_per_second if self.cycles else None

    @property
    def peak_bandwidth(self):
        """Peak of the memory of the prediction: the board's, or a part's; bytes a second."""
        return find_part(self.part).peak if self.part else self.device.bandwidth

    @property
    def bandwidth_share(self):
        """Needed bandwidth of the memory's peak."""
        return self.needed_bandwidth / self.peak_bandwidth if self.cycles else None


@dataclass(frozen=True)
class CostReport:
    """Cost of a configuration.

    Attributes
    ----------
    config : mnv2.hw.config.AcceleratorConfig
    units : dict of str to dict of str to Resources
        By family and path.
    synthesised : dict of str to dict, or None
        Counts of Yosys for the very configuration, by family.
    devices : tuple of DeviceCost
        In the order of the table; one, if one was asked for.
    energy : Energy or None
        Of a frame, relative, with a memory of a beat a cycle each way; None where the network does
        not fit.
    energies : dict of str to float
        The table that it was made with, joules.
    latency : int
        Of the memory, cycles.
    macs : int
        Multiply-accumulates of the network.
    misfit : str
        Why the network does not run on the accelerator; empty where it does.
    """

    __repr__ = short_repr

    config: AcceleratorConfig
    units: Mapping[str, Mapping[str, Resources]] = field(hash=False)
    synthesised: Mapping[str, Mapping[str, int] | None] = field(hash=False)
    devices: tuple[DeviceCost, ...]
    energy: Energy | None
    energies: Energies = field(hash=False)
    latency: int
    macs: int
    misfit: str = ""

    def total(self, family: str) -> Resources:
        """Resources of the whole accelerator on a family."""
        return sum(self.units[family].values(), Resources())

    def groups(self, family: str) -> dict[str, Resources]:
        """Resources of each of `mnv2.sim.cost.unit_list.GROUPS`."""
        found = dict.fromkeys(GROUPS, Resources())
        for path, resources in self.units[family].items():
            found[group_of(path)] += resources
        return found


def make_cost_report(
    network,
    config,
    devices,
    *,
    latency=100,
    bytes_per_cycle=None,
    part=None,
    clock_hz=None,
    clock_source="given",
    unit_clocks=None,
    energies,
):
    """Count, predict and compare.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    devices : sequence of Device
    latency : int
        Of the memory, cycles.
    bytes_per_cycle : int, optional
        Bandwidth of the memory; default each device's own peak where that is less than a beat a
        cycle each way.
    part : mnv2.sim.memory.parts.Part, optional
        The memory of all devices, in place of latency, bandwidth and the devices' own.
    clock_hz : float, optional
        A clock for all; default `mnv2.sim.cost.clock.estimate_clock` of each device.
    clock_source : str
        Where that clock comes from.
    unit_clocks : dict, optional
        Measured clocks of units of this configuration on ECP5.
    energies : dict of str to float
        As of `mnv2.sim.cost.energy.load_energies`.

    Returns
    -------
    CostReport
        Where the network does not fit into the accelerator, with its resources alone.
    """
    predictions, misfit = {}, ""

    def predict(**memory):
        key = tuple(memory.values())
        if key not in predictions:
            predictions[key] = predict_network(network, config, **memory)
        return predictions[key]

    steady = {"latency": latency, "bytes_per_cycle": 0}
    try:
        predict(**steady)
    except UserError as error:
        misfit = str(error)
    units = {}
    found = []
    for device in devices:
        family = device.family
        if family not in units:
            units[family] = estimate_units(config, family)
        resources = sum(units[family].values(), Resources())
        clock = estimate_clock(
            family,
            clock_hz,
            source=clock_source,
            config=config,
            device=device.name,
            luts=resources.all_luts,
            unit_clocks=unit_clocks,
        )
        share = bytes_per_cycle
        if share is None:
            share = max(int(device.bandwidth / clock.hz), 1)
            share = 0 if share >= 2 * config.data_bytes else share
        if part is not None:
            memory = {"part": part.name, "part_clock_hz": clock.hz}
            away, share = max(part_timing(part, clock.hz).unloaded_cycles, 2), 0
        else:
            memory = {"latency": latency, "bytes_per_cycle": share}
            away = latency
        layers = () if misfit else predict(**memory)
        own = part or (find_part(device.part) if device.part else None)
        found.append(
            DeviceCost(
                device=device,
                uses=device_use(resources, device),
                fits=fits(resources, device),
                clock=clock,
                bytes_per_cycle=share,
                cycles=None if misfit else sum(layer.cycles for layer in layers),
                dram_bytes=None if misfit else _bytes_of_a_frame(layers, config),
                frames=config.frames,
                note=family_lacks(config, family),
                latency=away,
                part=part.name if part else "",
                memory=memory_use(layers, config, own, clock.hz) if layers and own else None,
            )
        )
    return CostReport(
        config=config,
        units=units,
        synthesised={family: find_synthesised(config, family) for family in units},
        devices=tuple(found),
        energies=energies,
        latency=latency,
        macs=network.macs,
        misfit=misfit,
        energy=None
        if misfit
        else frame_energy(predict(**steady), config, energies, network=network),
    )


def _bytes_of_a_frame(layers, config):
    """Bytes of external memory that a program moves for each of its frames, to the byte."""
    return round(sum(layer.dram_bytes for layer in layers) / config.frames)


def cost_as_dict(report):
    """Contents of the report in values that JSON holds; counted ones are named so."""
    return {
        "computed": True,
        "configuration": dataclasses.asdict(report.config),
        "latency_cycles": report.latency,
        "families": {
            family: {
                "title": FAMILIES[family].title,
                "counted": dataclasses.asdict(report.total(family)),
                "yosys": report.synthesised[family],
                "counted_units": {path: dataclasses.asdict(one) for path, one in units.items()},
            }
            for family, units in report.units.items()
        },
        "devices": [_device_as_dict(one) for one in report.devices],
        "misfit": report.misfit,
        "relative_energy_by_operation": dict(report.energy.by_operation) if report.energy else None,
        "relative_energy": report.energy.total if report.energy else None,
        "relative_energies": {
            name: joules / report.energies["multiply_8x8"]
            for name, joules in report.energies.items()
        },
        "commit": find_commit(),
    }


def _device_as_dict(one):
    return {
        "device": one.device.name,
        "title": one.device.title,
        "family": one.device.family,
        "fits": one.fits,
        "binds": one.uses[0].resource,
        "uses": {use.resource: {"used": use.used, "available": use.available} for use in one.uses},
        "clock_hz": one.clock.hz,
        "clock_limited_by": one.clock.limited_by,
        "clock_source": one.clock.source,
        "clock_kind": one.clock.kind,
        "clock_error": one.clock.error,
        "note": one.note,
        "frames_abreast": one.frames,
        "predicted_cycles": one.cycles,
        "predicted_frames_per_second": one.frames_per_second,
        "predicted_dram_bytes": one.dram_bytes,
        "bytes_per_cycle": one.bytes_per_cycle,
        "needed_bandwidth_bytes_per_second": one.needed_bandwidth,
        "peak_bandwidth_bytes_per_second": one.peak_bandwidth,
        "peak_bandwidth_from": find_part(one.part).title if one.part else one.device.bandwidth_from,
        "memory_latency_cycles": one.latency,
        **_memory_as_dict(one.memory),
        "source": one.device.source,
    }


def _memory_as_dict(memory):
    """Bandwidth that the memory's part gives, and its use by bottleneck; nothing without a part."""
    if memory is None:
        return {
            "memory_part": None,
            "memory_part_source": None,
            "memory_controller": None,
            "effective_bandwidth_bytes_per_second": None,
            "bottlenecks": [],
        }
    return {
        "memory_part": memory.part.name,
        "memory_part_source": memory.part.source,
        "memory_controller": memory.part.controller,
        "effective_bandwidth_bytes_per_second": memory.frame.effective,
        "bottlenecks": [
            {
                "name": row.name,
                "needed_bandwidth_bytes_per_second": row.needed,
                "effective_bandwidth_bytes_per_second": row.effective,
                "share": row.share,
            }
            for row in memory.rows
        ],
    }


def write_cost_report(report, folder):
    """Write ``report.json``, and ``report.csv`` with a row for each device, no bottlenecks."""
    content = cost_as_dict(report)
    write_json(folder / "report.json", content)
    rows = []
    for device in content["devices"]:
        uses = device.pop("uses")
        del device["bottlenecks"]
        rows.append(
            {
                **device,
                **{
                    f"{name}, {what}": uses.get(name, {}).get(what, 0)
                    for name in _all_uses(report)
                    for what in ("used", "available")
                },
            }
        )
    with (folder / "report.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _all_uses(report):
    return dict.fromkeys(use.resource for one in report.devices for use in one.uses)
