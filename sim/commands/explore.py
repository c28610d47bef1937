"""`mnv2 explore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnv2.sim.boards.board import board_files
from mnv2.sim.commands import explore_steps
from mnv2.sim.commands.options.accelerator import (
    Latency,
    Memory,
    check_once,
    complete_device,
    make_memory,
)
from mnv2.sim.commands.options.model import Model
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
)
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.options.panel import in_panel
from mnv2.sim.commands.options.work import (
    WORK,
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
from mnv2.sim.errors import SimulationError, UserError
from mnv2.sim.explore.objectives import DEFAULT_OBJECTIVES, FIGURES
from mnv2.sim.explore.space import AXES, SPACES

if TYPE_CHECKING:
    # Help is shown without loading them.
    from mnv2.sim.explore.place_designs import Placing
    from mnv2.sim.explore.prove import Proof

#: Panels of the help.
ASKED, SPACE, NETWORK = "Objectives and limits", "Designs to choose from", "Network"


def _limit(name: str, metavar: str) -> Any:
    """The option that limits a figure."""
    figure = FIGURES[name]
    return typer.Option(
        figure.option,
        metavar=metavar,
        rich_help_panel=ASKED,
        help=f"{'Minimum' if figure.best == 'most' else 'Maximum'}: {figure.words}.",
    )


@prints_json
@in_panel(NETWORK, "model", "width", "size", "classes", "padding")
def explore(
    context: typer.Context,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The device that it must fit: ZU3EG, Zynq-7020, ECP5-85, K26 …; or a board, with "
            f"its memory and clock: {', '.join(board_files())}. mnv2 devices lists "
            "all. By default resources are UltraScale+'s and nothing is too large.",
            rich_help_panel=ASKED,
            autocompletion=complete_device,
        ),
    ] = None,
    devices: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="A table of devices in place of the bundled one, sim/cost/devices.toml.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A figure to optimise, repeated: "
            + ", ".join(FIGURES)
            + "; default "
            + ", ".join(DEFAULT_OBJECTIVES)
            + ".",
            rich_help_panel=ASKED,
        ),
    ] = None,
    min_fps: Annotated[str | None, _limit("fps", "100")] = None,
    max_latency: Annotated[str | None, _limit("latency", "10ms")] = None,
    max_dsp: Annotated[str | None, _limit("dsp", "360")] = None,
    max_bram: Annotated[str | None, _limit("bram", "432")] = None,
    max_luts: Annotated[str | None, _limit("luts", "70k")] = None,
    max_bandwidth: Annotated[str | None, _limit("bandwidth", "2GB/s")] = None,
    max_energy: Annotated[str | None, _limit("energy", "12")] = None,
    min_accuracy: Annotated[str | None, _limit("accuracy", "90%")] = None,
    max_memory: Annotated[str | None, _limit("memory", "800kB")] = None,
    max_share: Annotated[str | None, _limit("share", "80%")] = None,
    max_power: Annotated[
        str | None,
        typer.Option(
            metavar="WATTS",
            help="Refused: watts are not estimated; see --max-energy.",
            rich_help_panel=ASKED,
            hidden=True,
        ),
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            metavar="|".join((*SPACES, "FILE.toml")),
            help="The space: small, full, or a file of lists by axis (and preset, the space that "
            "has the other axes).",
            rich_help_panel=SPACE,
        ),
    ] = "small",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AXIS=VALUES",
            help="Other values of one axis, such as outputs=8,16,32, pixels=2..8, pixels=7 or "
            "packing=none,pixels; may be repeated. The axes: " + ", ".join(AXES) + ".",
            rich_help_panel=SPACE,
        ),
    ] = None,
    accuracy: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of a finished mnv2 sweep: its bits become axes, each with the accuracy of "
            "its best format.",
            rich_help_panel=SPACE,
        ),
    ] = None,
    clock: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1e6,
            metavar="MHZ",
            help="Clock in MHz; default the board's, else an estimate for the device's family. "
            "--vary clock_mhz=100,200 searches over it.",
            rich_help_panel=SPACE,
        ),
    ] = None,
    energies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Energies of operations in picojoules, whose ratios count, in place of those of "
            "sim/cost/energies.toml.",
            rich_help_panel=SPACE,
        ),
    ] = None,
    memory: Memory = None,
    latency: Latency = None,
    model: Model = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    designs: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Predictions at most: a space with no more candidates is searched whole, a larger "
            "one by NSGA-II.",
            rich_help_panel=WORK,
        ),
    ] = 800,
    population: Annotated[
        int,
        typer.Option(
            min=4, max=1000, help="Designs of a generation of NSGA-II.", rich_help_panel=WORK
        ),
    ] = 50,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of NSGA-II.", rich_help_panel=WORK)
    ] = 1,
    prove: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Build N designs of the front and run the whole network on them in RTL, to "
            "compare measured with predicted: the balanced one, then those farthest from each "
            "other. Each is built once, which takes minutes.",
            rich_help_panel=WORK,
        ),
    ] = 0,
    place: Annotated[
        bool,
        typer.Option(
            "--place",
            help="Place and route those designs of --prove too, as mnv2 place does: half an hour "
            "or more each. ECP5 only.",
            rich_help_panel=WORK,
        ),
    ] = False,
    speed: Annotated[
        int,
        typer.Option(
            min=6,
            max=8,
            metavar="6|7|8",
            help="Speed grade that --place places for.",
            rich_help_panel=WORK,
        ),
    ] = 8,
    place_seeds: Annotated[
        int,
        typer.Option(
            min=1,
            max=1000,
            metavar="N",
            help="Seeds of the placer that --place tries for each design.",
            rich_help_panel=WORK,
        ),
    ] = 1,
    output: NewFolder = None,
    resume: Resume = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    html: Html = False,
):
    """Find the Pareto-optimal accelerators for a device, a frame rate, a network.

    Each design is predicted by the model that equals the RTL to the cycle and to the byte (mnv2
    predict), and its costs are estimated from its netlist's structure. A design that misses a limit
    is not on the front; one that its costs or its ideal cycles rule out is not predicted. Layers
    that leave lanes of a design idle are reported.

    Depthwise layers share the array's multipliers: 9 of the outputs of each channel, so outputs,
    inputs and pixels decide their lanes too. Two frames abreast share control and weights. Pairs of
    products share a DSP as packing says, where the device's DSPs are wide enough. Buffers follow
    from the network: those with which it takes the least RAM, or larger ones if that saves
    time or bytes. map_share is 0 for that map memory, and 1 to keep every map on chip; strip_factor
    and weight_factor are multiples of that strip memory and of the least weight memory; queue_tiles
    is the number of results of the array that a queue holds. A size in words, such as map_words, is
    used as given.

    Frames run one after another, or two by two, and latency is the time from start to logits. The
    bandwidth of a design is its bytes over its time; if its port can ask for more than the device's
    memory gives, the front is predicted with that memory.

    The folder of results gets designs.csv and designs.parquet (every design, the front first),
    design-001.toml and so on for mnv2 run --config, report.json, and pictures. Predictions are
    written to journal.jsonl as they come: --resume continues after any interruption, and ends
    with the same front.

    Examples:

    - mnv2 explore --device ZU3EG --min-fps 100 --max-bandwidth 2GB/s

    - mnv2 explore --device ECP5-85 --memory ddr3-800x16 --objective fps --objective dsp

    - mnv2 explore --device kv260 --objective fps --objective dsp

    - mnv2 explore --objective fps --objective energy --max-dsp 500

    - mnv2 explore --vary outputs=16,32 --vary pixels=1..8 --width 0.5 --size 160

    - mnv2 explore --space full --designs 3000 --device K26 --output runs/k26

    - mnv2 explore --device ECP5-85 --vary packing=none --prove 1 --place

    - mnv2 explore --vary frames=1 --vary packing=pixels --vary requantize=double,single
    """
    from rich.text import Text

    from mnv2.sim.commands.terminal.campaign_progress import CampaignBar
    from mnv2.sim.commands.terminal.console import get_error_console, show, show_report
    from mnv2.sim.cost.devices import find_named_board
    from mnv2.sim.explore.request import make_request, prepare_search
    from mnv2.sim.explore.search import run_search
    from mnv2.sim.explore.search_tables import (
        check_pandas,
        headline,
        nearest_misses,
        render_front,
    )

    if max_power is not None:
        raise UserError(
            "Watts are not estimated, since the energies known here are of a chip and not of an "
            "FPGA: --max-energy limits the energy of a frame as a ratio between designs"
        )
    work = choose_work(
        "explore", output=output, resume=resume, workers=workers, scheduler=scheduler
    )
    # What can be wrong is looked at first: a search takes its time.
    check_pandas()
    board = find_named_board(device, devices) if device else None
    clock_from = "given"
    if board is not None and clock is None:
        clock, clock_from = board.clock_hz / 1e6, board.clock_source
    if board is not None and latency is None:
        memory = memory or board.memory
    steady = make_memory(latency, None)
    if memory is not None:
        make_memory(latency, None, part=memory, clock_hz=(clock or 200.0) * 1e6)
    check_page(html)
    check_once([one.partition("=")[0].strip() for one in vary or ()], "--vary")
    check_once(objective or (), "--objective")
    request = make_request(
        space=space,
        vary=vary or (),
        objectives=objective or DEFAULT_OBJECTIVES,
        limits={name: context.params[figure.parameter] for name, figure in FIGURES.items()},
        network={
            "model": model,
            "width": width,
            "size": size,
            "classes": classes,
            "padding": padding and padding.value,
        },
        device=device,
        devices=devices,
        energies=energies,
        clock_mhz=clock,
        clock_from=clock_from,
        latency=steady.latency,
        memory=memory,
        accuracy=accuracy,
        designs=designs,
        population=population,
        seed=seed,
    )
    request = stated_request(context, work, request)
    prepared = prepare_search(request, explore_steps.searched_network(request.network))
    progress = CampaignBar("Predicting", rate=True)
    target = explore_steps.find_place_target(prepared, prove) if place else None
    proofs: list[Proof] = []
    placings: list[Placing] = []
    with stopped_work(work, progress):
        with progress:
            results = run_search(
                prepared,
                work.folder,
                resume=work.resume,
                workers=workers,
                scheduler=scheduler,
                progress=progress,
            )
        page_of = command_line(context) if html else None
        explore_steps.write_results(results, work.folder, page_of)
        if results.front:
            show(render_front(results))
        if results.front and prove:
            proofs = explore_steps.prove(results, prove, work.folder)
            explore_steps.write_results(results, work.folder, page_of, proofs)
            if target is not None:
                placings = explore_steps.place(results, prove, target, speed, place_seeds)
                explore_steps.write_results(results, work.folder, page_of, proofs, placings)
    if not results.front:
        raise UserError(f"{nearest_misses(results)}; {work.folder / 'designs.csv'} has all")
    if proofs:
        explore_steps.show_proofs(proofs, placings)
    show_report(Text(f"{headline(results)}.", style="bold"), report=work.folder / "report.json")
    get_error_console().print(
        f"In {work.folder}: {explore_steps.file_names(work.folder, results)}", soft_wrap=True
    )
    wrong = [proof for proof in proofs if not proof.equal]
    if wrong:
        raise SimulationError(
            f"{wrong[0].name} in RTL is not what was predicted; all that differs is listed above"
        )
