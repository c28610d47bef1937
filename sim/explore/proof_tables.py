"""Designs of a search that were run in RTL, or placed and routed, on the terminal."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from mnv2.sim.explore.place_designs import Placing
from mnv2.sim.explore.prove import Proof
from mnv2.sim.report.wide_table import WideTable

__all__ = ["render_placings", "render_proofs"]


def render_proofs(proofs: Sequence[Proof]) -> Group:
    """Table of designs in RTL, predicted next to measured.

    Parameters
    ----------
    proofs : sequence of mnv2.sim.explore.prove.Proof

    Returns
    -------
    rich.console.Group
    """
    table = WideTable(
        "Designs of the front, built and run in RTL: the whole network, every "
        "block's output compared with golden"
    )
    table.add_column("design")
    for heading in (
        "predicted\ncycles",
        "measured\ncycles",
        "predicted\nDRAM bytes",
        "measured\nDRAM bytes",
        "figures\ncompared",
        "not\nequal",
    ):
        table.add_column(heading, justify="right")
    notes = []
    for proof in proofs:
        unequal = sum(map(len, proof.differences.values()))
        measured = (
            ["", ""]
            if proof.measured_cycles is None
            else [f"{proof.measured_cycles:,}", f"{proof.measured_dram_bytes:,}"]
        )
        table.add_row(
            proof.name,
            f"{proof.predicted_cycles:,}",
            measured[0],
            f"{proof.predicted_dram_bytes:,}",
            measured[1],
            f"{proof.figures:,}",
            Text(
                "failed" if proof.reason else str(unequal),
                style="green" if proof.equal else "bold red",
            ),
        )
        if proof.reason:
            notes.append(Text(f"{proof.name}: {proof.reason}", style="bold red"))
        notes += [
            Text(
                f"{proof.name}, {layer}: "
                + "; ".join(
                    f"{name} {one:,} predicted, {other:,} measured"
                    for name, (one, other) in row.items()
                ),
                style="red",
            )
            for layer, row in proof.differences.items()
        ]
    return Group(table, *notes)


def render_placings(placings: Sequence[Placing]) -> Group:
    """Table of designs placed and routed, estimated next to routed.

    Parameters
    ----------
    placings : sequence of mnv2.sim.explore.place_designs.Placing

    Returns
    -------
    rich.console.Group
    """
    first = placings[0]
    table = WideTable(
        f"Designs of the front, placed and routed: {first.device}, speed {first.speed}"
    )
    table.add_column("design")
    for heading in (
        "estimated\nMHz",
        "routed\nMHz",
        "frames/s,\nestimated",
        "frames/s,\nrouted",
        "seed",
        "estimated\nLUTs",
        "placed\nLUTs",
    ):
        table.add_column(heading, justify="right")
    for placing in placings:
        routed = (
            ["failed", "", "", ""]
            if placing.megahertz is None
            else [
                f"{placing.megahertz:.1f}",
                f"{placing.frames_per_second:.1f}",
                f"{placing.seed} of {placing.seeds}",
                f"{placing.luts:,}",
            ]
        )
        table.add_row(
            placing.name,
            f"{placing.estimated_megahertz:g}",
            routed[0],
            f"{placing.estimated_frames_per_second:.1f}",
            routed[1],
            routed[2],
            f"{placing.estimated_luts:,}",
            routed[3],
        )
    notes = dict.fromkeys(f"Estimated clock: {placing.clock_from}." for placing in placings)
    return Group(
        table,
        *(Text(note) for note in notes),
        *(
            Text(f"{placing.name}: {placing.reason}", style="bold red")
            for placing in placings
            if placing.reason
        ),
    )
