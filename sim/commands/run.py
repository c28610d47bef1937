"""`mnv2 run`: a network in RTL, and the report of it."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnv2.sim.commands.options.accelerator import (
    Bandwidth,
    Clock,
    Config,
    Latency,
    Memory,
    Seed,
    Settings,
    Stalls,
    make_memory,
)
from mnv2.sim.commands.options.model import (
    Calibration,
    Labels,
    Model,
    Normalization,
    PixelNormalization,
    Resize,
    given,
)
from mnv2.sim.commands.options.network import (
    Classes,
    ImageSize,
    StridePadding,
    Width,
    open_chosen,
)
from mnv2.sim.commands.options.page import Html, check_page
from mnv2.sim.commands.options.pictures import read_pictures
from mnv2.sim.commands.terminal.command_line import command_line
from mnv2.sim.commands.terminal.guard import prints_json
from mnv2.sim.errors import UserError
from mnv2.sim.rtl.waveform.scope import WaveScope

if TYPE_CHECKING:
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.configuration import Setting
    from mnv2.sim.networks.input_files import InputFile
    from mnv2.sim.networks.open import RunnableModel
    from mnv2.sim.rtl.memory_model import MemoryModel
    from mnv2.sim.rtl.waveform.request import Waves
    from mnv2.sim.run import RunResult


@prints_json
def run(
    context: typer.Context,
    image: Annotated[
        str | None,
        typer.Argument(
            metavar="IMAGE",
            help="A picture in any format Pillow reads, or the name of a bundled photograph, such "
            "as coffee or china. Default chelsea.",
        ),
    ] = None,
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="SECOND",
            help="Another picture, for an accelerator that computes two frames abreast (--set "
            "frames=2). Default coffee.",
        ),
    ] = None,
    model: Model = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="FILE.npy|IMAGE",
            help="An array of the model's own input type and shape, or a picture, instead of "
            "IMAGE; again instead of SECOND.",
        ),
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            dir_okay=False,
            help="Write a copy of tensors.npz of the output folder there: every block's output, "
            "the pool and the logits from the hardware, by name; of a .tflite as t9 for tensor 9, "
            "with the tensors that the host computes from the logits. Those of a second picture go "
            "into FILE-2.npz.",
        ),
    ] = None,
    width: Width = None,
    size: ImageSize = None,
    classes: Classes = None,
    padding: StridePadding = None,
    normalization: PixelNormalization = Normalization.AUTO,
    resize: Resize = None,
    labels: Labels = None,
    calibration: Calibration = "bundled",
    config: Config = "base",
    settings: Settings = None,
    blocks: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST-LAST",
            help="Run only these bottlenecks, such as 3 or 3-5, each from memory to memory. "
            "Default: the whole network.",
        ),
    ] = None,
    frames: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Run N back-to-back frames too, 3 or more, and report the interval between their "
            "logits. Two frames abreast end together: N is then even, and 6 or more.",
        ),
    ] = 1,
    clock: Clock = None,
    memory: Memory = None,
    latency: Latency = None,
    bandwidth: Bandwidth = None,
    stalls: Stalls = 0,
    seed: Seed = 1,
    waves: Annotated[
        bool,
        typer.Option(
            "--waves",
            help="Write a waveform (FST) into the output folder, with --blocks one for each "
            "bottleneck, with a view of its streams for GTKWave (.gtkw) and Surfer (.sucl).",
        ),
    ] = False,
    waves_scope: Annotated[
        WaveScope | None,
        typer.Option(
            help="What a waveform holds: ports of the accelerator; streams between its units in "
            "addition; units, with all of their ports; all, with every named signal. The cause of "
            "waiting is in each. Asks for --waves. Default all with --blocks, else streams.",
        ),
    ] = None,
    waves_window: Annotated[
        str | None,
        typer.Option(
            metavar="FROM-TO",
            help="When it is written: cycles of the program from 0 on, such as 1000-2000, or "
            "layers, such as block3 or block3-block5. Asks for --waves. Default: all the time.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the report: a new one, or that of an earlier run, which is replaced. "
            "Default: a new one in runs/, named by the time.",
        ),
    ] = None,
    html: Html = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Simulations at a time with --blocks. Default one per core."
        ),
    ] = None,
):
    """Run MobileNetV2 in RTL on a picture, from image to class, and measure cycles and bytes.

    The accelerator's Verilog runs the whole integer network from one program in Verilator. Its
    logits and the output of every block must equal the integer golden model's, element by element.
    The class, the cycles and the bytes of each layer are printed and written as report.json,
    report.csv, figures, trace.json (the frame in time, for Perfetto) and tensors.npz, which mnv2
    compare reads. The first run of a configuration
    builds its simulation (minutes), and so does the first with --frames or --waves; later runs find
    it in the cache.

    With --set frames=2 the accelerator computes two frames abreast, IMAGE and SECOND, both compared
    with the golden model. Every figure of a layer is then that of both together; frames a second
    and bytes a frame are those of one.

    A float model is quantised for the accelerator: to 8 bits, or those of --set weight_bits=6, and
    to its rounding.
    --width, --classes and --padding run a network with random weights, whose classes mean nothing;
    cycles, bytes and the comparison bit by bit are as real. --size alone keeps the bundled weights.
    Any network of the family runs: a .tflite keeps its own integers, its FULLY_CONNECTED is scaled
    by the hardware with a multiplier and a shift, and SOFTMAX runs on the host.

    Examples:

    - mnv2 run cat.jpg

    - mnv2 run cat.jpg --html --output runs/cat

    - mnv2 run cat.jpg dog.jpg --set frames=2 --set packing=frames

    - mnv2 run cat.jpg --memory ddr3-800x16 --clock 100

    - mnv2 run cat.jpg --blocks 3 --waves

    - mnv2 run cat.jpg --model mobilenet_v2.tflite --dump rtl.npz

    - mnv2 run cat.jpg --width 0.5 --size 160 --classes 10

    - mnv2 run --config small --set data_bits=128 --latency 40 --stalls 20 --output runs/small
    """
    from mnv2.sim.commands.terminal.console import say_files, say_setting, show_report
    from mnv2.sim.configuration import load_setting
    from mnv2.sim.jobs.files import check_writable_file, output_folder
    from mnv2.sim.report.run_tables import render_report

    # Errors of the options are found first: the simulation takes its time.
    check_page(html)
    setting = load_setting(config, settings or ())
    accelerator, clock_hz = setting.config, setting.clock_hz(clock)
    memory, latency, bandwidth = setting.memory(memory, latency, bandwidth)
    say_setting(setting)
    if inputs and image is not None:
        raise UserError("The input is either IMAGE or --input, not both")
    request = RunRequest(
        sources=read_pictures(inputs or (image, second), accelerator),
        network=(model, width, size, classes, padding),
        normalization=given(normalization),
        resize=resize,
        labels=labels,
        calibration=calibration,
        setting=setting,
        memory=make_memory(latency, bandwidth, stalls, seed, memory, clock_hz),
        clock_hz=clock_hz,
        frames=frames,
        blocks=blocks,
        jobs=jobs or os.cpu_count() or 1,
        waves=waves or waves_scope is not None or waves_window is not None,
        waves_scope=waves_scope or (WaveScope.STREAMS if blocks is None else WaveScope.ALL),
        waves_window=waves_window,
    )
    if dump is not None:
        for number in range(accelerator.frames):
            check_writable_file(_numbered(dump, number))
    folder = output or Path("runs") / datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    with output_folder(folder) as temporary:
        result = _simulate(request, temporary)
        _write_result(result, temporary, dump, command_line(context) if html else None)
    notes = filter(None, (result.report.preparation, result.note))
    show_report(render_report(result.report, list(notes)), report=folder / "report.json")
    say_files(folder)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A run in RTL, as its options ask for it.

    Attributes
    ----------
    sources : tuple of mnv2.sim.networks.input_files.InputFile
        For each frame abreast a decoded picture, or an array of the model's input.
    network : tuple
        Options of the network: model, width, size, classes and padding, see
        `mnv2.sim.commands.options.network.open_chosen`.
    normalization : str or None
        Of the pixels; None for that of the model.
    resize, labels, calibration
        See `mnv2.sim.networks.open.open_model`.
    setting : mnv2.sim.configuration.Setting
        The accelerator, and the network of its file.
    memory : mnv2.sim.rtl.memory_model.MemoryModel
    clock_hz : float
        Clock that times are stated at.
    frames : int
        Back-to-back frames; 1 for a single frame.
    blocks : str or None
        Range of the bottlenecks to run alone; None for the whole network.
    jobs : int
        Simulations at a time.
    waves : bool
        Whether waveforms are written.
    waves_scope : WaveScope
        What they hold.
    waves_window : str or None
        When they are written, as `mnv2.sim.rtl.waveform.window.parse_window` reads it.

    Raises
    ------
    UserError
        If the options contradict each other, or the accelerator counts nothing.
    """

    sources: "tuple[InputFile, ...]"
    network: tuple[Any, ...]
    normalization: str | None
    resize: str | None
    labels: Path | None
    calibration: str
    setting: "Setting"
    memory: "MemoryModel"
    clock_hz: float
    frames: int
    blocks: str | None
    jobs: int
    waves: bool
    waves_scope: WaveScope = WaveScope.STREAMS
    waves_window: str | None = None

    @property
    def config(self) -> "AcceleratorConfig":
        """The accelerator."""
        return self.setting.config

    def __post_init__(self) -> None:
        if self.frames != 1 and self.blocks is not None:
            raise UserError("Back-to-back frames need the whole network, not --blocks")
        from mnv2.sim.report.run_report import check_frames
        from mnv2.sim.rtl.layer_result import require_counters

        check_frames(self.frames, self.config.frames)
        require_counters(self.config)


def _simulate(request: RunRequest, folder: Path) -> "RunResult":
    """Run the network or its bottlenecks, with progress shown; waveforms go into the folder."""
    from mnv2.sim.commands.terminal.run_progress import BlocksBar, FrameBar
    from mnv2.sim.run import run_bottlenecks, run_frame

    if request.blocks is not None:
        with BlocksBar() as blocks_bar:
            model, data = _open(request, blocks_bar.calibrating)
            return run_bottlenecks(
                model,
                data,
                parse_blocks(request.blocks, len(model.network.blocks)),
                config=request.config,
                memory=request.memory,
                clock_hz=request.clock_hz,
                jobs=request.jobs,
                waves=_waves(request, folder, model),
                progress=blocks_bar,
            )
    with FrameBar(loading="mnv2.sim.report.run_plots") as frame_bar:
        model, data = _open(request, frame_bar.calibrating)
        return run_frame(
            model,
            data,
            config=request.config,
            memory=request.memory,
            clock_hz=request.clock_hz,
            frames=request.frames,
            waves=_waves(request, folder / "network", model),
            progress=frame_bar,
        )


def _waves(request: RunRequest, place: Path, model: "RunnableModel") -> "Waves | None":
    """The waveform that is asked for; layers of a window are those of the network."""
    if not request.waves:
        return None
    from mnv2.sim.rtl.waveform.request import Waves
    from mnv2.sim.rtl.waveform.window import parse_window, window_layers

    window = None
    if request.waves_window is not None:
        # A block alone is one descriptor.
        layers = window_layers(model.network) if request.blocks is None else {}
        window = parse_window(request.waves_window, layers)
    return Waves(place, request.waves_scope, window)


def _open(request: RunRequest, progress: Callable[[int, int], None]):
    """Open the model, a float one in the accelerator's bits, and its input for each frame."""
    from mnv2.sim.commands.terminal.console import say_notes
    from mnv2.sim.networks.inputs import load_input

    model = open_chosen(
        request.setting,
        *request.network,
        calibration=request.calibration,
        resize=request.resize,
        labels=request.labels,
        progress=progress,
    )
    say_notes(model)
    return model, [load_input(model, source, request.normalization) for source in request.sources]


def _write_result(
    result: "RunResult", folder: Path, dump: Path | None, page_command: str | None
) -> None:
    """Write the files of a run; the page if there is a command line to put on it."""
    from mnv2.sim.jobs.files import save_arrays
    from mnv2.sim.networks.dumps import DUMP_FILE, write_dump
    from mnv2.sim.report.frame_trace import write_trace
    from mnv2.sim.report.run_files import write_csv, write_report
    from mnv2.sim.report.run_plots import write_plots

    write_report(result.report, folder / "report.json")
    write_csv(result.report, folder / "report.csv")
    write_plots(result.report, folder)
    write_trace(result.report, folder)
    if page_command is not None:
        from mnv2.sim.page.kit.page import write_page
        from mnv2.sim.page.run_page import run_page

        write_page(run_page(result.report, page_command), folder)
    for number, tensors in enumerate((result.tensors, result.second_tensors)):
        if tensors is not None:
            save_arrays(_numbered(folder / DUMP_FILE, number), tensors)
            if dump is not None:
                write_dump(_numbered(dump, number), tensors)


def _numbered(path: Path, number: int) -> Path:
    """Path of a picture's file: ``tensors.npz``, and ``tensors-2.npz`` of the second."""
    return path.with_stem(f"{path.stem}-{number + 1}") if number else path


def parse_blocks(text: str, count: int) -> list[int]:
    """Numbers of blocks, from 1 to ``count``, of a range such as ``3`` or ``3-5``."""
    match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= count:
        raise UserError(
            f"Blocks must be a number or a range within 1-{count}, such as 3-5, not {text!r}"
        )
    return list(range(first, last + 1))
