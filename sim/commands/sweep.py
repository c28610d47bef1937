"""`mnv2 sweep`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnv2.sim.commands.options.model import (
    Calibration,
    Labels,
    Normalization,
    PixelNormalization,
    Resize,
    Size,
    given,
)
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.options.panel import in_panel
from mnv2.sim.commands.options.picture_set import PICTURES, Images, Limit, Seed
from mnv2.sim.commands.options.work import (
    Device,
    NewFolder,
    Resume,
    Scheduler,
    Workers,
    choose_work,
    stated_request,
    stopped_work,
)
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import SimulationError
from mnv2.sim.sweep.grid import AXES_BY_FIELD

if TYPE_CHECKING:
    # Help is shown without loading them.
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.sweep.hardware import HardwareRun
    from mnv2.sim.sweep.sweep_records import SweepResults

#: Panels of the help.
FORMATS, HARDWARE = "Formats", "Hardware"


def axis_option(field: str) -> Any:
    """The option of an axis, explained by the axis itself."""
    axis = AXES_BY_FIELD[field]
    return typer.Option(
        f"--{axis.option}",
        metavar="LIST",
        help=f"{axis.help} A list of {axis.valid}.",
        rich_help_panel=FORMATS,
    )


@prints_json
@in_panel(PICTURES, "calibration")
def sweep(
    context: typer.Context,
    weight_bits: Annotated[str | None, axis_option("weight_bits")] = None,
    activation_bits: Annotated[str | None, axis_option("activation_bits")] = None,
    granularity: Annotated[str | None, axis_option("granularity")] = None,
    scales: Annotated[str | None, axis_option("scales")] = None,
    ranges: Annotated[str | None, axis_option("ranges")] = None,
    weight_ranges: Annotated[str | None, axis_option("weight_ranges")] = None,
    first_last: Annotated[str | None, axis_option("first_last")] = None,
    expanded_bits: Annotated[str | None, axis_option("expanded_bits")] = None,
    layer_weights: Annotated[str | None, axis_option("layer_weights")] = None,
    rounding: Annotated[str | None, axis_option("rounding")] = None,
    multiplier_bits: Annotated[str | None, axis_option("multiplier_bits")] = None,
    accumulator_bits: Annotated[str | None, axis_option("accumulator_bits")] = None,
    overflow: Annotated[str | None, axis_option("overflow")] = None,
    equalization: Annotated[str | None, axis_option("equalization")] = None,
    bias_correction: Annotated[str | None, axis_option("bias_correction")] = None,
    adaptive_rounding: Annotated[str | None, axis_option("adaptive_rounding")] = None,
    images: Images = "bundled",
    limit: Limit = None,
    seed: Seed = 1,
    calibration: Calibration = "bundled",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The float network: PyTorch (state dict), safetensors, Keras (.h5, .keras) or "
            "ONNX; default torchvision's weights.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    output: NewFolder = None,
    resume: Resume = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    device: Device = "cpu",
    rtl: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Run the N best formats on the accelerator's RTL with the first picture, bit for "
            "bit. Each pair of widths is built once, which takes minutes.",
            rich_help_panel=HARDWARE,
        ),
    ] = 0,
    config: Annotated[
        str,
        typer.Option(
            metavar="PRESET|FILE.toml",
            help="The accelerator of --rtl: tiny, small, base, pair or large, or a TOML file of "
            "its options. Its lanes get the bits of each format.",
            rich_help_panel=HARDWARE,
        ),
    ] = "base",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="OPTION=VALUE",
            help="Change one option of the accelerator, such as pixels=4; may be repeated.",
            rich_help_panel=HARDWARE,
        ),
    ] = None,
    html: Html = False,
):
    """Measure the accuracy lost to fixed-point formats, over lists of bits, scales and repairs.

    The product of the lists is the sweep: each format is made from the float network, run in
    integers on the pictures, and compared with float: top-1 and top-5 class, SQNR and cosine of the
    logits, SQNR after each block, labels if there are any, each figure with its standard error. A
    list is written as 3..8, or 4,6,8, or tensor,channel; the default is W8A8, per channel,
    unrepaired. If no list is given, a default sweep of some 200 formats runs, in minutes.

    The folder of results gets sweep.csv and sweep.parquet (a row each format), layers.csv,
    report.json, and the pictures accuracy.png, layers.png and costs.png. Each result is written to
    journal.jsonl as it comes: --resume continues after any interruption.

    Pictures are judged as the network was trained: --resize says how they were made as large as its
    input, --labels what its classes are called. One line says what was done.

    Pictures of --images: folders named by class index, class name or synset (synsets need a list
    next to them, such as LOC_synset_mapping.txt, or all 1,000 folders); a list file with a path and
    a class on each line; ImageNet's validation pictures in one folder, with val.txt,
    LOC_val_solution.csv or the development kit's labels and meta.mat next to them. Pictures without
    labels are compared with float alone. Damaged pictures are left out and named. Each picture
    takes 150 KB of memory.

    Examples:

    - mnv2 sweep

    - mnv2 sweep --weights 3..8 --activations 4..8 --granularity tensor,channel

    - mnv2 sweep --weights 4..8 --html --output runs/bits

    - mnv2 sweep --weights 4 --adaptive-rounding off,on --images imagenet/val --limit 1000

    - mnv2 sweep --images imagenet/val --device cuda

    - mnv2 sweep --resume runs/sweep-2030-01-01T12-00-00
    """
    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import say_files, show, show_report
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.sweep.request import make_request
    from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep
    from mnv2.sim.sweep.sweep_tables import check_pandas, render_hardware, render_points

    work = choose_work(
        "sweep",
        output=output,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        device=device,
    )
    # What can be wrong is looked at first: a sweep takes its time.
    accelerator = load_configuration(config, settings or ())
    check_pandas()
    check_page(html)
    request = make_request(
        {field: context.params[field] for field in AXES_BY_FIELD},
        images=images,
        limit=limit,
        seed=seed,
        calibration=calibration,
        model=model,
        size=size,
        normalization=given(normalization),
        resize=resize,
        labels=labels,
    )
    request = stated_request(context, work, request)
    progress = CampaignBar("Formats")
    with stopped_work(work, progress):
        with progress:
            results = run_sweep(
                prepare_sweep(request, device=device, progress=progress),
                work.folder,
                resume=work.resume,
                workers=workers,
                scheduler=scheduler,
                progress=progress,
            )
        show(render_points(results))
        runs = _run_hardware(results, rtl, work.folder, accelerator) if rtl else []
        _write_results(results, runs, work.folder, command_line(context) if html else None)
    if runs:
        show(render_hardware(runs))
    show_report(report=work.folder / "report.json")
    say_files(work.folder)
    wrong = [run for run in runs if not run.exact and not run.passed_over]
    if wrong:
        raise SimulationError(f"{wrong[0].point} on the RTL: {wrong[0].reason}")


def _run_hardware(
    results: "SweepResults", count: int, folder: Path, accelerator: "AcceleratorConfig"
) -> "list[HardwareRun]":
    """The best formats on the RTL, with progress shown."""
    from mnv2.sim.commands.options.accelerator import make_memory
    from mnv2.sim.commands.terminal.run_progress import FrameBar
    from mnv2.sim.sweep.hardware import run_best_points

    with FrameBar() as progress:
        return run_best_points(
            results,
            count,
            folder,
            config=accelerator,
            memory=make_memory(100, None),
            progress=progress,
        )


def _write_results(
    results: "SweepResults",
    runs: "list[HardwareRun]",
    folder: Path,
    page_of: str | None,
) -> None:
    """Write tables, pictures and report next to the journal; they appear together.

    With them a page, if ``page_of`` is the command line that it is of.
    """
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.sweep.sweep_plots import write_plots
    from mnv2.sim.sweep.sweep_report import write_report
    from mnv2.sim.sweep.sweep_tables import write_tables

    with replaced_files(folder) as temporary:
        write_tables(results, temporary)
        write_plots(results, temporary)
        write_report(results, temporary / "report.json", runs)
        if page_of is not None:
            from mnv2.sim.page.kit.page import write_page
            from mnv2.sim.page.sweep_page import sweep_page

            write_page(sweep_page(results, runs, page_of), temporary)
