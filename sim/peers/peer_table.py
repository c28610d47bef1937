"""The measurement, and below it the prediction of each tool, as a table and as files."""

import csv
import io
import json
from dataclasses import dataclass

from rich.console import Group
from rich.text import Text

from mnv2.sim.report.wide_table import new_table

__all__ = ["PeerRow", "as_csv", "as_dict", "as_json", "make_row", "render"]


@dataclass(frozen=True)
class PeerRow:
    """A prediction.

    Attributes
    ----------
    name : str
        Of the row in files and options.
    tool, label : str
        The tool with its version; what distinguishes this row of it.
    array, memory, mapping : str
        Description of the accelerator as the tool was told.
    untold : str
        What it cannot be told, which is why its cycles differ.
    multipliers : int
        Products with a weight that its array makes in a cycle: of other tools its multipliers.
    cycles, depthwise_cycles, dram_bytes : int or None
        Predicted by the tool; None where it gives none.
    seconds : float or None
        Time that it took.
    failure : str
        Reason for a missing answer, or empty.
    """

    name: str
    tool: str
    label: str
    array: str
    memory: str
    mapping: str
    untold: str
    multipliers: int
    cycles: int | None = None
    depthwise_cycles: int | None = None
    dram_bytes: int | None = None
    seconds: float | None = None
    failure: str = ""

    @property
    def title(self):
        """The tool, and what distinguishes this row of it."""
        return f"{self.tool}, {self.label}" if self.label else self.tool


def make_row(question, answer, depthwise):
    """Row of a question and its answer.

    Parameters
    ----------
    question : Question
    answer : Answer
    depthwise : collection of str
        Names of the depthwise layers.

    Returns
    -------
    PeerRow
    """
    told = {
        name: getattr(question, name)
        for name in ("name", "label", "array", "memory", "mapping", "untold", "multipliers")
    }
    tool = f"{question.tool} {answer.version}".strip()
    if answer.failure:
        return PeerRow(tool=tool, failure=answer.failure, **told)
    return PeerRow(
        tool=tool,
        cycles=answer.cycles,
        dram_bytes=answer.dram_bytes,
        depthwise_cycles=answer.cycles_of(depthwise),
        seconds=answer.seconds,
        **told,
    )


def _seconds(seconds):
    if seconds < 1e-3:
        return "< 1 ms"
    if seconds < 1:
        return f"{seconds * 1e3:,.0f} ms"
    return f"{seconds:,.1f} s" if seconds < 60 else f"{seconds / 60:,.1f} min"


def render(measured, rows, config, macs, notes=()):
    """Render the measured figures in a line, the predictions as a table, and their assumptions.

    Parameters
    ----------
    measured : Measured
    rows : sequence of PeerRow
    config : mnv2.hw.config.AcceleratorConfig
    macs : int
        Of the network.
    notes : sequence of str
        Sentences below the table.

    Returns
    -------
    rich.console.Group
    """
    head = Text(
        f"measured in RTL: {measured.cycles:,} cycles, {measured.depthwise_cycles:,} of them "
        f"depthwise, {measured.dram_bytes:,} bytes of DRAM, "
        f"{macs / measured.cycles / config.multipliers:.1%} of {config.multipliers:,} products a "
        f"cycle ({config.outputs} x {config.inputs} x {config.pixels}); simulated in "
        f"{_seconds(measured.seconds)}",
        style="bold",
    )
    told = (
        f"given to each tool that accepts it: {config.on_chip_bytes:,} bytes on chip, "
        f"{config.data_bytes} B/cycle each way, memory {measured.latency} cycles away"
    )
    table = new_table(
        "Predicted, of the same network",
        "",
        "products\na cycle",
        "cycles",
        "x mea-\nsured",
        "MAC\nutil.",
        "of them\ndepthwise",
        "DRAM\nbytes",
        "x mea-\nsured",
        "took",
    )
    for number, row in enumerate(rows, 1):
        table.add_row(
            f"{number:>2} {row.title}", f"{row.multipliers:,}", *_cells(row, measured, macs)
        )
    table.caption = (
        "depthwise: for the RTL and its model cycles of work, for the others cycles with waits\n"
        "took: time on this machine when the tool ran; SCALE-Sim, and ZigZag where maps leave the "
        "chip, take layers of one shape once"
    )
    explanations = [
        _explanation(number, row, before)
        for number, (row, before) in enumerate(zip(rows, (None, *rows), strict=False), 1)
    ]
    return Group(
        head, told, "", table, "", *explanations, *([""] if notes else []), *map(Text, notes)
    )


def _cells(row, measured, macs):
    """Figures of a row, from its cycles on."""
    if row.failure:
        return ("none",) + ("",) * 6
    moved = (
        ("", "")
        if row.dram_bytes is None
        else (f"{row.dram_bytes:,}", f"{row.dram_bytes / measured.dram_bytes:.2f}")
    )
    return (
        f"{row.cycles:,}",
        f"{row.cycles / measured.cycles:.2f}",
        f"{macs / row.cycles / row.multipliers:.1%}",
        f"{row.depthwise_cycles:,}",
        *moved,
        _seconds(row.seconds),
    )


def _explanation(number, row, before):
    """Assumptions of a row, what it was not told, and the reason for a missing answer."""
    text = f"{number:>2} {'; '.join((row.array, row.memory, row.mapping))}."
    if row.untold:
        same = before is not None and before.untold == row.untold
        text += f" Not told: {'the same' if same else row.untold}."
    if row.failure:
        text += f" No answer: {row.failure}."
    return Text(text)


def as_dict(measured, rows, config, made_with):
    """Everything, in values that JSON can hold; measured and predicted figures apart.

    Parameters
    ----------
    measured : Measured
    rows : sequence of PeerRow
    config : mnv2.hw.config.AcceleratorConfig
    made_with : dict
        Further keys, such as versions and commit.

    Returns
    -------
    dict
    """
    return {
        "network": "MobileNetV2 1.0/224, int8, batch 1",
        **made_with,
        "multipliers": config.multipliers,
        "measured": {
            "cycles": measured.cycles,
            "depthwise_cycles": measured.depthwise_cycles,
            "dram_bytes": measured.dram_bytes,
            "simulation_seconds": measured.seconds,
            "latency": measured.latency,
            "commit": measured.commit,
        },
        "predicted": [
            {
                "name": row.name,
                "tool": row.tool,
                "label": row.label,
                "array": row.array,
                "memory": row.memory,
                "mapping": row.mapping,
                "not_told": row.untold,
                "multipliers": row.multipliers,
                "predicted_cycles": row.cycles,
                "predicted_depthwise_cycles": row.depthwise_cycles,
                "predicted_dram_bytes": row.dram_bytes,
                "predicted_over_measured_cycles": None
                if row.cycles is None
                else row.cycles / measured.cycles,
                "tool_seconds": row.seconds,
                "failure": row.failure,
            }
            for row in rows
        ],
    }


def as_csv(content):
    """The rows of `as_dict`, with the measured figures in columns of their own.

    Parameters
    ----------
    content : dict

    Returns
    -------
    str
    """
    measured = {
        f"measured_{name}": content["measured"][name]
        for name in ("cycles", "depthwise_cycles", "dram_bytes")
    }
    ours = {
        "name": "rtl",
        "tool": "mnv2 run",
        "multipliers": content["multipliers"],
        **measured,
        "tool_seconds": content["measured"]["simulation_seconds"],
    }
    columns = list(dict.fromkeys((*content["predicted"][0], *measured)))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows((ours, *content["predicted"]))
    return text.getvalue()


def as_json(content):
    """`as_dict` as a file's text."""
    return json.dumps(content, indent=1) + "\n"
