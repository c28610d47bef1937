"""The page of a run, or of a prediction, which is marked as such in every place."""

from mnv2.sim.page.frame_figure import frame_plot
from mnv2.sim.page.kit.figure import add_figure
from mnv2.sim.page.kit.made_with import add_made_with, tiles
from mnv2.sim.page.kit.markup import Markup, element, join
from mnv2.sim.page.kit.page import Page
from mnv2.sim.page.kit.photograph import photographs
from mnv2.sim.page.kit.table import Column, percent, table
from mnv2.sim.page.layer_tables import layer_times, layer_traffic, layer_waits, limit_note
from mnv2.sim.page.roofline_figure import roofline_plot
from mnv2.sim.page.run_figures import block_limits_plot, bytes_plot, cycles_plot, limits_plot
from mnv2.sim.prediction.prediction_report import prediction_headline
from mnv2.sim.report.names import if_several, name_frames
from mnv2.sim.report.run_files import report_as_dict
from mnv2.sim.report.run_series import frame_titles
from mnv2.sim.report.run_tables import headline

__all__ = ["add_cycles", "add_frame", "add_memory", "add_roofline", "run_page"]


def run_page(report, command=""):
    """Page of a run.

    Parameters
    ----------
    report : mnv2.sim.report.run_report.RunReport
        Or `mnv2.sim.prediction.prediction_report.Prediction`.
    command : str
        The command line that reproduces it.

    Returns
    -------
    Page
    """
    total, content = report.total, report_as_dict(report)
    predicted = report.predicted
    if predicted:
        page = Page(
            "MobileNetV2, predicted without a simulator", f"P{prediction_headline(report)[1:]}"
        )
    elif report.mode == "network":
        frames = name_frames(report.abreast)
        page = Page(f"MobileNetV2 in RTL: {frames}", f"Measured in RTL: {headline(report)}")
    else:
        page = Page("Bottlenecks of MobileNetV2 in RTL", f"Measured in RTL: {headline(report)}")
    how = "predicted" if predicted else "measured"
    figures: list[tuple[str, ...]] = [
        (f"{total.cycles:,}", f"clock cycles, {how}"),
        (
            f"{total.microseconds(report.clock_hz) / 1e3:.3f} ms",
            f"{how}, at {report.clock_hz / 1e6:g} MHz",
        ),
        (f"{total.mac_utilization:.1%}", f"of {report.multipliers:,} products a cycle, {how}"),
        (f"{total.macs_per_cycle:,.1f}", f"MACs a cycle, {how}"),
        (f"{total.dram_bytes:,}", f"bytes of DRAM, {how}"),
        *(
            [(f"{report.dram_bytes_per_frame:,.0f}", f"bytes of DRAM a frame, {how}")]
            if report.abreast > 1
            else []
        ),
        (
            f"{report.over_floor:.3f} x",
            f"the computed floor of {report.limits.floor_bytes:,} bytes",
        ),
    ]
    if content["frames_per_second"]:
        order = "one after another" if report.abreast == 1 else f"{report.abreast} abreast"
        figures.insert(2, (f"{content['frames_per_second']:,.1f}", f"frames per second, {order}"))
    if content["frames"]:
        interval = content["frames"]
        between = "frame to frame" if report.abreast == 1 else "a pair of frames to the next"
        figures.append(
            (
                f"{interval['interval_cycles']:,.0f}",
                f"cycles from {between}, {interval['frames_per_second']:,.1f} frames/s, {how}",
            )
        )
    if not predicted:
        figures.append(
            (
                f"{total.mismatches:,}",
                "elements that differ from the golden model",
                "bad" if total.mismatches else "good",
            )
        )
    pictures = Markup("") if predicted else photographs((report.image, report.second_image))
    page.sections.append(element("section", tiles(figures), pictures, *_classes(content)))
    if report.timeline is not None:
        add_frame(page, report)
    add_cycles(page, report, content)
    add_memory(page, report, content)
    add_roofline(page, report)
    add_made_with(
        page,
        command=command,
        items={
            "image": report.image,
            "second image": report.second_image,
            "model": report.model,
            "preparation": report.preparation,
        },
        more={
            "clock": f"{report.clock_hz / 1e6:g} MHz, a setting",
            "seed": "" if predicted else report.seed,
            "on chip": f"{report.on_chip_bytes:,} bytes",
            "wall time": f"{report.wall_seconds * 1e3:.0f} ms"
            if predicted
            else f"{report.wall_seconds:.1f} s of simulation, "
            f"{report.simulated_cycles_per_second:,.0f} cycles per second",
        },
        on_chip=report.buffer_bytes,
        configuration=report.configuration,
        memory=report.memory,
        versions=report.versions,
        commit=report.commit,
    )
    return page


def _classes(content):
    """Tables of the likeliest classes of each picture."""
    second = content["second_picture"]
    if not second:
        return [_class_table("classes", "Likeliest classes of the picture", content)]
    return [
        _class_table("classes", "Likeliest classes of the first picture", content),
        _class_table("second-classes", "Likeliest classes of the second picture", second),
    ]


def _class_table(name, title, content):
    """Table of the likeliest classes of a picture, of each model that gave them."""
    tops = {
        "float": content["top5_float"],
        "golden, integer": content["top5_golden"],
        "RTL": content["top5"],
    }
    tops = {who: top for who, top in tops.items() if top}
    if not tops:
        return join([])

    def label(who):
        return lambda row: row[who]["name"]

    def likelihood(who):
        return lambda row: row[who]["probability"]

    columns = [Column("rank", lambda row: row["place"], str)]
    for who in tops:
        columns += [Column(f"class, {who}", label(who)), Column(f"{who}", likelihood(who), percent)]
    rows = [
        {"place": place, **dict(zip(tops, row, strict=True))}
        for place, row in enumerate(zip(*tops.values(), strict=True), start=1)
    ]
    return table(name, title, columns, rows)


def add_frame(page, report):
    """Add the frame in time."""
    title, below = frame_titles(report)
    page.add(
        "frame-section",
        "The frame in time",
        add_figure(
            page,
            "frame",
            title,
            f"{below} In the upper panel the white area below 100 % is time in which no multiplier "
            "works; the middle panel shows the causes (mean of each layer), the lower one the load "
            f"of the memory port ({report.port_bytes} bytes a beat). The layers and their MAC "
            "utilisation are shown above; B: bottleneck.",
            frame_plot(report),
        ),
    )


def add_cycles(page, report, content):
    """Add the cycles of each layer, as a figure and as tables."""
    total, predicted = report.total, report.predicted
    frames = if_several(report.abreast, "{}, ")
    page.add(
        "cycles-section",
        "Cycles by layer",
        add_figure(
            page,
            "cycles",
            f"{total.cycles:,} clock cycles, {frames}"
            f"{'predicted' if predicted else 'measured in RTL'}",
            "In each cycle the array works or waits for one cause; the dash is the computed ideal "
            "of the tiles, in which nothing waits.",
            cycles_plot(report),
        ),
        layer_times(content["layers"], content["total"], predicted=predicted),
        layer_waits(content["layers"], content["total"], predicted=predicted),
    )


def add_memory(page, report, content):
    """Add the bytes of each layer, as figures and as a table."""
    predicted = report.predicted
    how = "predicted" if predicted else "measured in RTL"
    blocks = report.mode == "blocks"
    frames = if_several(report.abreast, "{}, ")
    figures = [
        add_figure(
            page,
            "bytes",
            f"{report.total.dram_bytes:,} bytes of external memory, {frames}{how}",
            "Computed: activations and weights only, one byte each."
            if blocks
            else "A byte counts for the layer that ran while it was moved, often ahead of its use.",
            bytes_plot(report),
        )
    ]
    if blocks:
        figures.append(
            add_figure(
                page,
                "limits",
                "Bytes of each bottleneck, compared with computed ones",
                "Computed: bytes if only its input, output and weights cross the port, and if "
                "those of every layer do.",
                block_limits_plot(report),
            )
        )
    else:
        figures.append(
            add_figure(
                page,
                "limits",
                f"Bytes of {name_frames(report.abreast, 'the frame')}, compared with computed ones",
                "No design that loads its weights moves fewer bytes than the floor.",
                limits_plot(report),
                legend=False,
            )
        )
    page.add(
        "memory-section",
        "External memory",
        *figures,
        layer_traffic(content["layers"], content["total"], predicted=predicted),
        element("p", limit_note(report), class_="note"),
    )


def add_roofline(page, report):
    """Add the roofline."""
    how = "predicted" if report.predicted else "measured in RTL"
    page.add(
        "roofline-section",
        "Roofline",
        add_figure(
            page,
            "roofline",
            f"MACs per cycle over MACs per byte, {how}",
            "A layer below the slope is bound by the memory port, one below the flat roof by the "
            "array; the distance to the roof is the loss by waiting.",
            roofline_plot(report),
        ),
    )
