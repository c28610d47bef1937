"""Functions of the public interface that combine several packages; users import them from `mnv2`.

Each does what the command of its name does, without a terminal, a page or a folder of reports.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mnv2.sim.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mnv2.golden.network import Network
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.cost.cost_report import CostReport
    from mnv2.sim.explore.request import SearchRequest
    from mnv2.sim.explore.search_results import SearchResults
    from mnv2.sim.mapping.network_program import NetworkProgram
    from mnv2.sim.networks.inputs import ModelInput
    from mnv2.sim.networks.open import RunnableModel
    from mnv2.sim.prediction.prediction_report import Prediction
    from mnv2.sim.rtl.memory_model import MemoryModel
    from mnv2.sim.run import RunResult
    from mnv2.sim.sweep.request import SweepRequest
    from mnv2.sim.sweep.sweep_records import SweepResults

__all__ = ["cost", "explore", "predict", "program", "run_rtl", "sweep", "verilog"]

#: Clock that times are stated at by default, in Hz.
CLOCK_HZ = 200e6


def predict(
    network: Network,
    config: AcceleratorConfig,
    memory: MemoryModel | None = None,
    *,
    frames: int = 1,
    clock_hz: float = CLOCK_HZ,
) -> Prediction:
    """Predict cycles, waits and bytes of every layer; equal to those of the RTL.

    Parameters
    ----------
    network : mnv2.golden.network.Network
        From `mnv2.mobilenet_v2`, or ``model.network`` of an opened model.
    config : mnv2.hw.config.AcceleratorConfig
        See `mnv2.load_configuration`.
    memory : mnv2.sim.rtl.memory_model.MemoryModel, optional
        Default: 100 cycles away, a beat a cycle each way, without pauses.
    frames : int
        1, or the number of back-to-back frames, 3 or more, whose interval is predicted too; of two
        frames abreast an even number, 6 or more.
    clock_hz : float
        Clock that times are stated at; it changes no cycle.

    Returns
    -------
    mnv2.sim.prediction.prediction_report.Prediction

    Raises
    ------
    UserError
        If the network does not fit the accelerator, or an argument is of the wrong kind.

    Examples
    --------
    >>> import mnv2
    >>> network = mnv2.mobilenet_v2(width=0.35, input_size=96)
    >>> config = mnv2.load_configuration("base")
    >>> prediction = mnv2.predict(network, config)
    >>> prediction.total.cycles
    111481
    >>> near = mnv2.predict(network, config, mnv2.MemoryModel(latency=20))
    >>> near.total.cycles < prediction.total.cycles
    True
    >>> import dataclasses
    >>> for outputs in (12, 16, 32):
    ...     lanes = dataclasses.replace(config, outputs=outputs)
    ...     print(outputs, round(mnv2.predict(network, lanes).total.mac_utilization, 2))
    12 0.32
    16 0.24
    32 0.12
    """
    _check(config, memory, frames, clock_hz)
    from mnv2.sim.cycles.predict import predict_frames, predict_network
    from mnv2.sim.prediction.prediction_report import make_prediction
    from mnv2.sim.rtl.memory_model import MemoryModel

    settings = dataclasses.asdict(memory or MemoryModel())
    begin = time.perf_counter()
    layers = predict_network(network, config, **settings)
    seconds = time.perf_counter() - begin
    sequence = None
    if frames > 1:
        sequence = predict_frames(network, config, frames // config.frames, **settings)
    return make_prediction(
        network, layers, config, **settings, clock_hz=clock_hz, seconds=seconds, sequence=sequence
    )


def cost(
    network: Network,
    config: AcceleratorConfig,
    device: str | None = None,
    *,
    latency: int | None = None,
    bytes_per_cycle: int | None = None,
    part: str | None = None,
    clock_hz: float | None = None,
) -> CostReport:
    """Estimate resources, the devices that they fit, the frame rate and the energy of a frame.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    config : mnv2.hw.config.AcceleratorConfig
    device : str, optional
        Name of a device, such as ``"ZU3EG"``, or of a board, such as ``"kv260"``, with the board's
        memory and clock; default all devices of the table.
    latency : int, optional
        Of the memory, in cycles; default 100.
    bytes_per_cycle : int, optional
        Bandwidth of the memory; default the peak of each device's own.
    part : str, optional
        Name of a memory part, such as ``"ddr3-800x16"``, in place of both and of the devices' own.
        Default the board's, where none of the three is given.
    clock_hz : float, optional
        Default the board's, or the estimate of each device: placed, modelled, a bound or a setting.

    Returns
    -------
    mnv2.sim.cost.cost_report.CostReport

    Raises
    ------
    UserError
        If there is no such device, or its multipliers cannot hold the configuration's packing, or
        it has no UltraRAM that a memory asks for.

    Examples
    --------
    >>> import mnv2
    >>> network = mnv2.mobilenet_v2(width=0.35, input_size=96)
    >>> report = mnv2.cost(network, mnv2.load_configuration("small"))
    >>> [one.device.name for one in report.devices if one.fits]
    ['Artix-7-200T', 'Zynq-7045', 'ZU7EV', 'ZU9EG', 'VU9P', 'VU13P']
    >>> largest = report.devices[0].uses[0]
    >>> largest.resource, largest.used > largest.available
    ('block RAM, 4 kbit', True)
    >>> (one,) = mnv2.cost(network, mnv2.load_configuration("kv260"), "kv260").devices
    >>> one.fits, one.part, one.clock.hz
    (True, 'ps-hp-ddr4-2400x64', 300000000.0)
    """
    from mnv2.sim.cost.devices import find_named_board
    from mnv2.sim.rtl.memory_model import MemoryModel

    board = find_named_board(device) if device else None
    clock_source = "given"
    if board is not None and clock_hz is None:
        clock_hz, clock_source = board.clock_hz, board.clock_source
    if board is not None and latency is None and bytes_per_cycle is None:
        part = part or board.memory
    latency = 100 if latency is None else latency
    try:
        memory = MemoryModel(latency=latency, bytes_per_cycle=bytes_per_cycle or 0)
    except ValueError as error:
        raise UserError(str(error)) from None
    _check(config, memory, 1, CLOCK_HZ if clock_hz is None else clock_hz)
    from mnv2.sim.cost.cost_report import make_cost_report
    from mnv2.sim.cost.devices import check_device, find_device, load_devices
    from mnv2.sim.cost.energy import load_energies
    from mnv2.sim.memory.parts import find_part

    devices = [find_device(device)] if device else list(load_devices().values())
    if device:
        check_device(config, devices[0])
    return make_cost_report(
        network,
        config,
        devices,
        latency=latency,
        bytes_per_cycle=bytes_per_cycle,
        part=None if part is None else find_part(part),
        clock_hz=clock_hz,
        clock_source=clock_source,
        energies=load_energies(),
    )


def explore(
    request: SearchRequest,
    network: Network,
    folder: Path | str,
    *,
    resume: bool = False,
    workers: int | None = 0,
) -> SearchResults:
    """Search a space of accelerators for those that are Pareto-optimal under the limits.

    Parameters
    ----------
    request : mnv2.SearchRequest
        Space, objectives, limits, device and seed.
    network : mnv2.golden.network.Network
    folder : path
        Gets the journal of predictions, with which an interrupted search is resumed.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one, None takes one for each core.

    Returns
    -------
    mnv2.sim.explore.search_results.SearchResults
        All designs, and the front.

    Raises
    ------
    UserError
        If there is no design, or the folder cannot be used.

    Examples
    --------
    >>> import mnv2
    >>> space = mnv2.choose_space("small", ["outputs=16", "inputs=4,8", "pixels=4,7",
    ...     "frames=1", "packing=none", "multipliers_in_luts=false", "residual_lanes=4",
    ...     "map_share=1", "strip_factor=1", "weight_factor=1", "data_bits=128",
    ...     "padded_words=false"])
    >>> request = mnv2.SearchRequest(
    ...     space=space.values, objectives=("fps", "dsp"), limits={"dsp": 1000})
    >>> network = mnv2.mobilenet_v2(width=0.35, input_size=96)
    >>> results = mnv2.explore(request, network, "search")
    >>> for design in results.front:
    ...     print(f"{design.lanes}: {design.frames_per_second:,.0f} frames/s")
    16x8x4: 1,595 frames/s
    16x4x7: 1,518 frames/s
    16x4x4: 1,328 frames/s
    """
    from mnv2.sim.explore.request import prepare_search
    from mnv2.sim.explore.search import run_search
    from mnv2.sim.explore.space import AXES

    for name in request.space:
        if name not in AXES:
            raise UserError(f"The space must be of the axes {', '.join(AXES)}, not {name!r}")
    for name in ("outputs", "inputs", "pixels"):
        if not request.space.get(name):
            raise UserError(f"The space must have values of {name}, as choose_space gives them")

    prepared = prepare_search(request, network)
    return run_search(prepared, Path(folder), resume=resume, workers=workers)


def sweep(
    request: SweepRequest,
    folder: Path | str,
    *,
    resume: bool = False,
    workers: int | None = 0,
    device: str = "cpu",
) -> SweepResults:
    """Quantise a network to many formats, and measure the accuracy of each on pictures.

    Parameters
    ----------
    request : mnv2.SweepRequest
        Formats, pictures and model.
    folder : path
        Gets the journal of results, with which an interrupted sweep is resumed.
    resume : bool
        Whether the journal is there already.
    workers : int, optional
        Processes; 0 works in this one, None takes one for each core.
    device : str
        ``"cpu"``, or a GPU that runs the networks, ``"cuda"`` or ``"cuda:N"``, in this process.

    Returns
    -------
    mnv2.sim.sweep.sweep_records.SweepResults
        Figures of every format.

    Raises
    ------
    UserError
        If the model, the pictures or the device cannot be used, or the folder cannot.

    Examples
    --------
    >>> import mnv2
    >>> request = mnv2.SweepRequest(
    ...     grids=({"weight_bits": (4, 8)},),
    ...     images="pictures", calibration="others", model="small.pt", size=32,
    ... )
    >>> results = mnv2.sweep(request, "formats")
    >>> sorted(point.name for point in results.figures)
    ['W4A8', 'W8A8']
    """
    from mnv2.sim.sweep.sweep import prepare_sweep, run_sweep

    prepared = prepare_sweep(request, device=device)
    return run_sweep(prepared, Path(folder), resume=resume, workers=workers)


def run_rtl(
    model: RunnableModel,
    given: ModelInput | Sequence[ModelInput],
    config: AcceleratorConfig,
    memory: MemoryModel | None = None,
    *,
    frames: int = 1,
    clock_hz: float = CLOCK_HZ,
    waves_file: Path | None = None,
) -> RunResult:
    """Run the whole network in RTL under Verilator, and compare every block with the golden model.

    The first run of a configuration builds its simulation, which takes minutes; later runs find it
    in the cache.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
        In the accelerator's bits: see `mnv2.open_model`.
    given : mnv2.sim.networks.inputs.ModelInput, or sequence of them
        See `mnv2.load_input`. Two for an accelerator that computes two frames abreast.
    config : mnv2.hw.config.AcceleratorConfig
    memory : mnv2.sim.rtl.memory_model.MemoryModel, optional
        Default: 100 cycles away, a beat a cycle each way, without pauses.
    frames : int
        1, or the number of back-to-back frames, 3 or more, that are run too; of two frames abreast
        an even number, 6 or more.
    clock_hz : float
        Clock that times are stated at; it changes no cycle.
    waves_file : Path, optional
        Waveform of the single frame's streams and causes of waiting to write.

    Returns
    -------
    mnv2.sim.run.RunResult
        The report and the tensors that the hardware made, of each picture.

    Raises
    ------
    UserError
        If the network does not fit, there are not as many pictures as frames abreast, the
        accelerator has no counters, or a tool is missing.
    SimulationError
        If the simulation fails or a tensor differs from the golden model's.

    Examples
    --------
    >>> import mnv2
    >>> model = mnv2.open_model("small.tflite")
    >>> config = mnv2.load_configuration("tiny")
    >>> result = mnv2.run_rtl(model, mnv2.load_input(model, "cat.png"), config)
    >>> result.report.total.cycles == mnv2.predict(model.network, config).total.cycles
    True
    """
    _check(config, memory, frames, clock_hz)
    from mnv2.sim.rtl.memory_model import MemoryModel
    from mnv2.sim.rtl.waveform.request import Waves
    from mnv2.sim.run import run_frame

    return run_frame(
        model,
        given,
        config=config,
        memory=memory or MemoryModel(),
        clock_hz=clock_hz,
        frames=frames,
        waves=Waves(waves_file) if waves_file else None,
    )


def program(model: RunnableModel, config: AcceleratorConfig) -> NetworkProgram:
    """Map a network to an accelerator: the image that a host loads, for any number of pictures.

    It may lie anywhere in memory; pictures and logits lie elsewhere, see
    `mnv2.sim.mapping.packing.pack_image` and `mnv2.sim.mapping.network_program.unpack_logits`.

    Parameters
    ----------
    model : mnv2.sim.networks.open.RunnableModel
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    mnv2.sim.mapping.network_program.NetworkProgram

    Raises
    ------
    UserError
        If the network does not fit the accelerator.

    Examples
    --------
    >>> import mnv2
    >>> model = mnv2.open_model("small.tflite")
    >>> mapped = mnv2.program(model, mnv2.load_configuration("tiny"))
    >>> mapped.image.dtype, mapped.classes
    (dtype('uint8'), 12)
    """
    from mnv2.sim.mapping.network_program import build_network_program
    from mnv2.sim.mapping.tiling import DoesNotFit

    try:
        return build_network_program(model.integer, config)
    except DoesNotFit as error:
        raise UserError(error.advice) from None


def _check(
    config: AcceleratorConfig, memory: MemoryModel | None, frames: int, clock_hz: float
) -> None:
    """Refuse arguments of the wrong kind or value.

    Raises
    ------
    UserError
    """
    from mnv2.hw.config import AcceleratorConfig
    from mnv2.sim.report.run_report import check_frames
    from mnv2.sim.rtl.memory_model import MemoryModel

    if not isinstance(config, AcceleratorConfig):
        raise UserError(
            "The configuration must be an AcceleratorConfig, as load_configuration gives it, not "
            f"{config!r}"
        )
    if memory is not None and not isinstance(memory, MemoryModel):
        raise UserError(f"The memory must be a MemoryModel, not {memory!r}")
    if memory is not None and memory.part and memory.part_clock_hz != clock_hz:
        raise UserError(
            f"The memory {memory.part} is one of an accelerator at "
            f"{memory.part_clock_hz / 1e6:g} MHz: give the same as clock_hz, not "
            f"{clock_hz / 1e6:g} MHz"
        )
    check_frames(frames, config.frames)
    if not clock_hz > 0:
        raise UserError(f"The clock must be a positive frequency in Hz, not {clock_hz!r}")


def verilog(config: AcceleratorConfig) -> str:
    """Generate the accelerator as Verilog-2005, the text that simulations run.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Returns
    -------
    str
        The design in one file; its top module is ``accelerator``.

    Examples
    --------
    >>> import mnv2
    >>> text = mnv2.verilog(mnv2.load_configuration("tiny"))
    >>> "module accelerator(" in text
    True
    """
    from mnv2.hw.accelerator import Accelerator
    from mnv2.sim.rtl.verilog import generate

    return generate(Accelerator, name="accelerator", config=config)
