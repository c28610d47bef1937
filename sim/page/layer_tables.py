"""Tables of the layers of a run or of a prediction: the rows of its report.json."""

from mnv2.sim.page.kit.table import Column, Note, count, decimal, percent, table
from mnv2.sim.report.names import if_several, words

__all__ = ["layer_overview", "layer_times", "layer_traffic", "layer_waits", "limit_note"]


def field(key):
    """Function that reads a key of a row, None where it has none."""
    return lambda row: row.get(key)


def nested(key, name):
    """Function that reads a figure by name, 0 where a row has none."""
    return lambda row: row[key].get(name, 0)


def shape(key):
    """Function that reads a shape as ``112x112x32``."""
    return lambda row: "x".join(map(str, row.get(key, ())))


def mismatches(row):
    """Number of mismatches, green if 0."""
    wrong = row["mismatches"]
    return Note(wrong, count(wrong), "bad" if wrong else "good")


def worst_wait(row):
    """Cause of most waiting with its share, sorted by that; empty where nothing waited."""
    share = row["worst_wait_share"]
    return Note(share, f"{words(row['worst_wait'])} {share:.1%}" if share else "")


def layer_times(rows, total, *, predicted, name="time"):
    """Shape, work and time of each layer.

    Parameters
    ----------
    rows, total : list of dict, dict
        ``layers`` and ``total`` of `mnv2.sim.report.run_files.report_as_dict`.
    predicted : bool
        Whether they are predicted; columns of figures then say so.
    name : str
        The ``id`` of the table.

    Returns
    -------
    Markup
    """
    how = "predicted" if predicted else "measured"
    columns = [
        Column("layer", field("name")),
        Column("output", shape("output_shape"), note="rows x columns x channels"),
        Column("stride", field("stride"), count),
        Column("residual", lambda row: "yes" if row.get("residual") else ""),
        Column("MACs", field("macs"), count, "required by the network, of all frames; computed"),
        Column(f"{how} cycles", field("cycles"), count, "clock cycles"),
        Column(
            "ideal cycles (computed)",
            field("ideal_cycles"),
            count,
            "of the tiles, if nothing waits",
        ),
        Column(
            "cycles / bound",
            field("cycles_over_bound"),
            decimal(3),
            f"{how} cycles over computed ones: the ideal, or those of the bytes moved "
            "meanwhile, whichever are more",
        ),
        Column(
            f"{how} MAC utilisation",
            field("mac_utilization"),
            percent,
            "MACs / (cycles x products a cycle)",
        ),
        Column(f"{how} µs", field("microseconds"), decimal(1), "at the clock of the report"),
    ]
    if "computed_scale_sim_cycles" in rows[0]:
        columns.append(
            Column(
                "SCALE-Sim cycles (computed)",
                field("computed_scale_sim_cycles"),
                count,
                "by the formula of a published simulator, for as many multipliers as products",
            )
        )
    if not predicted:
        columns.append(
            Column(
                "mismatches", mismatches, count, "output elements that differ from the golden model"
            )
        )
    return table(name, f"Time of each layer, {how}", columns, rows, total=total)


def layer_waits(rows, total, *, predicted, name="waits"):
    """Cycles of each layer by work and by cause of waiting.

    Returns
    -------
    Markup
    """
    how = "predicted" if predicted else "measured"
    causes = [cause for cause, cycles in total["stalls"].items() if cycles]
    columns = [
        Column("layer", field("name")),
        Column("cycles", field("cycles"), count, how),
        Column("works: pointwise", field("pointwise_cycles"), count, "1x1 convolutions, the stem"),
        Column("works: depthwise", field("depthwise_cycles"), count, "3x3 windows"),
        *(
            Column(f"waits: {words(cause)}", nested("stalls", cause), count, how)
            for cause in causes
        ),
        Column(
            "waits, share",
            lambda row: 1 - row["busy_cycles"] / row["cycles"] if row["cycles"] else 0.0,
            percent,
            "of the cycles",
        ),
        Column(
            "bound by",
            lambda row: words(row["bound"]),
            note="largest share of the cycles: the array's work, or one cause",
        ),
        Column(
            "worst wait",
            worst_wait,
            note="the cause that took most cycles, and its share of the cycles",
        ),
    ]
    return table(
        name, f"Cycles of each layer, {how}: the array works, or waits", columns, rows, total=total
    )


def layer_traffic(rows, total, *, predicted, name="memory"):
    """Traffic of external memory of each layer by kind.

    Returns
    -------
    Markup
    """
    how = "predicted" if predicted else "measured"
    columns = [
        Column("layer", field("name")),
        *(
            Column(f"read: {kind}", nested("dram_read_bytes_by_kind", kind), count, f"bytes, {how}")
            for kind in total["dram_read_bytes_by_kind"]
        ),
        Column("written", field("dram_write_bytes"), count, f"bytes, {how}"),
        Column("together", field("dram_bytes"), count, f"bytes, {how}"),
        Column("bytes / cycle", field("bytes_per_cycle"), decimal(2), how),
        Column("GB/s", field("gigabytes_per_second"), decimal(2), f"{how}, at the clock"),
    ]
    if "computed_fused_dram_bytes" in rows[0]:
        columns += [
            Column(
                "block fused (computed)",
                field("computed_fused_dram_bytes"),
                count,
                "bytes if only its input, output and weights cross the port",
            ),
            Column(
                "layer by layer (computed)",
                field("computed_layer_by_layer_dram_bytes"),
                count,
                "bytes if those of every layer cross the port",
            ),
        ]
    return table(name, f"Bytes of external memory, {how}", columns, rows, total=total)


def layer_overview(name, rows, total):
    """A prediction of each layer in one table: time, causes of waiting and bytes.

    Parameters
    ----------
    name : str
        The ``id`` of the table.
    rows, total : list of dict, dict
        As for `layer_times`.

    Returns
    -------
    Markup
    """
    causes = [cause for cause, cycles in total["stalls"].items() if cycles]
    columns = [
        Column("layer", field("name")),
        Column("output", shape("output_shape"), note="rows x columns x channels"),
        Column("predicted cycles", field("cycles"), count, "clock cycles"),
        Column("MAC utilisation", field("mac_utilization"), percent, "predicted"),
        Column("works: pointwise", field("pointwise_cycles"), count, "cycles, predicted"),
        Column("works: depthwise", field("depthwise_cycles"), count, "cycles, predicted"),
        *(
            Column(f"waits: {words(cause)}", nested("stalls", cause), count, "cycles, predicted")
            for cause in causes
        ),
        Column("bound by", lambda row: words(row["bound"])),
        Column("worst wait", worst_wait, note="the cause that takes most cycles, and its share"),
        *(
            Column(
                f"read: {kind}", nested("dram_read_bytes_by_kind", kind), count, "bytes, predicted"
            )
            for kind in total["dram_read_bytes_by_kind"]
        ),
        Column("written", field("dram_write_bytes"), count, "bytes, predicted"),
        Column("bytes together", field("dram_bytes"), count, "bytes, predicted"),
    ]
    return table(
        name,
        "Layer by layer, predicted: cycles, and bytes of external memory",
        columns,
        rows,
        total=total,
    )


def limit_note(report):
    """Computed bytes to compare with, in a sentence."""
    limits = report.limits
    frames = if_several(report.abreast, " of {}")
    return (
        f"Computed for all layers{frames}: floor {limits.floor_bytes:,} bytes (input, output, "
        "every weight and parameter once), bottlenecks fused "
        f"{limits.fused_bytes:,}, layer by layer {limits.layer_by_layer_bytes:,}."
    )
