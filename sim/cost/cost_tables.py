"""The cost of a configuration on the terminal."""

from rich.console import Group
from rich.text import Text

from mnv2.sim.cost.devices import Device
from mnv2.sim.cost.energy import energy_per_operation
from mnv2.sim.cost.families import FAMILIES
from mnv2.sim.cost.unit_list import OPERATIONS
from mnv2.sim.memory.words import memory_words
from mnv2.sim.report.names import name_frames
from mnv2.sim.report.wide_table import new_table

__all__ = ["clock_words", "render_cost_report"]

#: Columns of the tables of resources, and what of `Resources` is in each.
COLUMNS = {
    "DSPs": "dsp",
    "block RAM,\n36 kbit": "block_ram_36k",
    "block RAM,\n18 kbit": "block_ram_18k",
    "block RAM,\n4 kbit": "block_ram_4k",
    "UltraRAM": "ultra_ram",
    "LUTs": "luts",
    "LUTs as\nmemory": "memory_luts",
    "flip-flops": "flip_flops",
}


def render_cost_report(report):
    """Resources by group, use of the devices, clock and rate, energy; the verdict stands last.

    Parameters
    ----------
    report : mnv2.sim.cost.cost_report.CostReport

    Returns
    -------
    rich.console.Group
    """
    parts = []
    if len(report.devices) == 1:
        parts += [resource_table(report), ""]
        (family,) = report.units
        if report.synthesised[family] is not None:
            parts += [yosys_table(report), ""]
        parts += [use_table(report), ""]
        if report.devices[0].memory:
            parts += [bandwidth_table(report), ""]
    else:
        parts += [devices_table(report), ""]
    if report.energy:
        parts += [energy_table(report), ""]
    if report.misfit:
        parts += [Text(f"The network does not run on this accelerator: {report.misfit}"), ""]
    parts.append(_headline(report) if len(report.devices) == 1 else _closing())
    return Group(*parts)


def _headline(report):
    one = report.devices[0]
    uses = one.uses[0]
    verdict = "fits" if one.fits else "does not fit"
    return Text(
        f"computed: {verdict} {one.device.title}, bound by {uses.resource} "
        f"({_share(uses.share)})"
        + (
            ""
            if report.misfit
            else f"; {one.frames_per_second:,.1f} frames/s at {one.clock.hz / 1e6:g} MHz, "
            f"relative energy {report.energy.total:.2f}"
        ),
        style="bold",
    )


def resource_table(report):
    """Resources of each group of units on the device's family."""
    (family,) = report.units
    total = report.total(family)
    columns = {
        title: name
        for title, name in COLUMNS.items()
        if getattr(total, name) or name in ("dsp", "luts")
    }
    table = new_table(f"Resources, counted for {FAMILIES[family].title}", "unit", *columns)
    for group, resources in report.groups(family).items():
        table.add_row(group, *(f"{getattr(resources, name):,}" for name in columns.values()))
    table.add_section()
    table.add_row(
        "counted", *(f"{getattr(total, name):,}" for name in columns.values()), style="bold"
    )
    notes = ["DSPs and memories exact, LUTs and flip-flops fitted to runs of Yosys"]
    if report.synthesised[family] is None:
        notes.append("This exact configuration was not mapped by Yosys")
    if FAMILIES[family].calibrated_as != family:
        notes.append(
            f"LUTs and flip-flops are those of {FAMILIES[FAMILIES[family].calibrated_as].title}, "
            f"not fitted for this family"
        )
    table.caption = ";\n".join(notes)
    return table


def yosys_table(report):
    """Counts here compared with those of Yosys for this very configuration, by resource."""
    (family,) = report.units
    total, yosys = report.total(family), report.synthesised[family]
    table = new_table(
        f"The same configuration, mapped by Yosys for {FAMILIES[family].title}",
        "resource",
        "counted\nhere",
        "mapped\nby Yosys",
        "diffe-\nrence",
    )
    for title, name in COLUMNS.items():
        counted, mapped = getattr(total, name), yosys.get(name, 0)
        if counted or mapped:
            off = f"{counted / mapped - 1:+.1%}" if mapped else f"{counted:+,}"
            table.add_row(
                title.replace("\n", " "),
                f"{counted:,}",
                f"{mapped:,}",
                off if counted != mapped else "0",
            )
    return table


def use_table(report):
    """Use of each resource of the device, its memory, and the clock."""
    one = report.devices[0]
    table = new_table(f"{one.device.title}", "resource", "used", "available", "share")
    for use in one.uses:
        table.add_row(use.resource, f"{use.used:,}", f"{use.available:,}", _share(use.share))
    if one.memory:
        frame = one.memory.frame
        table.add_row(
            "memory, effective, GB/s",
            f"{frame.needed / 1e9:.2f}",
            f"{frame.effective / 1e9:.2f}",
            _share(frame.share),
        )
    if one.cycles:
        table.add_row(
            "memory, peak, GB/s",
            f"{one.needed_bandwidth / 1e9:.2f}",
            f"{one.peak_bandwidth / 1e9:.2f}",
            _share(one.bandwidth_share),
        )
    limit = f", limited by {one.clock.limited_by}" if one.clock.limited_by else ""
    table.caption = (
        f"{one.device.source};\n{_memory_caption(one)};\nclock {one.clock.hz / 1e6:g} MHz{limit}: "
        f"{one.clock.source}"
    )
    if one.cycles:
        of = "a frame" if one.frames == 1 else f"for {name_frames(one.frames)}"
        table.caption += f";\n{one.cycles:,} cycles {of}, predicted with " + memory_words(
            {
                "latency": one.latency,
                "bytes_per_cycle": one.bytes_per_cycle,
                "part": one.part,
                "part_clock_hz": one.clock.hz,
            }
        )
    return table


def _memory_caption(one):
    """Bandwidths of a device's memory in words, with their sources."""
    peak = "" if one.part else f" of {one.device.bandwidth_from}"
    if one.memory is None:
        return f"memory: mean over a frame against the peak{peak}"
    part = one.memory.part
    return (
        f"memory: mean over a frame; effective is what {part.name} leaves for this traffic "
        f"({part.source};\n{part.controller}); the peak is that{peak or ' of its data bus'}"
    )


def bandwidth_table(report):
    """Bandwidth that each bottleneck needs, and that the memory's part gives for its traffic."""
    one = report.devices[0]
    memory = one.memory
    table = new_table(
        f"Memory, predicted traffic against {memory.part.name}",
        "layer",
        "needed,\nGB/s",
        "effective,\nGB/s",
        "share",
    )
    for row in (*memory.rows, memory.frame):
        if row is memory.frame:
            table.add_section()
        table.add_row(
            row.name,
            f"{row.needed / 1e9:.2f}",
            f"{row.effective / 1e9:.2f}",
            _share(row.share),
        )
    table.caption = (
        "needed: what arrived and left while the layer ran, weights read ahead included;\n"
        "effective: the part's peak less refresh, closed rows and turns, for the design's bursts;\n"
    ) + (
        "layers that saturate it are within 5 % of 100 %"
        if one.part
        else f"above 100 % a layer waits longer than predicted here: --memory {memory.part.name} "
        "predicts it"
    )
    return table


def devices_table(report):
    """Every device: whether the configuration fits, what binds, how fast it would be."""
    table = new_table(
        "Devices, computed",
        "device",
        "fits",
        "binds",
        "DSPs",
        "block\nRAM",
        "UltraRAM",
        "LUTs",
        "flip-\nflops",
        "clock,\nMHz",
        "frames/s",
        "memory,\nGB/s",
        "of effec-\ntive",
        "of peak",
    )
    for one in report.devices:
        shares = {use.resource.split(",")[0]: _share(use.share) for use in one.uses if use.used}
        table.add_row(
            one.device.name,
            "yes" if one.fits else "no",
            one.uses[0].resource,
            *(
                shares.get(name, "")
                for name in ("DSPs", "block RAM", "UltraRAM", "LUTs", "flip-flops")
            ),
            f"{one.clock.hz / 1e6:g}",
            *(
                (
                    f"{one.frames_per_second:,.1f}",
                    f"{one.needed_bandwidth / 1e9:.2f}",
                    _share(one.memory.frame.share) if one.memory else "",
                    _share(one.bandwidth_share),
                )
                if one.cycles
                else ("", "", "", "")
            ),
            style=None if one.fits else "dim",
        )
    clock = clock_words(report.devices)
    part = report.devices[0].part
    memory = part or f"the board's memory {report.latency} cycles away"
    notes = dict.fromkeys(one.note for one in report.devices if one.note)
    lacking = "".join(f"{note};\n" for note in notes)
    table.caption = (
        f"{lacking}{clock};\nframes/s predicted as if the design fitted, with {memory};\nof "
        "effective: of what the memory's part leaves for this traffic, see --device"
    )
    return table


def clock_words(devices):
    """Sources of the clocks of devices, each once: by family where it is that of all of a family.

    Parameters
    ----------
    devices : sequence of mnv2.sim.cost.cost_report.DeviceCost

    Returns
    -------
    str
    """
    named: dict[str, list[Device]] = {}
    for one in devices:
        named.setdefault(one.clock.source, []).append(one.device)
    if len(named) == 1:
        return f"clock: {next(iter(named))}"
    lines = []
    for source, of_it in named.items():
        families = dict.fromkeys(device.family for device in of_it)
        whole = all(one.device in of_it for one in devices if one.device.family in families)
        names = (
            [FAMILIES[family].title for family in families]
            if whole
            else [device.name for device in of_it]
        )
        lines.append(f"clock of {', '.join(names)}: {source}")
    return ";\n".join(lines)


def energy_table(report):
    """Energy of a frame by operation."""
    product = report.energies["multiply_8x8"]
    each = {
        name: joules / product
        for name, joules in energy_per_operation(report.config, report.energies).items()
    }
    table = new_table(
        "Relative energy of a frame, computed",
        "operation",
        "count",
        "of",
        "each",
        "together",
        "share",
    )
    total = report.energy.total
    for name, part in report.energy.by_operation.items():
        count = part * report.macs / each[name] if each[name] else 0
        table.add_row(
            name,
            f"{count:,.0f}" if each[name] else "",
            OPERATIONS[name].measure,
            f"{each[name]:.3f}",
            f"{part:,.3f}",
            f"{part / total:.1%}" if total else "",
        )
    table.add_section()
    table.add_row("together", "", "", "", f"{total:,.3f}", "", style="bold")
    table.caption = (
        "each in multiples of an 8-bit product, together in multiples of all of the network's:\n"
        "ratios between designs, by energies of a 45 nm chip (sim/cost/energies.toml, or\n"
        "--energies); joules and watts of an FPGA are not estimated"
    )
    return table


def _closing():
    return Text("computed, nothing was built or run", style="dim")


def _share(share):
    return "none there" if share == float("inf") else f"{share:.0%}"
