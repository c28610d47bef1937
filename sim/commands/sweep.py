"""`mnv2 sweep`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mnv2.sim.commands.options.model import Normalization, PixelNormalization, Size, given
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.options.work import NewFolder, Resume, Scheduler, Workers
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.sweep.grid import AXES, Point

#: Panels of the help.
FORMATS, PICTURES, HARDWARE = "Formats", "Pictures and network", "Hardware"
_AXES = {axis.field: axis for axis in AXES}


def axis_option(field):
    """The option of an axis, explained by the axis itself."""
    axis = _AXES[field]
    return typer.Option(
        f"--{axis.option}",
        metavar="LIST",
        help=f"{axis.help} A list of {axis.valid}.",
        rich_help_panel=FORMATS,
    )


def sweep(
    context: typer.Context,
    weight_bits: Annotated[str | None, axis_option("weight_bits")] = None,
    activation_bits: Annotated[str | None, axis_option("activation_bits")] = None,
    granularity: Annotated[str | None, axis_option("granularity")] = None,
    scales: Annotated[str | None, axis_option("scales")] = None,
    ranges: Annotated[str | None, axis_option("ranges")] = None,
    weight_ranges: Annotated[str | None, axis_option("weight_ranges")] = None,
    first_last: Annotated[str | None, axis_option("first_last")] = None,
    rounding: Annotated[str | None, axis_option("rounding")] = None,
    multiplier_bits: Annotated[str | None, axis_option("multiplier_bits")] = None,
    accumulator_bits: Annotated[str | None, axis_option("accumulator_bits")] = None,
    overflow: Annotated[str | None, axis_option("overflow")] = None,
    equalization: Annotated[str | None, axis_option("equalization")] = None,
    bias_correction: Annotated[str | None, axis_option("bias_correction")] = None,
    adaptive_rounding: Annotated[str | None, axis_option("adaptive_rounding")] = None,
    images: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE|bundled",
            help="Pictures to judge by: a folder with a folder for each class, a list file, a "
            "folder of pictures, or bundled, 20 labelled photographs of an installed package.",
            rich_help_panel=PICTURES,
        ),
    ] = "bundled",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Judge by so many of them, drawn at random.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of that draw.", rich_help_panel=PICTURES)
    ] = 1,
    calibration: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE|bundled",
            help="Pictures to calibrate on, at most 64 of them; bundled: 49 crops of 7 photographs "
            "of installed packages. None may also be judged by.",
            rich_help_panel=PICTURES,
        ),
    ] = "bundled",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The float network: PyTorch (state dict), safetensors, Keras (.h5, .keras) or "
            "ONNX. Without it, torchvision's weights.",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    size: Size = None,
    normalization: PixelNormalization = Normalization.AUTO,
    output: NewFolder = None,
    resume: Resume = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
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
            help="That accelerator: tiny, small, base or large, or a TOML file of its options. Its "
            "lanes get the bits of each format.",
            rich_help_panel=HARDWARE,
        ),
    ] = "base",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="OPTION=INTEGER",
            help="Change one option of the accelerator, such as pixels=4; may be repeated.",
            rich_help_panel=HARDWARE,
        ),
    ] = None,
    html: Html = False,
):
    """Measure what fixed-point formats cost in accuracy, over lists of bits, scales and repairs.

    The product of the lists is the sweep: each format is made from the float network, run in
    integers on the pictures, and compared with float: first class and five first classes, SQNR and
    cosine of the logits, SQNR after each block, labels where there are any, each figure with its
    standard error. A list is written as 3..8, or 4,6,8, or tensor,channel; what has no list stays
    at W8A8, per channel, unrepaired. Without any list, a default sweep of some 200 formats runs, in
    minutes.

    The folder of results gets sweep.csv and sweep.parquet (a row each format), layers.csv,
    report.json, and the pictures accuracy.png, layers.png and costs.png. Each result is written to
    journal.jsonl as it comes: --resume goes on after any interruption.

    Pictures of --images: folders called by class index, class name or synset (synsets need a list
    beside them, such as LOC_synset_mapping.txt, or all 1,000 folders); a list file with a path and
    a class on each line; ImageNet's validation pictures in one folder, with val.txt,
    LOC_val_solution.csv or the development kit's labels and meta.mat beside them. Others are judged
    against float alone. Damaged pictures are left out and named. Each picture takes 150 KB of
    memory.

    Examples:

    - mnv2 sweep

    - mnv2 sweep --weights 3..8 --activations 4..8 --granularity tensor,channel

    - mnv2 sweep --weights 4..8 --html --output runs/bits

    - mnv2 sweep --weights 4 --adaptive-rounding off,on --images imagenet/val --limit 1000

    - mnv2 sweep --resume runs/sweep-2030-01-01T12-00-00
    """
    from mnv2.sim.commands.terminal.console import get_console, get_error_console
    from mnv2.sim.commands.terminal.progress import SweepProgress
    from mnv2.sim.configuration import load_configuration
    from mnv2.sim.jobs.journal import check_new_folder
    from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep
    from mnv2.sim.sweep.sweep_tables import import_pandas, render_hardware, render_points

    lists = {field: context.params[field] for field in _AXES}
    if resume is not None and output is not None:
        raise UserError(
            "A sweep that is gone on with stays in its folder: --resume takes no --output"
        )
    if scheduler is not None and workers is not None:
        raise UserError("The workers of --scheduler are those it has: it takes no --workers")
    # What can be wrong is looked at first: a sweep takes its time.
    accelerator = load_configuration(config, settings or ())
    import_pandas()
    check_page(html)
    request = make_request(
        lists,
        images=images,
        limit=limit,
        seed=seed,
        calibration=calibration,
        model=model,
        size=size,
        normalization=given(normalization),
    )
    if resume is not None:
        request = check_same_request(
            resume,
            read_request(resume),
            request,
            [
                name
                for name in (*_AXES, *REQUEST)
                if context.get_parameter_source(name).name == "COMMANDLINE"
            ],
        )
    folder = resume or output or Path("runs") / datetime.now().strftime("sweep-%Y-%m-%dT%H-%M-%S")
    console = get_error_console()
    if resume is None:
        check_new_folder(folder)
    progress = SweepProgress()
    try:
        with progress:
            prepared = prepare_sweep(request, progress=progress)
            results = run_sweep(
                prepared,
                folder,
                resume=resume is not None,
                workers=workers,
                scheduler=scheduler,
                progress=progress,
            )
        get_console().print(render_points(results))
        runs = _run_hardware(results, rtl, folder, accelerator) if rtl else []
        _write_results(results, runs, folder, command_line(context) if html else None)
    except (KeyboardInterrupt, UserError):
        if progress.started:
            console.print(
                f"What is done is kept: mnv2 sweep --resume {folder} goes on", soft_wrap=True
            )
        raise
    if runs:
        get_console().print(render_hardware(runs))
    names = ", ".join(sorted(file.name for file in folder.iterdir() if file.is_file()))
    console.print(f"In {folder}: {names}", soft_wrap=True)
    wrong = [run for run in runs if not run.exact and not run.passed_over]
    if wrong:
        raise SimulationError(f"{wrong[0].point} on the RTL: {wrong[0].reason}")


#: Parameters of the command that decide the results.
REQUEST = ("images", "limit", "seed", "calibration", "model", "size", "normalization")


def check_same_request(folder, earlier, request, given_names):
    """The earlier request of a folder, if the options that are given now say the same.

    Parameters
    ----------
    folder : path
        For the message.
    earlier, request : mnv2.sim.sweep.sweep.SweepRequest
        In the folder's journal, and made of the options.
    given_names : list of str
        Parameters of the command that the user wrote.

    Raises
    ------
    UserError
        Naming the first option that says something else.
    """
    for name in given_names:
        if name in _AXES:
            # Axes that a grid does not name stay at their default.
            before = {grid.get(name, (getattr(Point(), name),)) for grid in earlier.grids}
            now, option = {request.grids[0][name]}, _AXES[name].option
        else:
            before, now, option = {getattr(earlier, name)}, {getattr(request, name)}, name
        if before != now:
            raise UserError(
                f"The folder {str(folder)!r} holds another sweep: with --{option} "
                f"{_written(before)}, not {_written(now)}"
            )
    return earlier


def _written(values):
    """Values of an option, as the user may have written them."""
    return " and ".join(
        ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for value in sorted(values, key=str)
    )


def make_request(lists, *, images="bundled", calibration="bundled", model=None, **others):
    """What the user asks for.

    Parameters
    ----------
    lists : dict of str to (str or None)
        The list that was written for each axis, by field. If none was, the default sweep is meant.

    Returns
    -------
    mnv2.sim.sweep.sweep.SweepRequest
    """
    from mnv2.sim.sweep.grid import DEFAULT_GRIDS, parse_list
    from mnv2.sim.sweep.sweep import SweepRequest

    grid = {
        field: parse_list(_AXES[field], text) for field, text in lists.items() if text is not None
    }

    def absolute(path):
        """A path that means the same in another folder."""
        return str(Path(path).expanduser().absolute())

    return SweepRequest(
        grids=(grid,) if grid else DEFAULT_GRIDS,
        images=images if images == "bundled" else absolute(images),
        calibration=calibration if calibration == "bundled" else absolute(calibration),
        model=None if model is None else absolute(model),
        **others,
    )


def read_request(folder):
    """The request in a folder's journal."""
    from mnv2.sim.jobs.journal import read_journal
    from mnv2.sim.sweep.sweep import SweepRequest

    configuration, _ = read_journal(folder)
    return SweepRequest.from_dict(configuration.get("request"))


def _run_hardware(results, count, folder, accelerator):
    """The best formats on the RTL, with progress shown."""
    from mnv2.sim.commands.options.accelerator import make_memory
    from mnv2.sim.commands.terminal.progress import FormatProgress
    from mnv2.sim.sweep.hardware import run_best_points

    with FormatProgress() as progress:
        return run_best_points(
            results,
            count,
            folder,
            config=accelerator,
            memory=make_memory(100, None),
            progress=progress,
        )


def _write_results(results, runs, folder, page_of=None):
    """Tables, pictures and report, beside the journal; they appear together.

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
