"""`mnv2 lab accuracy`: the documentation's table of formats, on a set of pictures."""

import dataclasses

import typer

from mnv2.sim.commands.options.model import Calibration
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

__all__ = ["accuracy"]


@in_panel(PICTURES, "calibration")
def accuracy(
    context: typer.Context,
    images: Images = "bundled",
    limit: Limit = None,
    seed: Seed = 1,
    calibration: Calibration = "bundled",
    output: NewFolder = None,
    resume: Resume = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    device: Device = "cpu",
):
    """Measure the formats of the documentation's table, docs/results/formats.md, on pictures.

    The bundled network is quantised to each of them, and compared with float on every picture:
    agreement, its difference to W8A8, labels found minus those that float finds, each paired by
    picture, and SQNR, each with its standard error. The folder gets table.md, and the tables and
    the report of a sweep. One picture of each class, a thousand, tells formats apart by a point
    or so; the table is measured on as many. --resume continues after any interruption.

    Examples:

    - mnv2 lab accuracy --images imagenet-sample-images --output runs/table

    - mnv2 lab accuracy --resume runs/table
    """
    from mnv2.sim.accuracy.format_table import format_table, grids
    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import say_files
    from mnv2.sim.jobs.files import replaced_files
    from mnv2.sim.sweep.request import SweepRequest, absolute_set
    from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep
    from mnv2.sim.sweep.sweep_report import write_report
    from mnv2.sim.sweep.sweep_tables import check_pandas, write_tables

    work = choose_work(
        "accuracy",
        output=output,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        device=device,
    )
    work = dataclasses.replace(work, command="lab accuracy")
    check_pandas()
    request = SweepRequest(
        grids=grids(),
        images=absolute_set(images),
        calibration=absolute_set(calibration),
        limit=limit,
        seed=seed,
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
        table = format_table(results)
        with replaced_files(work.folder) as temporary:
            (temporary / "table.md").write_text(table, encoding="utf-8")
            write_tables(results, temporary)
            write_report(results, temporary / "report.json")
    print(table)
    say_files(work.folder)
