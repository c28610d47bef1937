"""Tables on the front: its designs run in RTL, and the effect of single changes."""

from mnv2.sim.explore.space import AXES, value_text
from mnv2.sim.page.design_detail import figure_source
from mnv2.sim.page.kit.markup import element, join
from mnv2.sim.page.kit.table import Column, Note, count, signed, table
from mnv2.sim.page.kit.table import change as relative_change
from mnv2.sim.report.quantities import format_quantity

__all__ = ["add_proofs", "add_sensitivity"]


def add_proofs(page, proofs):
    """Add the designs that were built and run, predicted next to measured.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    proofs : sequence of mnv2.sim.explore.prove.Proof
    """

    def of(key):
        return lambda proof: getattr(proof, key)

    def less(figure):
        def cell(proof):
            one, other = (getattr(proof, f"{how}_{figure}") for how in ("predicted", "measured"))
            if other is None:
                return Note(None, "")
            return Note(one - other, signed(one - other), "bad" if one != other else "good")

        return cell

    def unequal(proof):
        number = sum(map(len, proof.differences.values()))
        if proof.reason:
            return Note(None, "failed", "bad")
        return Note(number, count(number), "bad" if number else "good")

    columns = [
        Column("design", of("name")),
        Column("predicted cycles", of("predicted_cycles"), count),
        Column("measured cycles", of("measured_cycles"), count),
        Column("difference, cycles", less("cycles"), signed),
        Column("predicted DRAM bytes", of("predicted_dram_bytes"), count),
        Column("measured DRAM bytes", of("measured_dram_bytes"), count),
        Column("difference, bytes", less("dram_bytes"), signed),
        Column(
            "figures compared",
            of("figures"),
            count,
            "cycles, work and waits by cause, bytes by kind, of each layer and of the frame",
        ),
        Column("not equal", unequal, count),
    ]
    sentences = [f"{proof.name}: {proof.reason}" for proof in proofs if proof.reason]
    sentences += [
        f"{proof.name}, {layer}: "
        + "; ".join(
            f"{name} {one:,} predicted, {other:,} measured" for name, (one, other) in row.items()
        )
        for proof in proofs
        for layer, row in proof.differences.items()
    ]
    page.add(
        "proofs-section",
        "Run in RTL",
        table(
            "proofs",
            "Designs of the front, built and run in RTL: the whole network",
            columns,
            list(proofs),
            note="Every block's output is compared with the integer model, bit for bit.",
        ),
        element("ul", *(element("li", sentence) for sentence in sentences), class_="bad")
        if sentences
        else join([]),
    )


def add_sensitivity(page, results):
    """Add the effect of the next smaller and next larger value of each axis on the balanced design.

    Parameters
    ----------
    page : mnv2.sim.page.kit.page.Page
    results : mnv2.sim.explore.search_results.SearchResults
    """
    base, changes = results.sensitivity.base, results.sensitivity.changes
    limits = {limit.name: limit.words for limit in results.prepared.judge.limits}
    columns = [
        Column("axis", lambda change: change.axis),
        Column("balanced design", lambda change: base.point.get(change.axis), value_text),
        Column("changed to", lambda change: change.value, value_text),
    ]
    for figure in results.prepared.objectives:
        columns += [_objective(figure), _change(figure, base)]
    columns.append(
        Column(
            "misses",
            lambda change: ", ".join(limits.get(name, name) for name in change.design.violations),
        )
    )
    axes = dict.fromkeys(change.axis for change in changes)
    page.add(
        "sensitivity-section",
        "Sensitivity",
        table(
            "sensitivity",
            f"{results.balanced.name} with one axis changed",
            columns,
            changes,
            note="The memory moves a beat a cycle in each direction. Derived buffers follow the "
            "lanes. " + "; ".join(f"{axis}: {AXES[axis].words}" for axis in axes) + ".",
        ),
    )


def _objective(figure):
    return Column(
        f"{figure.name} ({figure_source(figure)})",
        lambda change: figure.of(change.design),
        lambda value: "" if value is None else format_quantity(value, figure.unit),
        figure.words,
    )


def _change(figure, base):
    """Relative change of an objective, green if it is an improvement."""

    def cell(change):
        before, after = figure.of(base), figure.of(change.design)
        if before is None or after is None or not before:
            return Note(None, "")
        share = after / before - 1
        return relative_change(share, better=figure.sign * share < 0)

    return Column(f"{figure.name}, change", cell, str)
